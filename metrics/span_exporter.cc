#include "metrics/span_exporter.h"

#include <iterator>
#include <utility>

namespace idv {
namespace {

constexpr size_t kBatch = 512;
constexpr std::chrono::seconds kMaxWait{1};  // of a span for more to fill its batch
constexpr std::chrono::seconds kFlush{1};
constexpr std::chrono::minutes kBetweenReports{1};

}  // namespace

absl::StatusOr<std::unique_ptr<SpanExporter>> SpanExporter::Start(Options options) {
  auto client = OtlpClient::Make(options.collector);
  if (!client.ok()) return client.status();
  return std::unique_ptr<SpanExporter>(new SpanExporter(*std::move(client), std::move(options)));
}

SpanExporter::SpanExporter(std::unique_ptr<OtlpClient> client, Options options)
    : options_(std::move(options)), client_(std::move(client)), thread_([this] { Run(); }) {}

SpanExporter::~SpanExporter() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    end_ = std::chrono::steady_clock::now() + kFlush;
  }
  changed_.notify_one();
  thread_.join();
}

void SpanExporter::Export(std::vector<Span> spans) {
  const size_t count = spans.size();
  bool fills_batch = false;
  {
    const std::lock_guard lock(mutex_);
    if (queued_ + count > kMaxQueued) {
      dropped_ += count;
      return;
    }
    fills_batch = queued_ < kBatch && queued_ + count >= kBatch;
    queued_ += count;
    queue_.push_back(std::move(spans));
  }
  if (fills_batch) changed_.notify_one();
}

void SpanExporter::Run() {
  bool was_taken = true;
  while (MayGoOn(was_taken)) {
    const std::vector<Span> batch = NextBatch();
    was_taken = batch.empty() || Send(batch);
  }
  DropTheRest();
}

// Waits until there is a batch, or long enough; empty when nothing came.
std::vector<Span> SpanExporter::NextBatch() {
  std::deque<std::vector<Span>> taken;
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kMaxWait, [this] { return is_ending_ || queued_ >= kBatch; });
    size_t count = 0;
    while (!queue_.empty() && (count == 0 || count + queue_.front().size() <= kBatch)) {
      count += queue_.front().size();
      taken.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    queued_ -= count;
  }
  std::vector<Span> batch;
  for (std::vector<Span>& spans : taken) {
    batch.insert(batch.end(), std::make_move_iterator(spans.begin()),
                 std::make_move_iterator(spans.end()));
  }
  return batch;
}

bool SpanExporter::Send(const std::vector<Span>& batch) {
  const absl::Status sent = client_->Send(batch);
  if (!sent.ok()) Report(std::string(sent.message()));
  (sent.ok() ? exported_ : dropped_) += batch.size();
  return sent.ok();
}

bool SpanExporter::MayGoOn(bool was_taken) {
  const std::lock_guard lock(mutex_);
  if (!is_ending_) return true;
  return was_taken && !queue_.empty() && std::chrono::steady_clock::now() < end_;
}

void SpanExporter::DropTheRest() {
  const std::lock_guard lock(mutex_);
  dropped_ += queued_;
  queue_.clear();
}

void SpanExporter::Report(const std::string& problem) {
  const TimePoint now = std::chrono::steady_clock::now();
  if (now < next_report_) return;
  next_report_ = now + kBetweenReports;
  options_.on_problem(problem);
}

}  // namespace idv
