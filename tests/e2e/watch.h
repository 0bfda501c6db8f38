#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"

namespace idv::e2e {

// What those who watch a gateway see of it. It must have `listen.admin`.

// The body of one of its pages; a failure if its status is another one.
std::string PageOf(const Gateway& gateway, const std::string& path, int status = 200);

// Its series, each as it is written, with its value.
std::map<std::string, double> SeriesOf(const Gateway& gateway);

// The sum of the series of that name that have all of these labels, each written as a="b".
double SumOf(const std::map<std::string, double>& series, const std::string& name,
             const std::vector<std::string>& labels = {});

// The lines of its log for calls, as soon as there are so many.
std::vector<Json> CallLinesOf(const Gateway& gateway, size_t count);

// Compares what callers were told of their calls, all of those that a gateway has had, with what
// its log and its series say of them.
class Witness {
 public:
  explicit Witness(const Gateway& gateway) : gateway_(gateway) {}

  // Keeps how a call ended, and gives it back.
  template <typename Ended>
  Ended Saw(Ended outcome) {
    Keep(outcome);
    return outcome;
  }

  void ExpectTheSameSeen() const;

 private:
  void Keep(const Outcome& outcome);

  const Gateway& gateway_;
  std::map<std::string, Json> told_;  // by request ids: code, reason and blame
};

}  // namespace idv::e2e
