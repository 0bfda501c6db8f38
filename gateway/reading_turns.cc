#include "gateway/reading_turns.h"

#include <utility>

namespace idv {

ReadingTurns::Turn::Turn(ReadingTurns& turns, std::function<void()> on_begin)
    : turns_(turns),
      on_begin_(std::move(on_begin)),
      timer_(turns.timers_, [this] { StopCounting(); }),
      place_(turns.waiting_.insert(turns.waiting_.end(), this)) {
  turns_.BeginNext();
}

ReadingTurns::Turn::~Turn() {
  if (place_) turns_.waiting_.erase(*place_);
  StopCounting();
}

void ReadingTurns::Turn::Begin() {
  turns_.waiting_.pop_front();
  place_.reset();
  ++turns_.counted_;
  counts_ = true;
  timer_.Set(Clock::now() + kTurn);
  on_begin_();
}

void ReadingTurns::Turn::StopCounting() {
  if (!std::exchange(counts_, false)) return;
  --turns_.counted_;
  turns_.BeginNext();
}

void ReadingTurns::BeginNext() {
  while (counted_ < kAtOnce && !waiting_.empty()) waiting_.front()->Begin();
}

}  // namespace idv
