// Very many calls at once.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"

namespace idv::e2e {
namespace {

using kora::idv::v1::GetVerificationRequest;
using kora::idv::v1::Verification;
using kora::idv::v1::VerificationService;

constexpr size_t kCalls = 1000;
// A shard keeps so many connections to the upstream, until it has been idle for a while.
constexpr size_t kKeptConnections = 256;
// The caller's connection and curl's own.
constexpr size_t kMoreFiles = 20;
constexpr size_t kMoreThreads = 4;

struct AsyncGet {
  grpc::ClientContext context;
  Verification response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Verification>> reader;
};

// How many of the requests were under way at the same time.
int MostAtOnce(const Json& requests) {
  std::vector<std::pair<int64_t, int>> changes;
  for (const Json& request : requests) {
    changes.emplace_back(request["received_at_ms"], 1);
    changes.emplace_back(request["ended_at_ms"], -1);
  }
  std::sort(changes.begin(), changes.end());
  int now = 0;
  int most = 0;
  for (const auto& [time, change] : changes) most = std::max(most, now += change);
  return most;
}

class LoadTest : public testing::TestWithParam<int> {
 protected:
  static Json Config(const Sandbox& sandbox) {
    Json config = OneRequestPerCall(BasicConfig(sandbox.base_url()));
    config["shards"] = GetParam();
    config["drain"]["unary_grace"] = "500ms";
    config["limits"] = {{"max_in_flight_per_caller", kCalls},
                        {"max_streams_per_connection", kCalls}};
    return config;
  }

  // Starts all calls before it looks at any answer.
  std::vector<std::unique_ptr<AsyncGet>> GetAtOnce(const std::string& id) {
    VerificationService::Stub stub(client_.channel());
    grpc::CompletionQueue queue;
    GetVerificationRequest request;
    request.set_verification_id(id);
    std::vector<std::unique_ptr<AsyncGet>> calls;
    for (size_t i = 0; i < kCalls; ++i) {
      auto& call = *calls.emplace_back(std::make_unique<AsyncGet>());
      Prepare({}, call.context);
      call.reader = stub.AsyncGetVerification(&call.context, request, &queue);
      call.reader->Finish(&call.response, &call.status, &call);
    }
    void* tag = nullptr;
    bool ok = false;
    for (size_t i = 0; i < kCalls; ++i) queue.Next(&tag, &ok);
    return calls;
  }

  const Sandbox sandbox_;
  Gateway gateway_{Config(sandbox_), Transparent()};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_P(LoadTest, AnswersAThousandCallsInFlightAtOnceAndGivesEverythingBack) {
  const std::string id = Create(client_, "cust-1").id();
  const pid_t pid = gateway_.process().pid();
  const size_t threads_before = ThreadCount(pid);
  const size_t files_before = OpenFileCount(pid);
  sandbox_.ForgetRequests();
  // Longer than it takes to begin them all, even where everything is slow.
  sandbox_.AddFault({{"kind", "latency"}, {"milliseconds", 2000}});

  const auto calls = GetAtOnce(id);

  size_t succeeded = 0;
  for (const auto& call : calls) {
    if (call->status.ok() && call->response.id() == id) ++succeeded;
  }
  EXPECT_EQ(succeeded, kCalls);
  const Json requests = sandbox_.Requests();
  EXPECT_EQ(requests.size(), kCalls);
  EXPECT_EQ(MostAtOnce(requests), static_cast<int>(kCalls));
  const size_t files_allowed =
      files_before + kMoreFiles + kKeptConnections * static_cast<size_t>(GetParam());
  EXPECT_TRUE(WaitUntil([&] { return OpenFileCount(pid) <= files_allowed; }))
      << OpenFileCount(pid) << " files are open, " << files_before << " were";
  EXPECT_TRUE(WaitUntil([&] { return ThreadCount(pid) <= threads_before + kMoreThreads; }))
      << ThreadCount(pid) << " threads are left, " << threads_before << " were";
  EXPECT_EQ(gateway_.Stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Shards, LoadTest, testing::Values(1, 2),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace idv::e2e
