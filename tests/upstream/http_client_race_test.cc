#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/eventually.h"
#include "tests/meeting.h"
#include "tests/rounds.h"
#include "tests/upstream/client_on_loop.h"
#include "tests/upstream/manual_server.h"
#include "upstream/http_client.h"

// Answers, cancellations, deadlines and hang-ups that come for one request at the same moment: in
// whatever order, it ends once, and nothing of it is left.
namespace idv {
namespace {

using absl::StatusCode;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

using Exchange = ManualServer::Exchange;
using HandOver = ManualServer::HandOver;
using Result = ClientOnLoop::Result;

constexpr microseconds kSpread{200};

// One thing that happens to a request, some time after it has reached the server.
struct Event {
  nanoseconds delay;
  std::function<void(Exchange&)> happen;
};

class HttpClientRaceTest : public testing::Test {
 protected:
  explicit HttpClientRaceTest(HandOver hand_over = HandOver::kWhole)
      : server_(hand_over), client_(std::in_place) {}

  // No connection but kept ones is left, the client works, and then none is left.
  ~HttpClientRaceTest() override {
    while (server_.Next("", milliseconds(0)) != nullptr) {
    }
    EXPECT_TRUE(Eventually([this] { return server_.open() <= at_once_; })) << server_.open();
    Cancellation cancel;
    auto last = client_->Start(Post(server_.url() + "/last", "{}"), seconds(60), cancel);
    auto exchange = server_.Next("/last", seconds(20));
    if (exchange != nullptr) exchange->Answer(ManualServer::Http(200, "{}"));
    exchange.reset();
    EXPECT_TRUE(last.get().ok());
    client_.reset();
    EXPECT_TRUE(Eventually([this] { return server_.open() == 0; })) << server_.open();
  }

  // One request with its own target, and what happens to it.
  StatusCode Run(HttpRequest request, nanoseconds timeout, Cancellation& cancel,
                 std::vector<Event> events) {
    const std::string target = "/" + std::to_string(++round_);
    request.url = server_.url() + target;
    std::future<Result> result = client_->Start(std::move(request), timeout, cancel);
    std::unique_ptr<Exchange> exchange;
    while (exchange == nullptr && result.wait_for(seconds(0)) == std::future_status::timeout) {
      exchange = server_.Next(target, milliseconds(1));
    }
    if (exchange != nullptr) Happen(std::move(events), *exchange);
    const StatusCode code = result.get().status().code();
    client_->running().Do([] {});  // a cancellation may still be posted
    ++seen_[code];
    return code;
  }

  static void Happen(std::vector<Event> events, Exchange& exchange) {
    std::sort(events.begin(), events.end(),
              [](const Event& a, const Event& b) { return a.delay < b.delay; });
    nanoseconds passed = std::min(events.front().delay, nanoseconds(0));
    for (const Event& event : events) {
      SpinFor(event.delay - passed);
      passed = event.delay;
      event.happen(exchange);
    }
  }

  Event Answer(nanoseconds delay, int status = 200) const {
    return {delay, [status](Exchange& exchange) {
              exchange.Answer(ManualServer::Http(status, R"({"some":"answer"})"));
            }};
  }
  Event Cancel(nanoseconds delay, Cancellation& cancel) {
    return {delay, [this, &cancel](Exchange&) {
              client_->running().loop().Post([&cancel] { cancel.Fire(); });
            }};
  }
  static Event HangUp(nanoseconds delay) {
    return {delay, [](Exchange& exchange) { exchange.HangUp(); }};
  }

  // A cancellation, a hang-up and a deadline at about the moment of the answer, each of the four
  // about equally often the first.
  void RaceAll(int rounds, nanoseconds spread, const std::function<HttpRequest(int round)>& request,
               int answer_status) {
    Meeting cancel(nanoseconds(0), spread, 1);
    Meeting hang_up(nanoseconds(0), spread, 2);
    Meeting deadline(milliseconds(1), spread, 3);  // this one from the request's start
    for (int round = 0; round < rounds; ++round) {
      Cancellation cancellation;
      const StatusCode code = Run(request(round), deadline.Delay(), cancellation,
                                  {Answer(nanoseconds(0), answer_status),
                                   Cancel(cancel.Delay(), cancellation), HangUp(hang_up.Delay())});
      if (code == StatusCode::kCancelled) cancel.SecondWon();
      if (code == StatusCode::kUnavailable) hang_up.SecondWon();
      if (code == StatusCode::kDeadlineExceeded) deadline.SecondWon();
      if (code == StatusCode::kOk) {
        for (Meeting* meeting : {&cancel, &hang_up, &deadline}) meeting->FirstWon();
      }
    }
    ExpectSeen(rounds, {StatusCode::kOk, StatusCode::kCancelled, StatusCode::kUnavailable,
                        StatusCode::kDeadlineExceeded});
  }

  // Each of `codes` often, and no other.
  void ExpectSeen(int rounds, const std::vector<StatusCode>& codes) const {
    int sum = 0;
    for (const StatusCode code : codes) {
      const int count = seen_.contains(code) ? seen_.at(code) : 0;
      EXPECT_GT(count, rounds / 500) << absl::StatusCodeToString(code);
      sum += count;
    }
    EXPECT_EQ(sum, rounds) << "some ended otherwise";
  }

  ManualServer server_;
  std::optional<ClientOnLoop> client_;
  int at_once_ = 1;  // requests of a round
  int round_ = 0;
  std::map<StatusCode, int> seen_;
};

// Uploads that get stuck, since the server does not read them before it has answered.
class HttpUploadRaceTest : public HttpClientRaceTest {
 protected:
  HttpUploadRaceTest() : HttpClientRaceTest(HandOver::kHead) {}
};

TEST_F(HttpClientRaceTest, CancellationMeetsTheAnswer) {
  const int rounds = Rounds(1'500, 50'000);
  Meeting cancel(microseconds(0), kSpread, 1);
  for (int round = 0; round < rounds; ++round) {
    Cancellation cancellation;

    const StatusCode code = Run(Get(""), seconds(60), cancellation,
                                {Answer(nanoseconds(0)), Cancel(cancel.Delay(), cancellation)});

    code == StatusCode::kOk ? cancel.FirstWon() : cancel.SecondWon();
  }
  ExpectSeen(rounds, {StatusCode::kOk, StatusCode::kCancelled});
}

TEST_F(HttpClientRaceTest, DeadlineMeetsTheAnswer) {
  const int rounds = Rounds(1'500, 50'000);
  Meeting deadline(milliseconds(1), kSpread, 1);  // from the request's start
  for (int round = 0; round < rounds; ++round) {
    Cancellation cancellation;

    const StatusCode code = Run(Get(""), deadline.Delay(), cancellation, {Answer(nanoseconds(0))});

    code == StatusCode::kOk ? deadline.FirstWon() : deadline.SecondWon();
  }
  ExpectSeen(rounds, {StatusCode::kOk, StatusCode::kDeadlineExceeded});
}

TEST_F(HttpClientRaceTest, AnswerCancellationHangUpAndDeadlineMeet) {
  RaceAll(
      Rounds(3'000, 50'000), kSpread,
      [](int round) { return round % 2 == 0 ? Get("") : Post("", "{}"); }, 200);
}

TEST_F(HttpUploadRaceTest, EarlyAnswerCancellationHangUpAndDeadlineMeetWhileABodyIsHalfSent) {
  const std::string image(4'000'000, 'i');  // more than socket buffers take
  RaceAll(Rounds(1'000, 10'000), 4 * kSpread, [&](int) { return Post("", "{", image); }, 413);
}

// Cancelled at any moment from the very first, on connections that are new as often as kept.
TEST_F(HttpClientRaceTest, CancelsAtAnyMomentOfARequest) {
  const int rounds = Rounds(3'000, 50'000);
  std::atomic<bool> stop = false;
  std::thread answerer([&] {
    for (int count = 0; !stop; ++count) {
      const auto exchange = server_.Next("", milliseconds(1));
      if (exchange == nullptr) continue;
      exchange->Answer(ManualServer::Http(200, "{}"));
      if (count % 3 == 0) exchange->HangUp();
    }
  });
  Meeting cancel(microseconds(200), microseconds(200), 1);
  for (int round = 0; round < rounds; ++round) {
    Cancellation cancellation;
    auto result = client_->Start(Post(server_.url() + "/x", "{}"), seconds(60), cancellation);

    SpinFor(cancel.Delay());
    client_->running().Do([&] { cancellation.Fire(); });

    const StatusCode code = result.get().status().code();
    code == StatusCode::kCancelled ? cancel.SecondWon() : cancel.FirstWon();
    // One that is sent over a kept connection just as that is closed is lost.
    ++seen_[code == StatusCode::kUnavailable ? StatusCode::kOk : code];
  }
  stop = true;
  answerer.join();

  ExpectSeen(rounds, {StatusCode::kOk, StatusCode::kCancelled});
}

TEST_F(HttpClientRaceTest, OneCancellationOfManyRequestsMeetsTheirAnswers) {
  at_once_ = 8;
  const int rounds = Rounds(500, 10'000);
  Meeting cancel(microseconds(0), kSpread, 1);
  for (int round = 0; round < rounds; ++round) {
    Cancellation cancellation;
    std::vector<std::future<Result>> results;
    for (int i = 0; i < at_once_; ++i) {
      results.push_back(
          client_->Start(Post(server_.url() + "/x", "{}"), seconds(60), cancellation));
    }
    std::vector<std::unique_ptr<Exchange>> exchanges;
    for (int i = 0; i < at_once_; ++i) {
      exchanges.push_back(server_.Next("/x", seconds(20)));
      ASSERT_NE(exchanges.back(), nullptr);
    }

    // In the midst of the answers.
    std::vector<Event> events = {Cancel(cancel.Delay(), cancellation)};
    for (int i = 0; i < at_once_; ++i) {
      events.push_back({microseconds(5 * (i - at_once_ / 2)), [&, i](Exchange&) {
                          exchanges[static_cast<size_t>(i)]->Answer(ManualServer::Http(200, "{}"));
                        }});
    }
    Happen(std::move(events), *exchanges[0]);

    int answered = 0;
    for (auto& result : results) {
      const StatusCode code = result.get().status().code();
      answered += static_cast<int>(code == StatusCode::kOk);
      ++seen_[code];
    }
    client_->running().Do([] {});
    answered > at_once_ / 2 ? cancel.FirstWon() : cancel.SecondWon();
  }
  ExpectSeen(rounds * at_once_, {StatusCode::kOk, StatusCode::kCancelled});
}

}  // namespace
}  // namespace idv
