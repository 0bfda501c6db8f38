#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "gateway/verify/failure.h"

namespace idv::verify {

// A step that succeeded.
struct Step {
  std::string name;
  std::chrono::milliseconds took{};
  std::string text;                                 // the important result, for a person
  nlohmann::json facts = nlohmann::json::object();  // the same for a program: an object
};

// How far the liveness frames are, while they are streamed.
struct Progress {
  int sent = 0;  // of `frames`
  int frames = 0;
  std::uint64_t bytes = 0;           // of those that are sent
  std::chrono::milliseconds took{};  // so far
};

// How the verification ended.
struct Decision {
  std::string status;  // as in MANUAL_REVIEW; UNKNOWN when this program knows no name for it
  bool verified = false;
  std::string verification_id;
  std::string decision;  // in the upstream's spelling; empty when it sent none
  std::optional<double> overall_score;
  std::vector<std::string> codes;
  std::chrono::milliseconds took{};  // all steps together
};

// Where steps are told, one after the other: any number of Done(), then one Failed() or Decided().
// Before each of them, any number of Progressed(). Texts in it are foreign: an implementation makes
// them safe for whoever reads it.
class Report {
 public:
  virtual ~Report() = default;
  virtual void Done(const Step& step) = 0;
  virtual void Progressed(const Progress& progress) = 0;
  // `took` is the time of this step, `total` of all steps together.
  virtual void Failed(const std::string& step, std::chrono::milliseconds took,
                      std::chrono::milliseconds total, const Failure& failure) = 0;
  virtual void Decided(const Decision& decision) = 0;
};

}  // namespace idv::verify
