#pragma once

#include <memory>
#include <string>

#include "tests/bench/storm/asker.h"

namespace idv::bench::storm {

// Asks for one verification over and over, a second after each answer, and every fifth time for the
// document types.
class Poller {
 public:
  // `place` among the pollers: it starts their circles at different points.
  Poller(CallLoop& loop, std::shared_ptr<grpc::Channel> channel, const Asker::Terms& terms,
         Tally& tally, const std::string& verification_id, size_t place);

  void Start(Clock::duration after);
  void Cancel() { asker_.Cancel(); }

 private:
  void Poll();
  void OnAnswer(const grpc::ByteBuffer* message);

  const std::string verification_id_;
  const Request verification_request_;
  const Request types_request_;
  size_t round_;
  Tally& tally_;
  Asker asker_;
};

}  // namespace idv::bench::storm
