#include "upstream/single_flight.h"

#include <algorithm>
#include <utility>

namespace idv {

SingleFlight::Boarding SingleFlight::Join(const Wish& wish, const std::shared_ptr<Joiner>& joiner) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Flight>& known = flights_[wish.key];
  const bool may_join = known != nullptr && (known->requests_ == 0 || known->writes_ == writes_);
  if (!may_join) known = std::make_shared<Flight>(wish, joiner->loop_);
  known->joiners_.push_back(joiner);
  known->deadline_ = std::max(known->deadline_.load(), wish.deadline);
  return {known, !may_join};
}

std::shared_ptr<SingleFlight::Flight> SingleFlight::Begin(const Wish& wish, Loop& loop) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Flight>& known = flights_[wish.key];
  if (known != nullptr) return nullptr;
  known = std::make_shared<Flight>(wish, loop);
  known->needs_nobody_ = true;
  return known;
}

void SingleFlight::Leave(const std::shared_ptr<Flight>& flight,
                         const std::shared_ptr<Joiner>& joiner, TimePoint now) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(flight->joiners_, joiner);
    const bool is_wanted = !flight->joiners_.empty() || flight->needs_nobody_;
    if (flight->has_landed_ || is_wanted) return;
    Forget(*flight);
    // At its deadline it ends by itself, and knows why.
    if (now >= flight->deadline_.load()) return;
  }
  if (&joiner->loop_ == &flight->loop_) {
    flight->cancellation_.Fire();
  } else {
    flight->loop_.Post([flight] { flight->cancellation_.Fire(); });
  }
}

void SingleFlight::Send(Flight& flight) {
  const std::lock_guard lock(mutex_);
  ++flight.requests_;
  flight.writes_ = writes_;
}

void SingleFlight::Land(const std::shared_ptr<Flight>& flight, Answer answer) {
  const auto shared = std::make_shared<const Answer>(std::move(answer));
  std::vector<std::shared_ptr<Joiner>> joiners;
  {
    const std::lock_guard lock(mutex_);
    Forget(*flight);
    flight->has_landed_ = true;
    joiners.swap(flight->joiners_);
  }
  for (const std::shared_ptr<Joiner>& joiner : joiners) {
    const auto tell = [joiner, shared] {
      joiner->answer_ = shared;
      joiner->changed_.Set();
    };
    if (&joiner->loop_ == &flight->loop_) {
      tell();
    } else {
      joiner->loop_.Post(tell);
    }
  }
}

void SingleFlight::Wrote() {
  const std::lock_guard lock(mutex_);
  ++writes_;
}

void SingleFlight::Forget(const Flight& flight) {
  const auto place = flights_.find(flight.key_);
  if (place != flights_.end() && place->second.get() == &flight) flights_.erase(place);
}

}  // namespace idv
