#pragma once

#include <optional>
#include <ostream>

#include "gateway/verify/progress_bar.h"
#include "gateway/verify/report.h"

namespace idv::verify {

// Writes a table for a person to `out`, the details of a failure to `err`; progress is seen where
// there is a bar. Borrows the streams.
class PersonReport final : public Report {
 public:
  PersonReport(std::ostream& out, std::ostream& err, bool colours, std::optional<ProgressBar> bar)
      : out_(out), err_(err), colours_(colours), bar_(bar) {}

  void Done(const Step& step) override;
  void Progressed(const Progress& progress) override;
  void Failed(const std::string& step, std::chrono::milliseconds took,
              std::chrono::milliseconds total, const Failure& failure) override;
  void Decided(const Decision& decision) override;

 private:
  void Row(const std::string& name, std::chrono::milliseconds took, const std::string& text);
  void Detail(const std::string& name, const std::string& text);
  std::string Paint(const char* colour, const std::string& text) const;

  std::ostream& out_;
  std::ostream& err_;
  const bool colours_;
  std::optional<ProgressBar> bar_;
};

}  // namespace idv::verify
