#pragma once

#include <grpcpp/grpcpp.h>

#include "gateway/completion.h"
#include "gateway/raw_service.h"
#include "upstream/loop/event.h"
#include "upstream/loop/task.h"

namespace idv {

// Reads the messages that a caller sends, one at a time and only when asked to. For the shard's
// thread.
class MessageReader final : public Completion {
 public:
  // Borrows both; sets the event when a message has come, or when it is known that none will.
  MessageReader(RawService::UploadReader& reader, Event& changed)
      : reader_(reader), changed_(changed) {}

  // Begins to read the next message into `bytes`, which must be empty; none may be under way.
  void Start(grpc::ByteBuffer& bytes) {
    is_reading_ = true;
    reader_.Read(&bytes, tag());
  }

  bool is_reading() const { return is_reading_; }
  // Whether the last one that was asked for has come; if not, the caller has ended or given up.
  bool has_message() const { return has_message_; }

  // Once the call is finished: awaits what gRPC still has to say of a message. Then, and not
  // before, this may be freed. Nobody else may await the event meanwhile.
  Task<> End() { return AwaitEnd(is_reading_, changed_); }

  void Complete(bool ok) override {
    is_reading_ = false;
    has_message_ = ok;
    changed_.Set();
  }

 private:
  // No member: in one of this class, which has virtual functions, g++ 12 with UBSan loses `this`
  // over the second co_await.
  static Task<> AwaitEnd(const bool& is_reading, Event& changed) {
    while (is_reading) co_await changed;
  }

  RawService::UploadReader& reader_;
  Event& changed_;
  bool is_reading_ = false;
  bool has_message_ = false;
};

}  // namespace idv
