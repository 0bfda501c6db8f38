#pragma once

#include <memory>
#include <string>

#include "tests/bench/storm/asker.h"

namespace idv::bench::storm {

// Takes one verification from its creation to its decision: eight writes, one after the other.
class Onboarding {
 public:
  Onboarding(CallLoop& loop, std::shared_ptr<grpc::Channel> channel, const Asker::Terms& terms,
             Tally& tally, const std::string& external_id);

  void Start(Clock::duration after);
  void Cancel() { asker_.Cancel(); }
  // Whether it is decided.
  bool is_through() const { return is_through_; }

 private:
  void Write();
  void OnAnswer(const grpc::ByteBuffer* message);

  const std::string external_id_;
  size_t step_ = 0;
  std::string verification_id_;
  bool is_through_ = false;
  Tally& tally_;
  Asker asker_;
};

}  // namespace idv::bench::storm
