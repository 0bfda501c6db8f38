#include "gateway/requested_message.h"

#include "gateway/reading_turns.h"
#include "upstream/failure.h"

namespace idv {

Task<absl::Status> RequestedMessage::Receive(grpc::ByteBuffer& bytes, TimePoint deadline) {
  if (cancellation_.fired()) co_return CallerCancelled();
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
    messages_.Start(bytes);
    while (messages_.is_reading() && !is_late && !cancellation_.fired()) co_await changed_;
  }

  if (cancellation_.fired()) co_return CallerCancelled();
  if (!turn.has_begun()) {
    co_return Fail(reason::kDeadlineInQueue,
                   "the deadline passed while the messages of others were read");
  }
  if (messages_.is_reading()) {
    co_return Fail(reason::kStreamIdle,
                   "the deadline passed before the message had arrived (20 ms of it are kept back "
                   "for the reply)");
  }
  if (!messages_.has_message()) {
    co_return Fail(reason::kRequestMalformed, "the call ended without a message");
  }
  co_return absl::OkStatus();
}

}  // namespace idv
