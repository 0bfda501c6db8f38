#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include "gateway/completion.h"
#include "gateway/raw_service.h"
#include "gateway/shard.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/event.h"
#include "upstream/loop/task.h"
#include "upstream/loop/timers.h"

namespace idv {

// The one message of a call that gRPC brings before it has read it, which it does when it is asked
// to: so large messages are read in turns, for callers that may send them, and within their
// deadlines. For the shard's thread.
class RequestedMessage final : public Completion {
 public:
  // Borrows all of them.
  RequestedMessage(Shard& shard, RawService::UploadReader& reader, Cancellation& cancellation)
      : shard_(shard), reader_(reader), cancellation_(cancellation), changed_(shard.loop()) {}

  // Reads the message into `bytes`, once. REQUEST_MALFORMED if there was none; DEADLINE_IN_QUEUE if
  // the deadline passed before its turn came, STREAM_IDLE if before the caller had sent all of it;
  // CALLER_CANCELLED.
  Task<absl::Status> Receive(grpc::ByteBuffer& bytes, TimePoint deadline);

  // Once the call is finished: awaits what gRPC still has to say of the message. Then, and not
  // before, this may be freed.
  Task<> End();

  void Complete(bool ok) override;

 private:
  Shard& shard_;
  RawService::UploadReader& reader_;
  Cancellation& cancellation_;
  Event changed_;
  bool is_being_read_ = false;
  bool is_whole_ = false;
};

}  // namespace idv
