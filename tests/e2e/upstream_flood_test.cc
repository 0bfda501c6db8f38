// Answers that are more than anybody can hold: what is told of them, and what they cost the
// gateway.

#include <gmock/gmock.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <future>
#include <string>
#include <vector>

#include "tests/chaos/footprint.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/slack.h"

namespace idv::e2e {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{10'000};
struct Flood {
  Json fault;
  Told told;
  // By how much the gateway may grow.
  size_t kib;
};

constexpr int kHuge = 1 << 28;

std::vector<Flood> Floods() {
  return {
      {{{"kind", "large_header"}, {"bytes", 1'000'000}}, kTooLarge, 0},
      {{{"kind", "large_header"}, {"bytes", kHuge}}, kTooLarge, 0},
      // Nobody asked for gzip, so nobody unpacks it: it is some hundred kilobytes that is no JSON.
      {{{"kind", "gzip_bomb"}, {"bytes", kHuge}}, kBadResponse, 1 << 10},
      {{{"kind", "endless"}}, kTooLarge, kWholeAnswerKib},
  };
}

class UpstreamFloodTest : public testing::Test {
 protected:
  size_t PeakKib() { return chaos::StatusKib(gateway_.process().pid(), "VmHWM"); }

  // By how much `call` raises the most that the gateway ever held.
  template <typename Call>
  size_t Growth(Call call) {
    const size_t before = PeakKib();
    call();
    return PeakKib() - before;
  }

  const Sandbox sandbox_;
  Gateway gateway_{sandbox_};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(UpstreamFloodTest, EndsTheCallAndTakesNoMoreMemoryThanTheCapOfAnAnswer) {
  ExpectTold(TryPost(client_, kPatience), kFine);
  for (const Flood& flood : Floods()) {
    SCOPED_TRACE(flood.fault);
    sandbox_.AddFault(flood.fault);

    const size_t grown = Growth([&] {
      ExpectTold(TryGet(client_, kPatience), flood.told);
      ExpectTold(TryPost(client_, kPatience), flood.told);
    });

    std::printf("%s: %zu KiB more\n", flood.fault.dump().c_str(), grown);
    EXPECT_LE(grown, flood.kib + kSlackKib);
    sandbox_.ClearFaults();
    ExpectTold(TryGet(client_, kPatience), kFine);
  }
}

TEST_F(UpstreamFloodTest, HoldsOfManyEndlessAnswersNoMoreThanTheCapOfEach) {
  constexpr size_t kCalls = 10;
  sandbox_.AddFault({{"kind", "endless"}});

  const size_t grown = Growth([&] {
    std::vector<std::future<Attempt>> calls(kCalls);
    for (auto& call : calls) {
      call = std::async(std::launch::async, [&] { return TryGet(client_, kPatience); });
    }
    for (auto& call : calls) ExpectTold(call.get(), kTooLarge);
  });

  std::printf("%zu KiB more\n", grown);
  EXPECT_LE(grown, kCalls * kWholeAnswerKib + kSlackKib);
}

}  // namespace
}  // namespace idv::e2e
