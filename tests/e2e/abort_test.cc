// A call that its caller gives up is given up at the upstream too, at once.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using std::chrono::system_clock;

// The machine may be busy with something else: the best of some tries counts.
constexpr size_t kTries = 5;
constexpr int64_t kLimitMillis = 50;

int64_t UnixMillis(system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

class AbortTest : public testing::Test {
 protected:
  AbortTest() { sandbox_.AddFault({{"kind", "hang"}}); }

  // Milliseconds from `given_up` to the end of the only request below the path.
  int64_t MillisToAbort(const std::string& path, system_clock::time_point given_up) {
    const Json request = sandbox_.AwaitRequest(path, "aborted");
    return request.value("ended_at_ms", std::numeric_limits<int64_t>::max()) - UnixMillis(given_up);
  }

  // By how much the transfer outlived a call that was cancelled while it hung.
  int64_t CancelOnce(const std::string& id) {
    PendingGet call(client_, id);
    sandbox_.AwaitRequest("/verifications/" + id, "pending");

    const auto cancelled = system_clock::now();
    call.Cancel();

    EXPECT_EQ(call.Finish().status.error_code(), grpc::StatusCode::CANCELLED);
    return MillisToAbort("/verifications/" + id, cancelled);
  }

  int64_t PassDeadlineOnce(const std::string& id) {
    PendingGet call(client_, id, {.timeout = std::chrono::milliseconds(300)});

    EXPECT_EQ(call.Finish().status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    return MillisToAbort("/verifications/" + id, call.deadline());
  }

  const Sandbox sandbox_;
  Gateway gateway_{sandbox_};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(AbortTest, AbortsTheTransferWithinFiftyMillisecondsOfACancel) {
  std::vector<int64_t> delays(kTries);
  for (size_t i = 0; i < kTries; ++i) delays[i] = CancelOnce("cancelled-" + std::to_string(i));

  EXPECT_LE(*std::min_element(delays.begin(), delays.end()), kLimitMillis)
      << testing::PrintToString(delays);
  EXPECT_GE(*std::max_element(delays.begin(), delays.end()), 0) << testing::PrintToString(delays);
}

TEST_F(AbortTest, AbortsTheTransferWithinFiftyMillisecondsOfTheDeadline) {
  std::vector<int64_t> delays(kTries);
  for (size_t i = 0; i < kTries; ++i) delays[i] = PassDeadlineOnce("late-" + std::to_string(i));

  EXPECT_LE(*std::min_element(delays.begin(), delays.end()), kLimitMillis)
      << testing::PrintToString(delays);
  // Nor long before it: what the gateway keeps back for its answer is a few milliseconds.
  EXPECT_GE(*std::max_element(delays.begin(), delays.end()), -kLimitMillis)
      << testing::PrintToString(delays);
}

}  // namespace
}  // namespace idv::e2e
