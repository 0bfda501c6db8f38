#include "gateway/pulse.h"

#include <algorithm>
#include <utility>

namespace idv {
namespace {

constexpr std::chrono::seconds kInterval{1};

}  // namespace

Pulse::Pulse(const std::vector<Loop*>& loops, std::function<void()> on_tick)
    : loops_(loops), on_tick_(std::move(on_tick)) {
  for (size_t i = 0; i < loops_.size(); ++i) {
    hearts_.push_back(std::make_shared<Heart>());
    hearts_.back()->last.answered_at = std::chrono::system_clock::now();
  }
  thread_ = std::thread([this] { Run(); });
}

Pulse::~Pulse() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Pulse::Run() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    for (size_t i = 0; i < loops_.size(); ++i) Ask(*loops_[i], hearts_[i]);
    on_tick_();
    lock.lock();
    changed_.wait_for(lock, kInterval, [&] { return is_stopping_; });
  }
}

void Pulse::Ask(Loop& loop, const std::shared_ptr<Heart>& heart) {
  const TimePoint now = Clock::now();
  {
    const std::lock_guard lock(heart->mutex);
    if (heart->is_asked) return;
    heart->is_asked = true;
    heart->asked_at = now;
  }
  loop.Post([heart, now] {
    const std::lock_guard lock(heart->mutex);
    heart->is_asked = false;
    heart->last = {std::chrono::system_clock::now(), Clock::now() - now};
  });
}

std::vector<Pulse::Beat> Pulse::beats() const {
  std::vector<Beat> beats;
  beats.reserve(hearts_.size());
  for (const auto& heart : hearts_) {
    const std::lock_guard lock(heart->mutex);
    Beat& beat = beats.emplace_back(heart->last);
    if (!heart->is_asked) continue;
    beat.lag = std::max<std::chrono::nanoseconds>(beat.lag, Clock::now() - heart->asked_at);
  }
  return beats;
}

}  // namespace idv
