#include "upstream/single_flight.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "tests/eventually.h"
#include "tests/rounds.h"
#include "tests/upstream/loop/running_loop.h"
#include "tests/upstream/loop/simple_parker.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/task.h"
#include "upstream/loop/watcher.h"

namespace idv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Flight = std::shared_ptr<SingleFlight::Flight>;
using Joiner = std::shared_ptr<SingleFlight::Joiner>;

SingleFlight::Answer AnswerOf(std::string message) {
  return {absl::OkStatus(), std::make_shared<const std::string>(std::move(message)), 1};
}

SingleFlight::Wish WishFor(absl::string_view key, TimePoint deadline) {
  return {key, "caller", Budget::Priority::kInteractive, deadline};
}

// All calls on one loop, which is this thread's.
class SingleFlightTest : public testing::Test {
 protected:
  // A call that waits.
  struct Call {
    Joiner joiner;
    Flight flight;
    bool is_new;

    // "" before the flight has landed.
    std::string text() const {
      return joiner->answer() == nullptr ? "" : *joiner->answer()->message;
    }
  };

  Call Join(absl::string_view key, milliseconds deadline = seconds(10)) {
    auto joiner = std::make_shared<SingleFlight::Joiner>(loop_);
    const SingleFlight::Boarding boarding = flights_.Join(WishFor(key, now_ + deadline), joiner);
    return {joiner, boarding.flight, boarding.is_new};
  }
  Flight Begin(absl::string_view key) {
    return flights_.Begin(WishFor(key, now_ + seconds(10)), loop_);
  }
  void Leave(const Call& call, milliseconds after = {}) {
    flights_.Leave(call.flight, call.joiner, now_ + after);
  }
  void Send(const Call& call) { flights_.Send(*call.flight); }
  void Land(const Call& call, const std::string& text) {
    flights_.Land(call.flight, AnswerOf(text));
  }

  const TimePoint now_{hours(1000)};
  SimpleParker parker_;
  Watcher watcher_;
  Loop loop_{parker_, watcher_};
  SingleFlight flights_;
};

TEST_F(SingleFlightTest, JoinsWhatIsUnderWay) {
  const Call first = Join("key");
  const Call second = Join("key");
  Send(first);
  const Call third = Join("key");
  const Call other = Join("other key");

  EXPECT_TRUE(first.is_new);
  EXPECT_FALSE(second.is_new);
  EXPECT_EQ(second.flight, first.flight);
  EXPECT_FALSE(third.is_new);
  EXPECT_EQ(third.flight, first.flight);
  EXPECT_TRUE(other.is_new);
  EXPECT_NE(other.flight, first.flight);
}

TEST_F(SingleFlightTest, AllThatHaveJoinedShareTheAnswer) {
  const Call first = Join("key");
  const Call second = Join("key");
  const Call other = Join("other key");
  EXPECT_EQ(first.joiner->answer(), nullptr);

  Land(first, "answer");

  EXPECT_EQ(first.text(), "answer");
  EXPECT_EQ(second.joiner->answer(), first.joiner->answer());
  EXPECT_TRUE(first.joiner->changed().await_ready());
  EXPECT_TRUE(second.joiner->changed().await_ready());
  EXPECT_EQ(other.joiner->answer(), nullptr);
  EXPECT_FALSE(other.joiner->changed().await_ready());
}

TEST_F(SingleFlightTest, AFailureIsSharedToo) {
  const Call first = Join("key");
  const Call second = Join("key");

  flights_.Land(first.flight, {absl::NotFoundError("there is none"), nullptr, 3});

  ASSERT_NE(second.joiner->answer(), nullptr);
  EXPECT_TRUE(absl::IsNotFound(second.joiner->answer()->status));
  EXPECT_EQ(second.joiner->answer()->attempts, 3);
}

TEST_F(SingleFlightTest, NobodyJoinsWhatIsOver) {
  const Call first = Join("key");
  Land(first, "first");

  const Call second = Join("key");

  EXPECT_TRUE(second.is_new);
  EXPECT_EQ(second.text(), "");
  Land(second, "second");
  EXPECT_EQ(second.text(), "second");
  EXPECT_EQ(first.text(), "first");
}

TEST_F(SingleFlightTest, OneThatLeavesDoesNotEndItForOthers) {
  const Call first = Join("key");
  const Call second = Join("key");

  Leave(first);

  EXPECT_FALSE(first.flight->cancellation().fired());
  EXPECT_FALSE(Join("key").is_new);
  Land(first, "answer");
  EXPECT_EQ(second.text(), "answer");
  EXPECT_EQ(first.joiner->answer(), nullptr);
}

TEST_F(SingleFlightTest, TheLastOneThatLeavesEndsIt) {
  const Call first = Join("key");
  const Call second = Join("key");

  Leave(first);
  Leave(second);

  EXPECT_TRUE(first.flight->cancellation().fired());
  const Call third = Join("key");
  EXPECT_TRUE(third.is_new);

  // It lands all the same.
  Land(first, "cancelled");
  EXPECT_EQ(third.text(), "");
  EXPECT_FALSE(Join("key").is_new) << "of the third call's";
}

TEST_F(SingleFlightTest, LastsAsLongAsTheLatestDeadline) {
  const Call first = Join("key", seconds(2));
  EXPECT_EQ(first.flight->deadline().load(), now_ + seconds(2));

  Join("key", seconds(5));
  Join("key", seconds(3));

  EXPECT_EQ(first.flight->deadline().load(), now_ + seconds(5));
}

TEST_F(SingleFlightTest, TheLastOneThatLeavesAtItsDeadlineLetsItEndByItself) {
  const Call first = Join("key", seconds(2));
  const Call second = Join("key", seconds(5));
  Leave(first, seconds(2));
  EXPECT_FALSE(first.flight->cancellation().fired());

  Leave(second, seconds(5));

  EXPECT_FALSE(first.flight->cancellation().fired());
  EXPECT_TRUE(Join("key").is_new) << "nobody joins what ends";
}

TEST_F(SingleFlightTest, TheLastOneThatLeavesBeforeAnothersDeadlineEndsIt) {
  const Call first = Join("key", seconds(2));
  const Call second = Join("key", seconds(5));
  Leave(second, seconds(1));
  EXPECT_FALSE(first.flight->cancellation().fired());

  Leave(first, seconds(2));

  EXPECT_TRUE(first.flight->cancellation().fired());
}

TEST_F(SingleFlightTest, OneThatLeavesLateChangesNothing) {
  const Call first = Join("key");
  Land(first, "first");
  const Call second = Join("key");

  Leave(first);

  EXPECT_FALSE(first.flight->cancellation().fired());
  EXPECT_FALSE(Join("key").is_new);
  EXPECT_FALSE(second.flight->cancellation().fired());
}

TEST_F(SingleFlightTest, DoesNotJoinWhatWasSentBeforeAWrite) {
  const Call before = Join("key");
  Send(before);
  flights_.Wrote();

  const Call after = Join("key");

  EXPECT_TRUE(after.is_new);
  EXPECT_NE(after.flight, before.flight);
  Land(before, "old");
  EXPECT_EQ(before.text(), "old");
  EXPECT_EQ(after.text(), "");
  EXPECT_EQ(Join("key").flight, after.flight);
  Land(after, "new");
  EXPECT_EQ(after.text(), "new");
}

TEST_F(SingleFlightTest, JoinsWhatIsSentAfterAWrite) {
  const Call before = Join("key");
  flights_.Wrote();
  EXPECT_FALSE(Join("key").is_new) << "not sent yet";

  Send(before);

  EXPECT_FALSE(Join("key").is_new) << "sent after it";
  flights_.Wrote();
  Send(before);
  EXPECT_FALSE(Join("key").is_new) << "sent again";
  EXPECT_EQ(before.flight->requests(), 2);
}

TEST_F(SingleFlightTest, ThoseThatHaveLeftAnOldOneDoNotEndTheNewOne) {
  const Call before = Join("key");
  Send(before);
  flights_.Wrote();
  const Call after = Join("key");

  Leave(before);

  EXPECT_TRUE(before.flight->cancellation().fired());
  EXPECT_FALSE(after.flight->cancellation().fired());
  EXPECT_EQ(Join("key").flight, after.flight);
}

TEST_F(SingleFlightTest, MayBeForNobody) {
  const Flight flight = Begin("key");
  ASSERT_NE(flight, nullptr);
  EXPECT_EQ(Begin("key"), nullptr);

  flights_.Land(flight, AnswerOf("answer"));

  EXPECT_NE(Begin("key"), nullptr);
}

TEST_F(SingleFlightTest, OneForNobodyMayBeJoinedAndGoesOnWhenAllHaveLeft) {
  const Flight flight = Begin("key");
  const Call call = Join("key", seconds(60));
  EXPECT_EQ(call.flight, flight);
  EXPECT_FALSE(call.is_new);
  EXPECT_EQ(flight->deadline().load(), now_ + seconds(60));

  Leave(call);

  EXPECT_FALSE(flight->cancellation().fired());
  const Call second = Join("key");
  EXPECT_EQ(second.flight, flight);
  flights_.Land(flight, AnswerOf("answer"));
  EXPECT_EQ(second.text(), "answer");
}

TEST_F(SingleFlightTest, NoneIsBegunForNobodyWhileThereIsOne) {
  const Call call = Join("key");
  EXPECT_EQ(Begin("key"), nullptr);

  Leave(call);

  EXPECT_NE(Begin("key"), nullptr);
}

// Calls on two loops.

Task<> AwaitAnswer(Joiner joiner, std::promise<std::thread::id> done) {
  Event& changed = joiner->changed();
  while (joiner->answer() == nullptr) co_await changed;
  done.set_value(std::this_thread::get_id());
}

class SingleFlightOnTwoLoopsTest : public testing::Test {
 protected:
  // A call on that loop, which tells on which thread it went on.
  std::future<std::thread::id> Await(RunningLoop& running, const Joiner& joiner) {
    std::promise<std::thread::id> done;
    std::future<std::thread::id> future = done.get_future();
    running.Do([&] { Spawn(AwaitAnswer(joiner, std::move(done))); });
    return future;
  }

  const TimePoint deadline_ = Clock::now() + hours(1);
  SingleFlight flights_;
  RunningLoop one_;
  RunningLoop other_;
  const Joiner first_ = std::make_shared<SingleFlight::Joiner>(one_.loop());
  const Joiner second_ = std::make_shared<SingleFlight::Joiner>(other_.loop());
};

TEST_F(SingleFlightOnTwoLoopsTest, EachCallGoesOnOnItsOwn) {
  const Flight flight =
      one_.Do([&] { return flights_.Join(WishFor("key", deadline_), first_).flight; });
  const bool is_new =
      other_.Do([&] { return flights_.Join(WishFor("key", deadline_), second_).is_new; });
  EXPECT_FALSE(is_new);
  std::future<std::thread::id> first = Await(one_, first_);
  std::future<std::thread::id> second = Await(other_, second_);

  one_.Do([&] { flights_.Land(flight, AnswerOf("answer")); });

  EXPECT_EQ(first.get(), one_.thread().get_id());
  EXPECT_EQ(second.get(), other_.thread().get_id());
  EXPECT_EQ(*second_->answer()->message, "answer");
}

TEST_F(SingleFlightOnTwoLoopsTest, IsCancelledOnItsOwnByACallOnAnother) {
  const Flight flight =
      one_.Do([&] { return flights_.Join(WishFor("key", deadline_), first_).flight; });
  other_.Do([&] { flights_.Join(WishFor("key", deadline_), second_); });
  std::promise<std::thread::id> fired;
  std::optional<Cancellation::Listener> listener;
  one_.Do([&] {
    listener.emplace(flight->cancellation(), [&] { fired.set_value(std::this_thread::get_id()); });
    flights_.Leave(flight, first_, Clock::now());
  });

  other_.Do([&] { flights_.Leave(flight, second_, Clock::now()); });

  EXPECT_EQ(fired.get_future().get(), one_.thread().get_id());
  one_.Do([&] { listener.reset(); });
}

TEST_F(SingleFlightOnTwoLoopsTest, LandsAlsoForCallsOfALoopThatHasEnded) {
  const Flight flight =
      one_.Do([&] { return flights_.Join(WishFor("key", deadline_), first_).flight; });
  other_.Do([&] { flights_.Join(WishFor("key", deadline_), second_); });
  other_.Stop();

  one_.Do([&] { flights_.Land(flight, AnswerOf("answer")); });

  EXPECT_EQ(*one_.Do([&] { return first_->answer(); })->message, "answer");
  EXPECT_EQ(second_->answer(), nullptr);
}

TEST_F(SingleFlightOnTwoLoopsTest, MayBeLeftWhenItsLoopHasEnded) {
  const Flight flight =
      one_.Do([&] { return flights_.Join(WishFor("key", deadline_), first_).flight; });
  other_.Do([&] { flights_.Join(WishFor("key", deadline_), second_); });
  one_.Do([&] { flights_.Leave(flight, first_, Clock::now()); });
  one_.Stop();

  other_.Do([&] { flights_.Leave(flight, second_, Clock::now()); });

  EXPECT_TRUE(other_.Do([&] { return flights_.Join(WishFor("key", deadline_), second_).is_new; }));
}

// Goes on in another turn of the loop.
Task<> NextTurn(Loop& loop) {
  Event changed(loop);
  loop.Post([&changed] { changed.Set(); });
  co_await changed;
}

// Calls that come, are answered, leave and write on two loops, as they do when a gateway is busy.
class Traffic {
 public:
  // So many calls, by a few callers on each loop that make one after the other.
  void Run(int calls) {
    constexpr int kCallers = 4;
    for (RunningLoop* const running : {&one_, &other_}) {
      for (int i = 0; i < kCallers; ++i) {
        ++busy_;
        const unsigned seed = busy_;
        Loop& loop = running->loop();
        loop.Post(
            [this, &loop, seed, calls] { Spawn(MakeCalls(loop, seed, calls / kCallers / 2)); });
      }
    }
    EXPECT_TRUE(Eventually([this] { return busy_ == 0; }));
  }

  int joined() const { return joined_; }
  int answered() const { return answered_; }
  int cancelled() const { return cancelled_; }

 private:
  using Random = std::minstd_rand;
  static int UpTo(int most, Random& random) {
    return std::uniform_int_distribution<int>(0, most)(random);
  }

  Task<> MakeCalls(Loop& loop, unsigned seed, int calls) {
    Random random(seed);
    for (int i = 0; i < calls; ++i) {
      Task<> turn = NextTurn(loop);
      co_await turn;
      if (UpTo(5, random) == 0) {
        Write();
        continue;
      }
      Task<> calling = Call(loop, random);
      co_await calling;
    }
    --busy_;
  }

  void Write() {
    ++writes_begun_;
    flights_.Wrote();
    ++writes_ended_;
  }

  Task<> Call(Loop& loop, Random& random) {
    const std::string key = absl::StrCat("key", UpTo(2, random));
    const int writes = writes_ended_;
    const auto joiner = std::make_shared<SingleFlight::Joiner>(loop);
    const TimePoint deadline = Clock::now() + hours(1);
    const SingleFlight::Boarding boarding = flights_.Join(WishFor(key, deadline), joiner);
    if (boarding.is_new) {
      ++busy_;
      Spawn(Fly(loop, key, boarding.flight, UpTo(3, random), UpTo(6, random)));
    } else {
      ++joined_;
    }
    const bool is_patient = UpTo(1, random) == 0;
    for (int i = UpTo(8, random); i > 0 && !is_patient && joiner->answer() == nullptr; --i) {
      Task<> turn = NextTurn(loop);
      co_await turn;
    }
    Event& changed = joiner->changed();
    while (is_patient && joiner->answer() == nullptr) co_await changed;
    if (const auto answer = joiner->answer()) {
      Check(*answer, key, writes);
    } else {
      flights_.Leave(boarding.flight, joiner, Clock::now());
    }
  }

  void Check(const SingleFlight::Answer& answer, const std::string& key, int writes) {
    ++answered_;
    ASSERT_NE(answer.message, nullptr) << "cancelled while somebody waited";
    EXPECT_TRUE(absl::StartsWith(*answer.message, key)) << *answer.message;
    EXPECT_GE(answer.attempts, writes) << "an answer from before a write";
  }

  // Its answer says how many writes there were when it was sent.
  Task<> Fly(Loop& loop, std::string key, Flight flight, int turns_before, int turns_after) {
    for (int i = 0; i < turns_before; ++i) {
      Task<> turn = NextTurn(loop);
      co_await turn;
    }
    flights_.Send(*flight);
    const int writes = writes_begun_;
    for (int i = 0; i < turns_after && !flight->cancellation().fired(); ++i) {
      Task<> turn = NextTurn(loop);
      co_await turn;
    }
    const bool is_cancelled = flight->cancellation().fired();
    if (is_cancelled) ++cancelled_;
    SingleFlight::Answer answer = AnswerOf(key);
    answer.attempts = writes;
    if (is_cancelled) answer.message = nullptr;
    flights_.Land(flight, std::move(answer));
    --busy_;
  }

  SingleFlight flights_;
  std::atomic<int> writes_begun_ = 0;
  std::atomic<int> writes_ended_ = 0;
  std::atomic<unsigned> busy_ = 0;
  std::atomic<int> joined_ = 0;
  std::atomic<int> answered_ = 0;
  std::atomic<int> cancelled_ = 0;
  RunningLoop one_;
  RunningLoop other_;
};

TEST(SingleFlightRaceTest, EachCallGetsAnAnswerThatIsNewEnough) {
  Traffic traffic;

  traffic.Run(Rounds(20'000, 1'000'000));

  EXPECT_GT(traffic.joined(), 0);
  EXPECT_GT(traffic.answered(), 0);
  EXPECT_GT(traffic.cancelled(), 0);
}

}  // namespace
}  // namespace idv
