#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include "gateway/message_reader.h"
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
class RequestedMessage {
 public:
  // Borrows all of them.
  RequestedMessage(Shard& shard, RawService::UploadReader& reader, Cancellation& cancellation)
      : shard_(shard),
        cancellation_(cancellation),
        changed_(shard.loop()),
        messages_(reader, changed_) {}

  // Reads the message into `bytes`, once. REQUEST_MALFORMED if there was none; DEADLINE_IN_QUEUE if
  // the deadline passed before its turn came, STREAM_IDLE if before the caller had sent all of it;
  // CALLER_CANCELLED.
  Task<absl::Status> Receive(grpc::ByteBuffer& bytes, TimePoint deadline);

  // As MessageReader::End().
  Task<> End() { return messages_.End(); }

 private:
  Shard& shard_;
  Cancellation& cancellation_;
  Event changed_;
  MessageReader messages_;
};

}  // namespace idv
