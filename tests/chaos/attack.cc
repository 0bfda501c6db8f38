#include "tests/chaos/attack.h"

#include <gmock/gmock.h>
#include <sched.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <thread>

#include "tests/chaos/async_caller.h"
#include "tests/chaos/footprint.h"
#include "tests/chaos/size.h"
#include "tests/e2e/steps.h"

namespace idv::chaos {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kCallsPerSecond = 200;
const milliseconds kQuiet = Sized<milliseconds>(milliseconds(700), seconds(5));
const milliseconds kAttack = Sized<milliseconds>(milliseconds(1200), seconds(10));
constexpr double kMaxRatio = 5;
// The machine may be busy with something else: the best attempt counts.
constexpr int kAttempts = 3;
// Of the calls that a last resort may cost others.
constexpr size_t kOneIn = 100;

// The attackers stand for other machines, which take no processor from the gateway.
void StepBack() {
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
}

}  // namespace

void AttackLog::Add(const Heard& heard) {
  EXPECT_TRUE(heard.IsStandard()) << heard.Ending();
  Add(heard.Ending());
}

void AttackLog::Add(const std::string& name, const AttackLog& other) {
  for (const auto& [ending, count] : other.endings_) endings_[name + ": " + ending] += count;
}

// The least of what was measured: whatever else the machine does only adds to it.
struct AttackTest::Best {
  double Ratio() const {
    const microseconds otherwise = std::max(quiet, neighbour_attacked.value_or(quiet));
    return static_cast<double>(attacked.count()) / static_cast<double>(otherwise.count());
  }

  microseconds quiet = microseconds::max();
  std::optional<microseconds> neighbour_attacked;  // if that was tried
  microseconds attacked = microseconds::max();
  int attempts = 0;
  size_t kib_before = 0;
  size_t kib_at_most = 0;
};

e2e::Json AttackTest::Config() const {
  e2e::Json config = e2e::BasicConfig(sandbox_.base_url());
  Configure(config);
  return config;
}

void AttackTest::Start() {
  gateway_.reset();  // listens at the same place
  gateway_ = std::make_unique<e2e::Gateway>(Config(), e2e::Transparent());
  ASSERT_FALSE(gateway_->addresses().empty());
  channel_ = e2e::Connect(address());
  verification_id_ = e2e::Create(e2e::Client(channel_), "cust-1").id();
}

void AttackTest::EndureAll(const std::vector<Attack>& attacks) {
  if (IsLong()) {
    for (const Attack& attack : attacks) {
      Endure(attack);
      Start();
    }
    return;
  }
  Attack all{.name = "all at once"};
  for (const Attack& attack : attacks) {
    all.memory_kib += attack.memory_kib;
    all.costs_others_calls |= attack.costs_others_calls;
  }
  all.wave = [&](AttackLog& log) {
    for (const Attack& attack : attacks) {
      AttackLog part;
      attack.wave(part);
      log.Add(attack.name, part);
    }
  };
  Endure(all);
}

void AttackTest::Endure(const Attack& attack) {
  const size_t descriptors = Footprint::Of(pid(), sandbox_.port()).descriptors;
  AttackLog log;
  Best best{.kib_before = StatusKib(pid(), "VmHWM")};
  do {
    Attempt(attack, log, best);
  } while (IsLong() && !attack.costs_others_time && best.attempts < kAttempts &&
           best.Ratio() >= kMaxRatio);
  best.kib_at_most = StatusKib(pid(), "VmHWM");

  Report(attack, log, best);
  // Some seconds on a machine that does other things besides tell nothing of a ratio.
  if (!kIsInstrumented && IsLong() && !attack.costs_others_time) {
    EXPECT_LT(best.Ratio(), kMaxRatio) << attack.name;
  }
  if (!kIsInstrumented) {
    EXPECT_LE(best.kib_at_most, best.kib_before + attack.memory_kib) << attack.name;
  }
  ExpectAsBefore(descriptors);
}

void AttackTest::Attempt(const Attack& attack, AttackLog& log, Best& best) {
  const auto wait = [] { std::this_thread::sleep_for(kQuiet); };
  const auto before = CallMeanwhile(wait, /*may_lose_calls=*/false);
  const auto attacked =
      CallMeanwhile([&] { Launch(attack, log); }, /*may_lose_calls=*/attack.costs_others_calls);
  const auto after = CallMeanwhile(wait, /*may_lose_calls=*/false);
  best.attacked = std::min(best.attacked, attacked);
  best.quiet = std::min({best.quiet, before, after});
  ++best.attempts;
  if (!IsLong() || !attack.fills_machine) return;

  neighbour_ = std::make_unique<e2e::Gateway>(Config());
  AttackLog unused;
  const auto beside = CallMeanwhile([&] { Launch(attack, unused); }, /*may_lose_calls=*/false);
  best.neighbour_attacked = std::min(best.neighbour_attacked.value_or(beside), beside);
  neighbour_.reset();
}

void AttackTest::Launch(const Attack& attack, AttackLog& log) const {
  std::thread attacker([&] {
    StepBack();
    const auto end = steady_clock::now() + kAttack;
    do {
      attack.wave(log);
    } while (steady_clock::now() < end);
  });
  attacker.join();
}

microseconds AttackTest::CallMeanwhile(const std::function<void()>& meanwhile,
                                       bool may_lose_calls) {
  AsyncCaller caller(channel_, verification_id_);
  {
    const Pacer pacer(caller, kCallsPerSecond);
    meanwhile();
  }
  const Endings endings = caller.Finish();
  const size_t lost = endings.total() - endings.count("OK");
  EXPECT_LE(lost, may_lose_calls ? endings.total() / kOneIn : 0)
      << testing::PrintToString(endings.by_ending);
  return endings.Quantile(0.99);
}

void AttackTest::Report(const Attack& attack, const AttackLog& log, const Best& best) const {
  std::cout << attack.name << "\n  memory: " << best.kib_before << " KiB before, "
            << best.kib_at_most << " at most, " << StatusKib(pid(), "VmRSS")
            << " after\n  p99 beside it: " << best.attacked.count() << " us, without "
            << best.quiet.count() << " us";
  if (best.neighbour_attacked) {
    std::cout << ", beside an attacked neighbour " << best.neighbour_attacked->count() << " us";
  }
  std::cout << ": " << best.Ratio() << " times (" << best.attempts << " attempts)\n";
  for (const auto& [ending, count] : log.endings()) {
    std::cout << "  " << count << " x " << ending << "\n";
  }
  std::cout << std::flush;
}

// It serves a new caller, and holds nothing of the attackers' any more.
void AttackTest::ExpectAsBefore(size_t descriptors) const {
  const e2e::Client client(e2e::Connect(gateway_->addresses()[0]));
  EXPECT_EQ(e2e::Get(client, verification_id_).id(), verification_id_);
  const auto now = [&] { return Footprint::Of(pid(), sandbox_.port()).descriptors; };
  // The client's own connection besides, which the gateway holds twice: to serve it, and to hear of
  // its end.
  EXPECT_TRUE(e2e::WaitUntil([&] { return now() <= descriptors + 2; }))
      << now() << " descriptors are open, " << descriptors << " were";
}

}  // namespace idv::chaos
