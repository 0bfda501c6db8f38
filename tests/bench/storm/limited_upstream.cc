#include "tests/bench/storm/limited_upstream.h"

#include <nlohmann/json.hpp>

#include "tests/bench/sample.h"
#include "tests/bench/storm/http.h"
#include "tests/bench/storm/sandbox_key.h"

namespace idv::bench::storm {

namespace {

// Of a vendor beyond this machine.
constexpr char kLatency[] = "80ms";

}  // namespace

// A client that repeats a creation whose answer it missed is not to run out of attempts.
LimitedUpstream::LimitedUpstream(const std::string& plan)
    : listener_(IDV_SANDBOX_PATH, {"--listen", "127.0.0.1:0", "--plan", plan, "--attempts-per-day",
                                   "0", "--latency", kLatency}) {}

// Creates them in the future: a window of the rate limit begins anew when the clock goes back. The
// clock must go back, since the gateway compares X-RateLimit-Reset with its own.
std::vector<std::string> LimitedUpstream::CreateVerifications(size_t count) const {
  AdvanceClock("2h");
  std::vector<std::string> ids;
  for (size_t i = 0; i < count; ++i) {
    ids.push_back(CreateVerification("polled-" + std::to_string(i)));
  }
  SendHttp("DELETE", root_url() + "/__sandbox/clock");
  return ids;
}

std::string LimitedUpstream::CreateVerification(const std::string& external_id) const {
  const std::string body = nlohmann::json({{"externalId", external_id}}).dump();
  const std::vector<std::string> headers = {std::string("Authorization: Bearer ") + kSandboxKey,
                                            std::string("X-Tenant-ID: ") + kTenantId,
                                            "Content-Type: application/json"};
  const auto create = [&] {
    return SendHttp("POST", root_url() + kApiPath + "/verifications", body, headers);
  };
  HttpAnswer answer = create();
  if (answer.status == 429) {
    AdvanceClock("61s");
    answer = create();
  }
  if (answer.status != 201) {
    throw Broken("the sandbox creates no verification: " + std::to_string(answer.status));
  }
  return answer.body.at("id").get<std::string>();
}

void LimitedUpstream::AdvanceClock(const std::string& duration) const {
  const std::string body = nlohmann::json({{"advance", duration}}).dump();
  if (SendHttp("POST", root_url() + "/__sandbox/clock", body).status != 200) {
    throw Broken("the sandbox's clock does not move");
  }
}

}  // namespace idv::bench::storm
