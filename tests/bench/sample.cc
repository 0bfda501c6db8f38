#include "tests/bench/sample.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "kora/idv/v1/verification_service.pb.h"
#include "upstream/json_value.h"

namespace idv::bench {
namespace {

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::abort();
}

}  // namespace

const absl::string_view kVerificationJson =
    R"({"id":"0b5d1c9e-1111-4222-8333-444455556666","externalId":"cust-7",)"
    R"("tenantId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","tier":"enhanced","status":"verified",)"
    R"("documentVerification":{"documentType":"international_passport","documentNumber":"X1",)"
    R"("firstName":"ADA","lastName":"OBI","dateOfBirth":"1991-02-03","expirationDate":"2031-02-03",)"
    R"("issuingCountry":"NG","mrzValid":true,"authenticityScore":0.9,)"
    R"("extractedFields":{"nationality":"NG"}},)"
    R"("faceVerification":{"matchScore":81.5,"matchResult":"match","confidence":0.9},)"
    R"("livenessVerification":{"livenessScore":77.2,"isLive":true,)"
    R"("challengeResults":[{"type":"blink","passed":true,"confidence":0.8}]},)"
    R"("scores":{"documentQuality":90.0,"documentAuth":85.0,"faceMatch":81.5,"liveness":77.2,)"
    R"("nameMatch":100.0,"nameMatchResult":{"hasExpectedNames":true},"dataConsistency":88.0,)"
    R"("complianceScore":100.0,"overall":86.0},)"
    R"("riskSignals":[{"code":"LOW_LIGHT","severity":"low","message":"dim picture"}],"riskScore":14,)"
    R"("decision":"auto_approve","decisionReason":"ok","metadata":{"source":"web"},)"
    R"("imagePersisted":true,"attemptCount":1,"maxAttemptsPerDay":5,)"
    R"("createdAt":"2026-01-02T03:04:05.123Z","updatedAt":"2026-01-02T03:06:00Z",)"
    R"("completedAt":"2026-01-02T03:06:00.123456789Z"})";

Route RouteOf(const char* method) {
  const auto* const service =
      kora::idv::v1::GetVerificationRequest::descriptor()->file()->FindServiceByName(
          "VerificationService");
  absl::StatusOr<Route> route = Route::Compile(*service->FindMethodByName(method));
  if (!route.ok()) Fail(route.status());
  return *std::move(route);
}

kora::idv::v1::Verification SampleVerification() {
  JsonParser parser;
  std::string text(kVerificationJson);
  const absl::StatusOr<simdjson::dom::element> json = parser.Parse(text);
  if (!json.ok()) Fail(json.status());
  std::string wire;
  const absl::Status status = RouteOf("GetVerification").Decode(*json, wire, [](const Drift&) {});
  if (!status.ok()) Fail(status);
  kora::idv::v1::Verification verification;
  if (!verification.ParseFromString(wire)) std::abort();
  return verification;
}

}  // namespace idv::bench
