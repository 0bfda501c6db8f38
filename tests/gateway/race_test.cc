#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "gateway/server.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "tests/eventually.h"
#include "tests/gateway/server_parts.h"
#include "tests/meeting.h"
#include "tests/rounds.h"
#include "tests/upstream/manual_server.h"
#include "tests/upstream/probe.grpc.pb.h"

// Whole gateways whose calls' ends meet: the upstream's answer, the caller's cancellation, the
// deadline, the shutdown. In whatever order, each call ends once, and nothing of it is left.
namespace idv {
namespace {

using grpc::StatusCode;
using idv::test::Found;
using idv::test::ProbeService;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

using Exchange = ManualServer::Exchange;

constexpr const char* kTenantId = "550e8400-e29b-41d4-a716-446655440000";
constexpr int kCallers = 4;
// Longer than anything may take: a call that gets as far as this was forgotten.
constexpr seconds kForgotten{60};

std::string Answer() { return ManualServer::Http(200, R"({"total":3})"); }

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  details.ParseFromString(status.error_details());
  return details.details_size() > 0 && details.details(0).UnpackTo(&info) ? info.reason() : "";
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// How calls have ended, by what they are. Thread-safe.
class Ends {
 public:
  void Count(const std::string& kind, const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    ++counts_[kind][status.error_code()];
    ++reasons_[ReasonOf(status)];
    if (std::string& example = examples_[status.error_code()]; example.empty()) {
      example = status.error_message() + " " + ReasonOf(status);
    }
  }

  int Of(const std::string& kind, StatusCode code) const {
    const std::lock_guard lock(mutex_);
    const auto of_kind = counts_.find(kind);
    if (of_kind == counts_.end() || !of_kind->second.contains(code)) return 0;
    return of_kind->second.at(code);
  }

  int WithReason(const std::string& reason) const {
    const std::lock_guard lock(mutex_);
    return reasons_.contains(reason) ? reasons_.at(reason) : 0;
  }

  // None of `kind` has ended otherwise than these.
  void ExpectOnly(const std::string& kind, const std::vector<StatusCode>& codes) const {
    const std::lock_guard lock(mutex_);
    const auto of_kind = counts_.find(kind);
    ASSERT_TRUE(of_kind != counts_.end()) << "no " << kind << " was made";
    for (const auto& [code, count] : of_kind->second) {
      EXPECT_TRUE(std::find(codes.begin(), codes.end(), code) != codes.end())
          << count << " of " << kind << " ended with " << code << ": " << examples_.at(code);
    }
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<StatusCode, int>> counts_;  // protected by mutex_
  std::map<std::string, int> reasons_;                       // protected by mutex_
  std::map<StatusCode, std::string> examples_;               // protected by mutex_
};

// A caller with a connection of its own that makes one call at a time. For one thread.
class Caller {
 public:
  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Found>> reader;
    Found found;
    grpc::Status status;
  };

  explicit Caller(const std::string& address) : stub_(ProbeService::NewStub(Connect(address))) {}
  // No call has ended twice.
  ~Caller() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    EXPECT_FALSE(queue_.Next(&tag, &ok));
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  std::unique_ptr<Call> Start(const std::string& name, nanoseconds timeout) {
    auto call = std::make_unique<Call>();
    call->context.set_deadline(std::chrono::system_clock::now() +
                               std::chrono::duration_cast<std::chrono::microseconds>(timeout));
    // gRPC 1.51's client now and then takes a connection in progress for a failed one.
    call->context.set_wait_for_ready(true);
    idv::test::FindRequest request;
    request.set_name(name);
    call->reader = stub_->AsyncFind(&call->context, request, &queue_);
    call->reader->Finish(&call->found, &call->status, call.get());
    return call;
  }

  bool HasEnded() {
    if (!ended_) ended_ = Next(std::chrono::system_clock::now());
    return ended_;
  }

  grpc::Status End(Call& call) {
    if (!ended_) {
      EXPECT_TRUE(Next(std::chrono::system_clock::time_point::max()));
    }
    ended_ = false;
    EXPECT_EQ(call.found.total(), call.status.ok() ? 3 : 0);
    return call.status;
  }

 private:
  bool Next(std::chrono::system_clock::time_point until) {
    void* tag = nullptr;
    bool ok = false;
    return queue_.AsyncNext(&tag, &ok, until) == grpc::CompletionQueue::GOT_EVENT;
  }

  const std::unique_ptr<ProbeService::Stub> stub_;
  grpc::CompletionQueue queue_;
  bool ended_ = false;
};

class GatewayRaceTest : public testing::TestWithParam<int> {
 protected:
  explicit GatewayRaceTest(ManualServer::HandOver hand_over = ManualServer::HandOver::kWhole)
      : upstream_(hand_over),
        methods_(*Methods::Compile(
            {idv::test::StoreRequest::descriptor()->file()->FindServiceByName("ProbeService")})) {}

  void Start() {
    const auto loaded =
        LoadConfig("listen: {grpc: ['127.0.0.1:0']}\nupstream: {base_url: '" + upstream_.url() +
                       "'}\ntenants: [{name: acme, tenant_id: " + kTenantId +
                       ", api_key: {env: X}}]\ncallers: [{identity: local, tenants: ['*'], "
                       "methods: ['*']}]\nshards: " +
                       std::to_string(GetParam()) + "\n",
                   methods_.Names(), 2);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    auto server =
        Server::Start(loaded->config, methods_, KeysOfTenant("acme", kTenantId), NoReports());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  const std::string& address() const { return server_->addresses().at(0); }

  // With all the grace there is: a call that the gateway still holds would hold this up.
  void ShutDownWithNothingLeft() {
    Hurry hurry;
    server_->Shutdown({.settle = milliseconds(0), .unary_grace = std::chrono::hours(1)}, hurry);
    server_.reset();
    while (upstream_.Next("", milliseconds(0)) != nullptr) {
    }
    EXPECT_TRUE(Eventually([this] { return upstream_.open() == 0; })) << upstream_.open();
    EXPECT_EQ(upstream_.hung_up_on(), upstream_.accepted());
  }

  // The call's request at the upstream, or null when the call has ended without.
  std::unique_ptr<Exchange> AtUpstream(const std::string& name, Caller& caller) {
    std::unique_ptr<Exchange> exchange;
    while (exchange == nullptr && !caller.HasEnded()) {
      exchange = upstream_.Next("/probes?name=" + name, milliseconds(5));
    }
    return exchange;
  }

  // Runs `calls` on several threads, each with a caller of its own.
  void WithCallers(const std::function<void(int number, Caller& caller)>& calls) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kCallers; ++i) {
      threads.emplace_back([&, i] {
        Caller caller(address());
        calls(i, caller);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  ManualServer upstream_;
  const Methods methods_;
  std::unique_ptr<Server> server_;
  Ends ends_;
};

std::string NameOf(int caller, int round) {
  return "c" + std::to_string(caller) + "r" + std::to_string(round);
}

TEST_P(GatewayRaceTest, CancellationMeetsTheUpstreamsAnswer) {
  const int rounds = Rounds(500, 5'000);
  Start();
  WithCallers([&](int number, Caller& caller) {
    // Two moments are critical: when the answer reaches the gateway, and when it reaches the
    // caller.
    const auto seed = static_cast<unsigned>(number + 1);
    Meeting at_gateway(microseconds(0), microseconds(200), seed);
    Meeting at_caller(microseconds(200), microseconds(200), seed);
    std::unique_ptr<Exchange> last;  // that met at the gateway
    for (int round = 0; round < rounds; ++round) {
      Meeting& cancel = round % 2 == 0 ? at_gateway : at_caller;
      const std::string name = NameOf(number, round);
      const auto call = caller.Start(name, kForgotten);
      auto exchange = AtUpstream(name, caller);
      ASSERT_NE(exchange, nullptr);

      const nanoseconds delay = cancel.Delay();
      if (delay < nanoseconds(0)) {
        call->context.TryCancel();
        SpinFor(-delay);
        exchange->Answer(Answer());
      } else {
        exchange->Answer(Answer());
        SpinFor(delay);
        call->context.TryCancel();
      }

      const grpc::Status status = caller.End(*call);
      ends_.Count("call", status);
      if (round % 2 == 0) {
        if (last != nullptr) last->open() ? at_gateway.FirstWon() : at_gateway.SecondWon();
        last = std::move(exchange);
      } else {
        status.ok() ? at_caller.FirstWon() : at_caller.SecondWon();
      }
    }
  });

  const int calls = kCallers * rounds;
  ends_.ExpectOnly("call", {StatusCode::OK, StatusCode::CANCELLED});
  EXPECT_GT(ends_.Of("call", StatusCode::OK), calls / 500);
  EXPECT_GT(ends_.Of("call", StatusCode::CANCELLED), calls / 500);
  // The gateway hangs up on the upstream when the cancellation was there first, and only then.
  const int aborted = upstream_.hung_up_on();
  EXPECT_GT(aborted, calls / 500);
  EXPECT_LT(aborted, calls - calls / 500);
  ShutDownWithNothingLeft();
}

TEST_P(GatewayRaceTest, DeadlineMeetsTheUpstreamsAnswer) {
  const int rounds = Rounds(500, 5'000);
  std::atomic<int> timed_out = 0;
  Start();
  WithCallers([&](int number, Caller& caller) {
    const auto seed = static_cast<unsigned>(number + 1);
    std::minstd_rand random(seed);
    Meeting deadline(milliseconds(24), microseconds(500), seed);
    for (int round = 0; round < rounds; ++round) {
      const std::string name = NameOf(number, round);
      const auto call = caller.Start(name, deadline.Delay());
      const auto exchange = AtUpstream(name, caller);

      // Of the deadline, 20 ms are kept back for the reply: the answer meets what is left.
      std::this_thread::sleep_for(microseconds(1000 + random() % 1000));
      if (exchange != nullptr) exchange->Answer(Answer());

      const grpc::Status status = caller.End(*call);
      ends_.Count("call", status);
      timed_out += static_cast<int>(ReasonOf(status) == "UPSTREAM_TIMEOUT");
      status.ok() ? deadline.FirstWon() : deadline.SecondWon();
    }
  });

  const int calls = kCallers * rounds;
  ends_.ExpectOnly("call", {StatusCode::OK, StatusCode::DEADLINE_EXCEEDED});
  EXPECT_GT(ends_.Of("call", StatusCode::OK), calls / 50);
  EXPECT_GT(timed_out, calls / 50);
  ShutDownWithNothingLeft();
}

// From before it is sent until after it has ended; one in three is never answered.
TEST_P(GatewayRaceTest, CancelsAtAnyMomentOfACall) {
  const int rounds = Rounds(700, 5'000);
  Start();
  std::atomic<bool> stop = false;
  std::vector<std::unique_ptr<Exchange>> unanswered;
  std::thread answerer([&] {
    for (int count = 0; !stop;) {
      auto exchange = upstream_.Next("", milliseconds(5));
      if (exchange == nullptr) continue;
      if (++count % 3 == 0) {
        unanswered.push_back(std::move(exchange));
      } else {
        exchange->Answer(Answer());
      }
    }
  });
  WithCallers([&](int number, Caller& caller) {
    Meeting cancel(microseconds(500), microseconds(500), static_cast<unsigned>(number + 1));
    for (int round = 0; round < rounds; ++round) {
      const auto call = caller.Start(NameOf(number, round), kForgotten);

      SpinFor(cancel.Delay());
      call->context.TryCancel();

      const grpc::Status status = caller.End(*call);
      ends_.Count("call", status);
      status.ok() ? cancel.FirstWon() : cancel.SecondWon();
    }
  });

  const int calls = kCallers * rounds;
  ends_.ExpectOnly("call", {StatusCode::OK, StatusCode::CANCELLED});
  EXPECT_GT(ends_.Of("call", StatusCode::OK), calls / 500);
  EXPECT_GT(ends_.Of("call", StatusCode::CANCELLED), calls / 500);
  stop = true;
  answerer.join();
  // No cancellation is lost: what nobody waits for is not left to the upstream.
  EXPECT_TRUE(Eventually([&] {
    return std::none_of(unanswered.begin(), unanswered.end(),
                        [](const auto& exchange) { return exchange->open(); });
  }));
  unanswered.clear();
  ShutDownWithNothingLeft();
}

// All that may be going on when a gateway is told to shut down, each on threads of its own until it
// is stopped. The upstream answers what is named "quick", leaves the rest, and reads no body.
class Traffic {
 public:
  Traffic(std::string address, ManualServer& upstream, Ends& ends)
      : address_(std::move(address)), upstream_(upstream), ends_(ends) {
    threads_.emplace_back([this] { AnswerQuickOnes(); });
    Repeat([this](int) { Find("quick", "answered", kForgotten); });
    for (int i = 0; i < 3; ++i) {
      Repeat([this](int) { Find("hang", "unanswered", kForgotten); });
    }
    Repeat([this](int) { Find("hang", "timed out", milliseconds(25)); });
    Repeat([this](int round) { FindAndCancel(microseconds(round * 97 % 2000)); });
    Repeat([this](int) { Upload(); });
    Repeat([this](int) { WatchHealth(); });
    Repeat([this](int) { KeepReflectionOpen(); });
    Repeat([this](int round) { CallWithoutAMessage(round % 3); });
    Repeat([this](int) { OpenASocket(); });
  }

  // Ends what is still going on: nothing, once the gateway has shut down.
  ~Traffic() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  bool HasReachedTheUpstream() const { return reached_ > 2; }

 private:
  void Repeat(const std::function<void(int round)>& work) {
    threads_.emplace_back([this, work] {
      for (int round = 0; !stop_; ++round) work(round);
    });
  }

  void AnswerQuickOnes() {
    std::vector<std::unique_ptr<Exchange>> left;
    while (!stop_) {
      auto exchange = upstream_.Next("", milliseconds(1));
      if (exchange == nullptr) continue;
      ++reached_;
      if (exchange->target() == "/probes?name=quick") {
        exchange->Answer(Answer());
      } else {
        left.push_back(std::move(exchange));
      }
    }
  }

  void Find(const std::string& name, const std::string& kind, milliseconds timeout) {
    const auto stub = ProbeService::NewStub(Connect(address_));
    for (bool going = true; going && !stop_;) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + timeout);
      idv::test::FindRequest request;
      request.set_name(name);
      Found found;
      const grpc::Status status = stub->Find(&context, request, &found);
      ends_.Count(kind, status);
      going = status.ok() || timeout < kForgotten;
    }
  }

  void FindAndCancel(microseconds after) {
    Caller caller(address_);
    const auto call = caller.Start("hang", kForgotten);
    SpinFor(after);
    call->context.TryCancel();
    ends_.Count("cancelled", caller.End(*call));
  }

  // More than fits into anything between the caller and the upstream, which does not read it.
  void Upload() {
    const auto stub = ProbeService::NewStub(Connect(address_));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kForgotten);
    idv::test::StoreRequest request;
    request.set_probe_id("p");
    request.set_part(idv::test::COLOUR_RED);
    request.set_signed_by("me");
    request.set_text("t");
    request.set_picture(std::string(4'000'000, 'i'));
    idv::test::Stored stored;
    ends_.Count("upload", stub->Store(&context, request, &stored));
  }

  void WatchHealth() {
    const auto stub = grpc::health::v1::Health::NewStub(Connect(address_));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kForgotten);
    const auto reader = stub->Watch(&context, {});
    grpc::health::v1::HealthCheckResponse response;
    while (reader->Read(&response)) {
    }
    ends_.Count("watch", reader->Finish());
  }

  void KeepReflectionOpen() {
    const auto stub = grpc::reflection::v1::ServerReflection::NewStub(Connect(address_));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kForgotten);
    const auto stream = stub->ServerReflectionInfo(&context);
    grpc::reflection::v1::ServerReflectionRequest request;
    request.set_list_services("*");
    stream->Write(request);
    grpc::reflection::v1::ServerReflectionResponse response;
    while (stream->Read(&response)) {
    }
    ends_.Count("reflection", stream->Finish());
  }

  // A unary call as no stub makes it: its headers come, and then its end, its cancellation, or
  // nothing.
  void CallWithoutAMessage(int how) {
    grpc::GenericStub stub(Connect(address_));
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kForgotten);
    void* tag = nullptr;
    bool ok = false;
    const auto call = stub.PrepareCall(&context, "/idv.test.ProbeService/Find", &queue);
    call->StartCall(&tag);
    queue.Next(&tag, &ok);
    if (ok && how == 0) {
      call->WritesDone(&tag);
      queue.Next(&tag, &ok);
    }
    if (how == 1) context.TryCancel();
    grpc::Status status;
    call->Finish(&status, &tag);
    queue.Next(&tag, &ok);
    ends_.Count("without a message", status);
  }

  // Connects and says nothing, as long as it is let.
  void OpenASocket() const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1))));
    connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
    std::this_thread::yield();
    close(fd);
  }

  const std::string address_;
  ManualServer& upstream_;
  Ends& ends_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> reached_ = 0;
  std::vector<std::thread> threads_;
};

class GatewayShutdownTest : public GatewayRaceTest {
 protected:
  GatewayShutdownTest() : GatewayRaceTest(ManualServer::HandOver::kHead) {}
};

TEST_P(GatewayShutdownTest, MeetsEverythingThatIsGoingOn) {
  const std::vector<DrainTimes> times = {
      {.settle = milliseconds(0), .unary_grace = milliseconds(0)},
      {.settle = milliseconds(0), .unary_grace = milliseconds(20)},
      {.settle = milliseconds(20), .unary_grace = milliseconds(50)}};
  std::minstd_rand random(1);
  for (int round = 0; round < Rounds(12, 200); ++round) {
    Start();
    {
      const Traffic traffic(address(), upstream_, ends_);
      // Now and then while the first connections are made.
      if (round % 4 != 0) {
        ASSERT_TRUE(Eventually([&] { return traffic.HasReachedTheUpstream(); }));
      }
      SpinFor(microseconds(random() % 10'000));

      Hurry hurry;
      server_->Shutdown(times[static_cast<size_t>(round) % times.size()], hurry);
      server_.reset();
    }
    EXPECT_TRUE(Eventually([this] { return upstream_.open() == 0; })) << upstream_.open();
  }

  const std::vector<StatusCode> gone = {StatusCode::UNAVAILABLE, StatusCode::CANCELLED};
  const auto gone_or = [&](StatusCode code) {
    std::vector<StatusCode> codes = gone;
    codes.push_back(code);
    return codes;
  };
  ends_.ExpectOnly("answered", gone_or(StatusCode::OK));
  ends_.ExpectOnly("unanswered", gone);
  ends_.ExpectOnly("timed out", gone_or(StatusCode::DEADLINE_EXCEEDED));
  ends_.ExpectOnly("cancelled", gone);
  ends_.ExpectOnly("upload", gone);
  ends_.ExpectOnly("watch", gone);
  ends_.ExpectOnly("reflection", gone);
  ends_.ExpectOnly("without a message", gone_or(StatusCode::INTERNAL));
  EXPECT_GT(ends_.Of("answered", StatusCode::OK), 0);
  EXPECT_GT(ends_.Of("timed out", StatusCode::DEADLINE_EXCEEDED), 0);
  EXPECT_GT(ends_.WithReason("GATEWAY_DRAINING"), 0);
}

const auto kName = [](const auto& instance) { return "On" + std::to_string(instance.param); };
INSTANTIATE_TEST_SUITE_P(Shards, GatewayRaceTest, testing::Values(1, 2, 4), kName);
INSTANTIATE_TEST_SUITE_P(Shards, GatewayShutdownTest, testing::Values(1, 2, 4), kName);

}  // namespace
}  // namespace idv
