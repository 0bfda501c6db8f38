#include "tests/bench/storm/storm.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "tests/bench/storm/call_loop.h"
#include "tests/bench/storm/limited_upstream.h"
#include "tests/bench/storm/onboarding.h"
#include "tests/bench/storm/poller.h"

namespace idv::bench::storm {
namespace {

using std::chrono::seconds;

constexpr size_t kChannels = 20;
constexpr auto kConnectLimit = seconds(10);
constexpr auto kWriteDeadline = seconds(90);
// How long writes under way at the end may go on.
constexpr auto kGrace = seconds(60);
// In which the pollers and the onboardings start.
constexpr double kPollStartSeconds = 1;
constexpr double kWriteStartSeconds = 30;

Clock::duration Seconds(double number) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(number));
}

std::vector<std::shared_ptr<grpc::Channel>> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (size_t i = 0; i < kChannels; ++i) {
    channels.push_back(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    if (!channels.back()->WaitForConnected(std::chrono::system_clock::now() + kConnectLimit)) {
      throw Broken("no connection to " + address);
    }
  }
  return channels;
}

// All callers of a storm.
class Callers {
 public:
  Callers(const std::string& address, const Size& size, const std::vector<std::string>& polled,
          Seen& seen);

  // Returns when all calls have ended.
  void Run();

 private:
  void AddPollers(const std::vector<std::string>& polled);
  void AddOnboardings();

  const Size& size_;
  Seen& seen_;
  const std::vector<std::shared_ptr<grpc::Channel>> channels_;
  const TimePoint end_;
  CallLoop loop_;
  std::vector<std::unique_ptr<Poller>> pollers_;
  std::vector<std::unique_ptr<Onboarding>> onboardings_;
};

Callers::Callers(const std::string& address, const Size& size,
                 const std::vector<std::string>& polled, Seen& seen)
    : size_(size),
      seen_(seen),
      channels_(Connect(address)),
      end_(Clock::now() + Seconds(size.seconds)) {
  AddPollers(polled);
  AddOnboardings();
}

void Callers::AddPollers(const std::vector<std::string>& polled) {
  const Asker::Terms terms{.priority = "batch", .deadline = size_.poll_deadline, .end = end_};
  const double window = std::min(kPollStartSeconds, size_.seconds / 3);
  for (size_t i = 0; i < size_.pollers; ++i) {
    pollers_.push_back(std::make_unique<Poller>(loop_, channels_[i % kChannels], terms, seen_.polls,
                                                polled[i % polled.size()], i / polled.size()));
    pollers_.back()->Start(
        Seconds(window * static_cast<double>(i) / static_cast<double>(size_.pollers)));
  }
}

void Callers::AddOnboardings() {
  const Asker::Terms terms{.priority = "interactive", .deadline = kWriteDeadline, .end = end_};
  const double window = std::min(kWriteStartSeconds, size_.seconds / 3);
  for (size_t i = 0; i < size_.onboardings; ++i) {
    onboardings_.push_back(std::make_unique<Onboarding>(loop_, channels_[i % kChannels], terms,
                                                        seen_.writes,
                                                        "test-approve-storm-" + std::to_string(i)));
    onboardings_.back()->Start(
        Seconds(window * static_cast<double>(i) / static_cast<double>(size_.onboardings)));
  }
}

void Callers::Run() {
  loop_.RunUntil(end_);
  for (const auto& poller : pollers_) poller->Cancel();
  loop_.RunUntil(end_ + kGrace);
  for (const auto& onboarding : onboardings_) onboarding->Cancel();
  loop_.Run();
  seen_.onboardings_through = static_cast<size_t>(
      std::count_if(onboardings_.begin(), onboardings_.end(),
                    [](const auto& onboarding) { return onboarding->is_through(); }));
}

}  // namespace

Seen RunStorm(const std::string& contender, const Programs& programs, const Size& size) {
  const LimitedUpstream upstream(programs.plan);
  const std::vector<std::string> polled = upstream.CreateVerifications(size.verifications);
  const std::unique_ptr<Running> running = Start(contender, programs, upstream.root_url());
  Seen seen;
  RequestCounter counter(upstream.root_url());
  const TimePoint start = Clock::now();
  const auto cpu_before = CpuTimeOf(getpid());
  Callers(running->listener->address(), size, polled, seen).Run();
  const std::chrono::duration<double> elapsed = Clock::now() - start;
  const std::chrono::duration<double> cpu = CpuTimeOf(getpid()) - cpu_before;
  seen.upstream = counter.Finish();
  // Callers that are all told to come after the end leave before it.
  seen.seconds = std::max(elapsed.count(), size.seconds);
  seen.load_share = cpu.count() / seen.seconds;
  if (seen.polls.wrong_answers() + seen.writes.wrong_answers() > 0) {
    throw Broken(contender + " answered something else than it was asked for");
  }
  return seen;
}

}  // namespace idv::bench::storm
