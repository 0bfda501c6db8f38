#include "tests/e2e/attempt.h"

#include <gtest/gtest.h>

#include "kora/idv/v1/fraud_alert_service.grpc.pb.h"
#include "kora/idv/v1/reference_service.grpc.pb.h"
#include "kora/idv/v1/verification_service.grpc.pb.h"

namespace idv::e2e {

using kora::idv::v1::FraudAlertService;
using kora::idv::v1::ReferenceService;
using kora::idv::v1::VerificationService;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr int kTries = 3;

template <typename Stub, typename Request, typename Response>
Attempt Try(const Client& client, milliseconds timeout,
            grpc::Status (Stub::*rpc)(grpc::ClientContext*, const Request&, Response*),
            const Request& request) {
  return Timed(timeout, [&] { return client.Call(rpc, request, {.timeout = timeout}); });
}

}  // namespace

bool Attempt::late() const {
  // Without details it is the caller's library that speaks, since it heard nothing in time.
  const bool unheard = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && !has_details;
  return unheard || took > timeout + kLateness;
}

std::string Describe(const Outcome& outcome) {
  if (outcome.ok()) return "OK";
  const auto blame = outcome.info.metadata().find("blame");
  return outcome.reason() + "/" +
         (blame == outcome.info.metadata().end() ? "nobody" : blame->second);
}

Attempt Timed(milliseconds timeout, const std::function<Outcome()>& call) {
  const auto start = steady_clock::now();
  Outcome outcome = call();
  const auto took = steady_clock::now() - start;
  return {std::move(outcome), std::chrono::duration_cast<milliseconds>(took), timeout};
}

Attempt InTime(const std::function<Attempt()>& call) {
  Attempt attempt = call();
  for (int i = 1; i < kTries && attempt.late(); ++i) attempt = call();
  return attempt;
}

void ExpectTold(const Attempt& attempt, const Told& told) {
  SCOPED_TRACE(testing::PrintToString<Outcome>(attempt));
  EXPECT_EQ(attempt.status.error_code(), told.code);
  EXPECT_EQ(Describe(attempt), told.reason.empty() ? "OK" : told.reason + "/" + told.blame);
  EXPECT_LE(attempt.took, attempt.timeout + kLateness);
}

Attempt TryGet(const Client& client, milliseconds timeout) {
  return Try(client, timeout, &FraudAlertService::Stub::ListFraudAlerts, {});
}

Attempt TryPost(const Client& client, milliseconds timeout, const std::string& external_id) {
  kora::idv::v1::CreateVerificationRequest request;
  request.set_external_id(external_id);
  return Try(client, timeout, &VerificationService::Stub::CreateVerification, request);
}

Attempt TryHealth(const Client& client, milliseconds timeout) {
  return Try(client, timeout, &ReferenceService::Stub::GetUpstreamHealth, {});
}

}  // namespace idv::e2e
