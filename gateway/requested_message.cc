#include "gateway/requested_message.h"

#include "gateway/reading_turns.h"
#include "upstream/failure.h"

namespace idv {

Task<absl::Status> RequestedMessage::Receive(grpc::ByteBuffer& bytes, TimePoint deadline) {
  const auto cancelled = [] { return Fail(reason::kCallerCancelled, "the caller cancelled"); };
  if (cancellation_.fired()) co_return cancelled();
  const Cancellation::Listener on_cancel(cancellation_, [this] { changed_.Set(); });
  bool is_late = false;
  Timer on_deadline(shard_.loop().timers(), [&] {
    is_late = true;
    changed_.Set();
  });
  on_deadline.Set(deadline);
  const ReadingTurns::Turn turn(shard_.reading_turns(), [this] { changed_.Set(); });

  while (!turn.has_begun() && !is_late && !cancellation_.fired()) co_await changed_;
  if (turn.has_begun()) {
    is_being_read_ = true;
    reader_.Read(&bytes, tag());
    while (is_being_read_ && !is_late && !cancellation_.fired()) co_await changed_;
  }

  if (cancellation_.fired()) co_return cancelled();
  if (!turn.has_begun()) {
    co_return Fail(reason::kDeadlineInQueue,
                   "the deadline passed while the messages of others were read");
  }
  if (is_being_read_) {
    co_return Fail(reason::kStreamIdle,
                   "the deadline passed before the message had arrived (20 ms of it are kept back "
                   "for the reply)");
  }
  if (!is_whole_) {
    co_return Fail(reason::kRequestMalformed, "the call ended without a message");
  }
  co_return absl::OkStatus();
}

Task<> RequestedMessage::End() {
  while (is_being_read_) co_await changed_;
}

void RequestedMessage::Complete(bool ok) {
  is_being_read_ = false;
  is_whole_ = ok;
  changed_.Set();
}

}  // namespace idv
