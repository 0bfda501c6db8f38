#pragma once

#include <absl/strings/string_view.h>

#include "kora/idv/v1/verification.pb.h"
#include "upstream/route.h"

namespace idv::bench {

// The full verification of upstream-api.md, section 18: what every GET of a verification answers.
extern const absl::string_view kVerificationJson;

// What every call asks for.
inline constexpr char kVerificationId[] = "0b5d1c9e-1111-4222-8333-444455556666";

// What the gateway sends upstream, besides its User-Agent and Accept.
inline constexpr char kTenantId[] = "550e8400-e29b-41d4-a716-446655440000";
inline constexpr char kApiKey[] = "bench_sk_0123456789abcdef0123456789abcdef";

// The path of the upstream's API, and what a GET of a verification adds.
inline constexpr char kApiPath[] = "/api/v1/idv";
inline constexpr char kVerificationsPath[] = "/verifications/";

// The route of a method of VerificationService.
Route RouteOf(const char* method);

// kVerificationJson, decoded as the gateway does it.
kora::idv::v1::Verification SampleVerification();

}  // namespace idv::bench
