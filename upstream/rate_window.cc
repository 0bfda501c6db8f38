#include "upstream/rate_window.h"

#include <algorithm>

namespace idv {

namespace {

using std::chrono::seconds;

// Some compute the time of a reset anew for each answer, and round it.
constexpr seconds kRounding{2};

}  // namespace

int RateWindow::limit() const { return std::min(configured_, told_); }

void RateWindow::SetLimit(int limit) {
  const int before = this->limit();
  configured_ = limit;
  const int after = this->limit();
  if (!end_) {
    left_ = after;
  } else if (before == kNoLimit || after == kNoLimit) {
    left_ = std::min(left_, after);
  } else {
    left_ = std::clamp(left_ + after - before, 0, after);  // what was taken stays taken
  }
}

void RateWindow::Tell(int limit) {
  told_ = limit;
  left_ = end_ ? std::min(left_, this->limit()) : this->limit();
}

void RateWindow::Begin(int left, TimePoint end) {
  ++number_;
  left_ = std::clamp(left, 0, limit());
  end_ = end;
  is_confirmed_ = false;
  is_exhausted_ = false;
  is_told_ = false;
}

void RateWindow::Roll(TimePoint now, int unanswered) {
  if (!end_ || now < *end_) return;
  Begin(limit() == kNoLimit ? kNoLimit : limit() - unanswered, now + length_);
  if (unanswered == 0) end_.reset();
}

void RateWindow::Take(TimePoint now) {
  if (!end_) Begin(limit(), now + length_);
  if (left_ != kNoLimit && left_ > 0) --left_;
}

void RateWindow::GiveBack(uint64_t number) {
  if (number == number_ && left_ < limit() && !is_exhausted_) ++left_;
}

void RateWindow::Confirm(uint64_t number, TimePoint now) {
  if (number != number_ || is_confirmed_ || !end_) return;
  is_confirmed_ = true;
  end_ = now + length_;
}

void RateWindow::Correct(int remaining, int unanswered, seconds reset, std::optional<TimePoint> end,
                         TimePoint now) {
  const bool is_newer = !reset_ || reset >= *reset_ + kRounding;
  const bool is_same = !is_newer && reset > *reset_ - length_ / 2;
  // An answer may be overtaken by those of the next window.
  const bool is_of_former = is_told_ ? !is_newer && !is_same : !is_newer;
  if (is_of_former && end.value_or(now) <= now + kRounding) return;
  if (!end_ || (!is_same && is_told_)) {
    Begin(remaining - unanswered,
          end.value_or(now + length_));  // the upstream's has begun before ours
  } else {
    // More than we have counted: others spend too, and all that is unanswered may be beyond it.
    if (left_ > remaining) left_ = std::max(0, remaining - unanswered);
    end_ = std::min(*end_, end.value_or(*end_));
  }
  is_confirmed_ = true;
  is_told_ = true;
  reset_ = reset;
}

bool RateWindow::IsToldOf(seconds reset) const {
  return is_told_ && reset_ && std::chrono::abs(reset - *reset_) < kRounding;
}

void RateWindow::Exhaust(std::optional<TimePoint> until, TimePoint now) {
  if (!end_) Begin(0, now + length_);
  left_ = 0;
  is_confirmed_ = true;
  is_exhausted_ = true;
  if (until) end_ = *until;
}

TimePoint RateWindow::At(int ahead, TimePoint now) const {
  if (left_ > ahead) return now;
  const TimePoint end = end_.value_or(now + length_);
  if (limit() == kNoLimit) return end;
  return end + (ahead - left_) / std::max(1, limit()) * length_;
}

TimePoint RateWindow::PacedAt(int ahead, TimePoint now, double reserve) const {
  if (limit() == kNoLimit || left_ <= ahead) return At(ahead, now);
  // As long as left >= reserve * limit * (end - then) / length.
  const double share = (left_ - ahead) / (reserve * limit());
  const auto before_end = std::chrono::duration_cast<Clock::duration>(share * length_);
  return std::max(now, end_.value_or(now + length_) - before_end);
}

}  // namespace idv
