#include "upstream/loop/timers.h"

#include <chrono>
#include <vector>

namespace idv {
namespace {

using std::chrono::milliseconds;

class TimersTest : public testing::Test {
 protected:
  const TimePoint start_ = Clock::now();
  Timers timers_;
  std::vector<int> fired_;
  Timer one_{timers_, [this] { fired_.push_back(1); }};
  Timer two_{timers_, [this] { fired_.push_back(2); }};
};

TEST_F(TimersTest, FiresWhatIsDueEarliestFirst) {
  one_.Set(start_ + milliseconds(20));
  two_.Set(start_ + milliseconds(10));

  const bool early = timers_.RunDue(start_ + milliseconds(9));
  const bool late = timers_.RunDue(start_ + milliseconds(20));

  EXPECT_FALSE(early);
  EXPECT_TRUE(late);
  EXPECT_THAT(fired_, testing::ElementsAre(2, 1));
}

TEST_F(TimersTest, FiresATimerOnce) {
  one_.Set(start_);

  timers_.RunDue(start_);
  timers_.RunDue(start_);

  EXPECT_THAT(fired_, testing::ElementsAre(1));
}

TEST_F(TimersTest, NamesTheNextOne) {
  EXPECT_EQ(timers_.Next(), std::nullopt);

  one_.Set(start_ + milliseconds(20));
  two_.Set(start_ + milliseconds(10));

  EXPECT_EQ(timers_.Next(), start_ + milliseconds(10));
}

TEST_F(TimersTest, ForgetsACancelledAndADestroyedTimer) {
  {
    Timer gone(timers_, [this] { fired_.push_back(3); });
    gone.Set(start_);
  }
  one_.Set(start_);
  one_.Cancel();

  EXPECT_FALSE(timers_.RunDue(start_));
  EXPECT_EQ(timers_.Next(), std::nullopt);
}

TEST_F(TimersTest, MovesATimerThatIsSetAgain) {
  one_.Set(start_);
  one_.Set(start_ + milliseconds(5));

  EXPECT_FALSE(timers_.RunDue(start_));
  EXPECT_TRUE(timers_.RunDue(start_ + milliseconds(5)));
}

TEST_F(TimersTest, EndsThoughATimerKeepsSettingItselfToThePast) {
  int count = 0;
  Timer* self = nullptr;
  Timer eager(timers_, [&] {
    ++count;
    self->Set(start_ - milliseconds(1));
  });
  self = &eager;
  eager.Set(start_);

  timers_.RunDue(start_);

  EXPECT_EQ(count, 1);
  EXPECT_EQ(timers_.Next(), start_ - milliseconds(1));
}

TEST_F(TimersTest, MayCancelATimerThatIsDueInTheSameTurn) {
  Timer killer(timers_, [this] { two_.Cancel(); });
  killer.Set(start_);
  two_.Set(start_ + milliseconds(1));

  timers_.RunDue(start_ + milliseconds(1));

  EXPECT_TRUE(fired_.empty());
}

}  // namespace
}  // namespace idv
