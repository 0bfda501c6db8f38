#pragma once

#include <string>
#include <vector>

#include "tests/bench/stage.h"

namespace idv::bench::storm {

// A new idv-sandbox with one tenant that has booked a plan.
class LimitedUpstream {
 public:
  // `plan`: basic, professional or enterprise.
  explicit LimitedUpstream(const std::string& plan);

  // "http://HOST:PORT"
  std::string root_url() const { return "http://" + listener_.address(); }

  // Creates verifications that wait for a document, and leaves the whole allowance of the plan.
  std::vector<std::string> CreateVerifications(size_t count) const;

 private:
  std::string CreateVerification(const std::string& external_id) const;
  void AdvanceClock(const std::string& duration) const;

  Listener listener_;
};

}  // namespace idv::bench::storm
