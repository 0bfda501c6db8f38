#include "gateway/frame_stream.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "upstream/failure.h"

namespace idv {
namespace {

// What gRPC reads ahead, and the buffers of gRPC's call and of libcurl's transfer.
constexpr size_t kBuffersBytes = size_t{128} << 10;

absl::Status BreaksProtocol(absl::string_view expectation) {
  return Fail(reason::kStreamProtocol, absl::StrCat("the stream was given up: ", expectation));
}

std::string Seconds(std::chrono::milliseconds time) {
  return absl::StrCat(static_cast<double>(time.count()) / 1000, " s");
}

}  // namespace

FrameStream::FrameStream(Shard& shard, RawService::UploadReader& reader, Cancellation& cancellation,
                         const FramesFormat& format, const Options& options)
    : shard_(shard),
      reader_(reader),
      cancellation_(cancellation),
      options_(options),
      changed_(shard.loop()),
      messages_(reader, changed_),
      writer_(format) {}

size_t FrameStream::LeastBytes(const Options& options) {
  return kBuffersBytes + (options.buffered ? options.max_stream_bytes : 0);
}

Task<absl::Status> FrameStream::Run(Order order) {
  order_ = &order;
  if (cancellation_.fired()) co_return CallerCancelled();
  const Cancellation::Listener on_cancel(cancellation_, [this] { changed_.Set(); });
  const absl::Status carried = co_await Carry();
  // Without this the upstream would wait for the rest.
  if (!carried.ok()) cancellation_.Fire();
  while (is_sending_ && !answer_) co_await changed_;
  co_return carried.ok() ? answer_.value_or(carried) : carried;
}

// OK: the upstream has all of it, or has answered before.
Task<absl::Status> FrameStream::Carry() {
  absl::Status status = co_await Receive();
  if (!status.ok()) co_return status;
  status = Begin();
  if (!status.ok()) co_return status;
  if (!options_.buffered) Send();

  bool is_marked = false;
  for (;;) {
    status = co_await Receive();
    if (!status.ok() || answer_ || has_ended_) break;
    if (is_marked) co_return BreaksProtocol("nothing may follow the end mark");
    is_marked = message_.has_end();
    status = is_marked ? CheckEndMark() : AddFrame();
    if (!status.ok()) co_return status;
    if (is_marked || options_.buffered) continue;

    order_->ticket.SetUploadBytes(LeastBytes(options_) + held_bytes_);
    body_->Add(std::exchange(part_, {}));
    status = co_await AwaitTaken();
    if (!status.ok() || answer_) break;
    held_.clear();
    held_bytes_ = 0;
    order_->ticket.SetUploadBytes(LeastBytes(options_));
  }
  if (!status.ok() || answer_) co_return status;

  if (writer_.frames() == 0) co_return BreaksProtocol("it needs at least one frame");
  writer_.End(part_);
  if (options_.buffered) {
    Send();
  } else {
    body_->Add(std::exchange(part_, {}));
    body_->End();
  }
  co_return absl::OkStatus();
}

// Reads the next message, or finds that none will come, unless the upstream answers first.
Task<absl::Status> FrameStream::Receive() {
  bool is_late = false;
  Timer patience(shard_.loop().timers(), [&] {
    is_late = true;
    changed_.Set();
  });
  const TimePoint now = Clock::now();
  patience.Set(std::min(now + options_.idle, order_->deadline));
  messages_.Start(bytes_);
  while (messages_.is_reading() && !is_late && !is_over()) co_await changed_;

  if (cancellation_.fired()) co_return CallerCancelled();
  // The deadline is the upstream's transfer's too, but it is the caller who was awaited.
  if (is_late || (answer_ && Clock::now() >= order_->deadline)) {
    co_return Fail(reason::kStreamIdle,
                   now + options_.idle < order_->deadline
                       ? absl::StrCat("no message came for ", Seconds(options_.idle))
                       : "the deadline passed while the next message was awaited");
  }
  if (answer_) co_return absl::OkStatus();
  if (messages_.has_message()) co_return Parse();
  has_ended_ = co_await HasCallerFinished();
  co_return has_ended_ ? absl::OkStatus() : CallerCancelled();
}

// Whether a message did not come because the caller has closed its side of the call, and not
// because it has given up or is gone; gRPC may tell the latter a little later than that no message
// came. A call that has ended for whatever reason takes no headers any more.
Task<bool> FrameStream::HasCallerFinished() {
  reader_.SendInitialMetadata(headers_sent_.tag());
  const bool are_sent = co_await headers_sent_;
  co_return are_sent && !cancellation_.fired();
}

absl::Status FrameStream::Parse() {
  ++received_.messages;
  received_.bytes += bytes_.Length();
  const size_t max_bytes = options_.max_message_bytes + options_.max_frame_bytes;
  if (bytes_.Length() > max_bytes) {
    return Fail(reason::kMessageTooLarge,
                absl::StrCat("a message has ", bytes_.Length(), " bytes; at most ", max_bytes,
                             " are taken"));
  }
  message_.Clear();
  const size_t bytes = bytes_.Length();
  if (!held_.emplace_back().Parse(bytes_, order_->route.image_types(), message_)) {
    return Fail(reason::kRequestMalformed,
                absl::StrCat("a message is no ", Message::descriptor()->full_name(),
                             ", or a text in it is no UTF-8"));
  }
  if (message_.has_frame()) {
    held_bytes_ += bytes;
  } else {
    held_.pop_back();
  }
  return absl::OkStatus();
}

absl::Status FrameStream::Begin() {
  if (has_ended_) return Fail(reason::kRequestMalformed, "the call ended without a message");
  if (!message_.has_header()) return BreaksProtocol("the first message must be the header");
  absl::StatusOr<RestRequest> request = order_->route.Encode(message_);
  if (!request.ok()) return request.status();
  request_ = *std::move(request);
  if (order_->propagation != nullptr) span_id_ = order_->propagation->AddTo(request_);
  target_ = request_.target;
  return writer_.Begin(message_.header(), part_);
}

absl::Status FrameStream::CheckEndMark() const {
  const int expected = message_.end().frame_count();
  if (expected == writer_.frames()) return absl::OkStatus();
  return Fail(reason::kFrameCountMismatch,
              absl::StrCat("the end mark speaks of ", expected, " frames, but ", writer_.frames(),
                           " came; nothing was submitted"));
}

absl::Status FrameStream::AddFrame() {
  if (!message_.has_frame()) {
    return BreaksProtocol(message_.has_header() ? "only the first message may be a header"
                                                : "every message has a header, a frame or an end");
  }
  const Images& images = held_.back().images();
  const kora::idv::v1::LivenessFrame& frame = message_.frame();
  if (images.largest() > options_.max_frame_bytes) {
    return Fail(reason::kFrameTooLarge,
                absl::StrCat("a frame has ", images.largest(), " bytes; at most ",
                             options_.max_frame_bytes, " are taken"));
  }
  if (writer_.frames() >= options_.max_frames) {
    return Fail(reason::kTooManyFrames,
                absl::StrCat("a stream has at most ", options_.max_frames, " frames"));
  }
  std::vector<absl::string_view> image;
  if (!frame.image().empty()) image = images.Of(frame.image());
  if (absl::Status added = writer_.Add(frame, std::move(image), part_); !added.ok()) return added;
  if (writer_.size() > options_.max_stream_bytes) {
    return Fail(reason::kStreamTooLarge,
                absl::StrCat("all frames together are over ", options_.max_stream_bytes,
                             " bytes of JSON, in base64"));
  }
  if (order_->on_frame) order_->on_frame(images.largest());
  return absl::OkStatus();
}

// Until all that was given to the body has gone, or the upstream has answered.
Task<absl::Status> FrameStream::AwaitTaken() {
  bool is_stalled = false;
  Timer patience(shard_.loop().timers(), [&] {
    const TimePoint end = body_->last_moved() + options_.upstream_stall;
    is_stalled = end <= Clock::now();
    is_stalled ? changed_.Set() : patience.Set(end);
  });
  patience.Set(body_->last_moved() + options_.upstream_stall);
  while (!body_->is_taken() && !is_stalled && !is_over()) co_await changed_;

  if (cancellation_.fired()) co_return CallerCancelled();
  if (answer_ || body_->is_taken()) co_return absl::OkStatus();
  co_return Fail(reason::kUpstreamTimeout,
                 absl::StrCat("the upstream took nothing of the frames for ",
                              Seconds(options_.upstream_stall)));
}

void FrameStream::Send() {
  if (options_.buffered) {
    request_.body = std::make_shared<JsonBody>(std::exchange(part_, {}));
  } else {
    body_ = std::make_shared<StreamedBody>([this] { changed_.Set(); });
    request_.body = body_;
  }
  is_sending_ = true;
  Spawn(Transfer());
}

Task<> FrameStream::Transfer() {
  absl::Status answer =
      co_await shard_.upstream().Call(order_->route, std::move(request_), order_->sender,
                                      order_->deadline, cancellation_, order_->out, order_->report);
  order_->report.stretches.back().span_id = span_id_;
  answer_ = std::move(answer);
  changed_.Set();
}

}  // namespace idv
