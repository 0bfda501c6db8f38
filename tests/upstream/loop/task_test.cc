#include "upstream/loop/task.h"

#include <coroutine>
#include <memory>
#include <string>
#include <vector>

namespace idv {
namespace {

Task<int> Answer() { co_return 42; }

Task<std::unique_ptr<int>> MoveOnly() { co_return std::make_unique<int>(7); }

// Waits until somebody resumes it.
struct Gate {
  std::coroutine_handle<> waiter;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) { waiter = handle; }
  void await_resume() const {}
};

struct Tracked {
  explicit Tracked(int& live) : live_(live) { ++live_; }
  ~Tracked() { --live_; }
  Tracked(const Tracked&) = delete;
  Tracked& operator=(const Tracked&) = delete;
  int& live_;
};

Task<> WaitAt(Gate& gate, int& live, std::vector<std::string>& said) {
  const Tracked tracked(live);
  said.emplace_back("before");
  co_await gate;
  said.emplace_back("after");
}

Task<> WaitFor(Task<> inner, std::vector<std::string>& said) {
  co_await inner;
  said.emplace_back("outer");
}

Task<int> Add(int left, int right) { co_return left + right; }

Task<int> SumTo(int last) {
  int sum = 0;
  for (int i = 1; i <= last; ++i) {
    const int next = co_await Add(sum, i);
    sum = next;
  }
  co_return sum;
}

Task<> Store(Task<int> task, int& out) {
  const int result = co_await task;
  out = result;
}

TEST(TaskTest, DoesNothingUntilItIsAwaited) {
  Gate gate;
  int live = 0;
  std::vector<std::string> said;

  const Task<> task = WaitAt(gate, live, said);

  EXPECT_TRUE(said.empty());
}

TEST(TaskTest, GivesItsResultToTheAwaiter) {
  int result = 0;

  Spawn(Store(Answer(), result));

  EXPECT_EQ(result, 42);
}

TEST(TaskTest, CarriesResultsThatCannotBeCopied) {
  int result = 0;
  const auto take = [](int& out) -> Task<> {
    const std::unique_ptr<int> value = co_await MoveOnly();
    out = *value;
  };

  Spawn(take(result));

  EXPECT_EQ(result, 7);
}

TEST(TaskTest, ResumesTheAwaiterWhenItEndsAndFreesItsFrames) {
  Gate gate;
  int live = 0;
  std::vector<std::string> said;

  Spawn(WaitFor(WaitAt(gate, live, said), said));
  const int live_while_waiting = live;
  gate.waiter.resume();

  EXPECT_EQ(live_while_waiting, 1);
  EXPECT_EQ(live, 0);
  EXPECT_THAT(said, testing::ElementsAre("before", "after", "outer"));
}

TEST(TaskTest, FreesItsFrameWhenItIsNeverAwaited) {
  Gate gate;
  int live = 0;
  std::vector<std::string> said;

  {
    const Task<> task = WaitAt(gate, live, said);
  }

  EXPECT_EQ(live, 0);
}

TEST(TaskTest, AwaitsManyReadyTasksInALoop) {
  int result = 0;

  Spawn(Store(SumTo(1000), result));

  EXPECT_EQ(result, 500500);
}

}  // namespace
}  // namespace idv
