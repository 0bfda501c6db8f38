#include "auth/refresher.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include "tests/eventually.h"

namespace idv {
namespace {

using std::chrono::milliseconds;
using Which = Refresher::Wait::For;

TEST(RefresherTest, DoesAJobAgainWhenItIsAskedFor) {
  Refresher refresher({});
  std::atomic<int> done = 0;
  const auto job = refresher.Add([&] { ++done; });
  std::promise<int> told;
  const Refresher::Wait wait(refresher, job, Which::kNext, [&] { told.set_value(done); });

  EXPECT_EQ(told.get_future().get(), 1);
}

TEST(RefresherTest, DoesItOnceForAllWhoAskMeanwhileAndNotTooOften) {
  constexpr milliseconds kInterval{200};
  Refresher refresher({.least_interval = kInterval});
  std::promise<void> may_end;
  std::shared_future<void> ending = may_end.get_future().share();
  std::atomic<int> begun = 0;
  const auto job = refresher.Add([&] {
    ++begun;
    ending.wait();
  });
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<int> told = 0;
  const auto tell = [&] { ++told; };
  const Refresher::Wait first(refresher, job, Which::kNext, tell);
  ASSERT_TRUE(Eventually([&] { return begun == 1; }));
  EXPECT_TRUE(refresher.IsNear(*job));
  // The one that runs may have looked already.
  const Refresher::Wait second(refresher, job, Which::kNext, tell);
  const Refresher::Wait third(refresher, job, Which::kNext, tell);
  const Refresher::Wait fourth(refresher, job, Which::kRunning, tell);

  may_end.set_value();

  EXPECT_TRUE(Eventually([&] { return told == 4; }));
  EXPECT_EQ(begun, 2);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, kInterval);
  EXPECT_FALSE(refresher.IsNear(*job));
}

TEST(RefresherTest, DoesAJobFromTimeToTimeWhileSomebodyHoldsIt) {
  Refresher refresher({.poll = milliseconds(20)});
  std::atomic<int> done = 0;
  auto job = refresher.Add([&] { ++done; });
  EXPECT_TRUE(Eventually([&] { return done >= 3; }));

  job.reset();

  std::this_thread::sleep_for(milliseconds(50));
  const int then = done;
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(done, then);
}

TEST(RefresherTest, WhoHasGoneIsNotTold) {
  Refresher refresher({});
  std::promise<void> may_end;
  std::atomic<bool> has_begun = false;
  std::atomic<bool> has_ended = false;
  const auto job = refresher.Add([&, ending = may_end.get_future().share()] {
    has_begun = true;
    ending.wait();
    has_ended = true;
  });
  bool told = false;
  {
    const Refresher::Wait wait(refresher, job, Which::kNext, [&] { told = true; });
    ASSERT_TRUE(Eventually([&] { return has_begun.load(); }));
  }
  may_end.set_value();
  ASSERT_TRUE(Eventually([&] { return has_ended.load(); }));
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace idv
