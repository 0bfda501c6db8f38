#include "gateway/reading_turns.h"

#include <deque>
#include <memory>
#include <vector>

namespace idv {
namespace {

using std::chrono::milliseconds;

constexpr int kAtOnce = static_cast<int>(ReadingTurns::kAtOnce);

class ReadingTurnsTest : public testing::Test {
 protected:
  using Turn = ReadingTurns::Turn;

  // The next turn; what it is comes into begun_ when it begins.
  void Ask(int count = 1) {
    for (int i = 0; i < count; ++i) {
      const int name = asked_++;
      asking_.push_back(std::make_unique<Turn>(turns_, [this, name] { begun_.push_back(name); }));
    }
  }

  void End(int name) { asking_[static_cast<size_t>(name)].reset(); }

  Timers timers_;
  ReadingTurns turns_{timers_};
  std::vector<int> begun_;
  int asked_ = 0;
  std::deque<std::unique_ptr<Turn>> asking_;
};

TEST_F(ReadingTurnsTest, BeginAtOnceWhileTheyAreFew) {
  Ask(kAtOnce);

  EXPECT_EQ(begun_.size(), kAtOnce);
  EXPECT_TRUE(asking_.back()->has_begun());
}

TEST_F(ReadingTurnsTest, BeginInTheirOrderAsOthersEnd) {
  Ask(kAtOnce + 3);
  begun_.clear();

  End(3);
  End(0);

  EXPECT_THAT(begun_, testing::ElementsAre(kAtOnce, kAtOnce + 1));
  EXPECT_FALSE(asking_.back()->has_begun());
}

TEST_F(ReadingTurnsTest, PassOverWhoHasLeft) {
  Ask(kAtOnce + 2);
  begun_.clear();

  End(kAtOnce);
  End(1);

  EXPECT_THAT(begun_, testing::ElementsAre(kAtOnce + 1));
}

TEST_F(ReadingTurnsTest, WaitForNobodyWhoTakesTooLong) {
  Ask(kAtOnce + 1);
  begun_.clear();
  const TimePoint now = Clock::now();

  timers_.RunDue(now + ReadingTurns::kTurn / 2);
  EXPECT_THAT(begun_, testing::IsEmpty());
  timers_.RunDue(now + ReadingTurns::kTurn);

  EXPECT_THAT(begun_, testing::ElementsAre(kAtOnce));
  EXPECT_TRUE(asking_.front()->has_begun());
}

TEST_F(ReadingTurnsTest, CountNobodyTwice) {
  Ask(kAtOnce);
  timers_.RunDue(Clock::now() + ReadingTurns::kTurn);  // none of them counts any more
  for (int name = 0; name < kAtOnce; ++name) End(name);
  begun_.clear();

  Ask(kAtOnce + 1);

  EXPECT_EQ(begun_.size(), kAtOnce);
}

}  // namespace
}  // namespace idv
