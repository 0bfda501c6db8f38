#pragma once

#include <ostream>

#include "gateway/verify/report.h"

namespace idv::verify {

// Writes one JSON object a line: {"step", "ok", "ms", ...} for each step, and a last one with
// "result", which is the status of the verification or ERROR. Borrows the stream.
class JsonReport final : public Report {
 public:
  explicit JsonReport(std::ostream& out) : out_(out) {}

  void Done(const Step& step) override;
  // A program wants the result only.
  void Progressed(const Progress& /*progress*/) override {}
  void Failed(const std::string& step, std::chrono::milliseconds took,
              std::chrono::milliseconds total, const Failure& failure) override;
  void Decided(const Decision& decision) override;

 private:
  void Line(const nlohmann::json& object);

  std::ostream& out_;
};

}  // namespace idv::verify
