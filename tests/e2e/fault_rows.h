#pragma once

#include <cstddef>
#include <vector>

#include "tests/e2e/attempt.h"
#include "tests/e2e/sandbox.h"

namespace idv::e2e {

inline const Told kError{grpc::StatusCode::INTERNAL, "UPSTREAM_ERROR", "vendor"};
inline const Told kPayloadTooLarge{grpc::StatusCode::INVALID_ARGUMENT, "UPSTREAM_PAYLOAD_TOO_LARGE",
                                   "caller"};

enum class Upload { kWhole, kCut };

// A fault of the sandbox, and what the callers of a GET, a small POST and an upload are told when
// each call is one request.
struct FaultRow {
  Json fault;
  Told get;
  Told post;
  Told upload;
  // Whether the upstream got all of the image.
  Upload image = Upload::kWhole;
  // As long as nothing of an answer has come, libcurl takes a kept connection that ends for one
  // that was dead before, and repeats what has no body on a new one.
  size_t gets_sent = 1;
};

inline FaultRow ForAll(const Json& fault, const Told& told, Upload image = Upload::kWhole) {
  return {fault, told, told, told, image};
}

inline Json StatusFault(int status, bool early = false) {
  Json fault = {{"kind", "status"}, {"status", status}, {"body", "{\"error\":\"as told\"}"}};
  if (early) fault["early"] = true;
  return fault;
}

inline std::vector<FaultRow> FaultRows() {
  std::vector<FaultRow> rows = {
      ForAll({{"kind", "latency"}, {"milliseconds", 50}}, kFine),
      ForAll({{"kind", "hang"}}, kTimedOut),
      ForAll(StatusFault(302), {grpc::StatusCode::INTERNAL, "UPSTREAM_UNEXPECTED_STATUS", "us"}),
      ForAll(StatusFault(400),
             {grpc::StatusCode::INVALID_ARGUMENT, "UPSTREAM_INVALID_REQUEST", "caller"}),
      ForAll(StatusFault(403), {grpc::StatusCode::PERMISSION_DENIED, "UPSTREAM_FORBIDDEN", "us"}),
      ForAll(StatusFault(404), {grpc::StatusCode::NOT_FOUND, "UPSTREAM_NOT_FOUND", "caller"}),
      ForAll(StatusFault(409),
             {grpc::StatusCode::FAILED_PRECONDITION, "UPSTREAM_CONFLICT", "caller"}),
      ForAll(StatusFault(413), kPayloadTooLarge),
      ForAll(StatusFault(429),
             {grpc::StatusCode::RESOURCE_EXHAUSTED, "UPSTREAM_RATE_LIMITED", "caller"}),
      ForAll(StatusFault(500), kError),
      ForAll(StatusFault(503), kUnavailable),
      ForAll(StatusFault(504), kTimedOut),
      ForAll(StatusFault(413, /*early=*/true), kPayloadTooLarge, Upload::kCut),
      ForAll(StatusFault(500, /*early=*/true), kError, Upload::kCut),
      ForAll({{"kind", "unauthorized"}, {"until_key", "another"}},
             {grpc::StatusCode::UNAVAILABLE, "UPSTREAM_CREDENTIAL_REJECTED", "us"}),
      ForAll({{"kind", "length_required"}}, kFine),
      ForAll({{"kind", "half_json"}}, kBadResponse),
      ForAll({{"kind", "html"}}, kBadResponse),
      ForAll({{"kind", "wrong_types"}}, kBadResponse),
      ForAll({{"kind", "unknown_keys"}}, kFine),
      ForAll({{"kind", "unknown_enums"}}, kFine),
      ForAll({{"kind", "large_header"}, {"bytes", 1'000'000}}, kTooLarge),
      ForAll({{"kind", "gzip_bomb"}, {"bytes", 1 << 30}}, kBadResponse),
      ForAll({{"kind", "endless"}}, kTooLarge),
      ForAll({{"kind", "endless"}, {"bytes_per_second", 1000}}, kTimedOut),
      ForAll({{"kind", "slow_writing"}, {"bytes_per_second", 100}}, kTimedOut),
      {{{"kind", "slow_reading"}, {"bytes_per_second", 100'000}},
       kFine,
       kFine,
       kTimedOut,
       Upload::kCut},
  };
  for (const char* const kind : {"reset", "close"}) {
    const auto add = [&](const char* at, const Told& told, Upload image, size_t gets_sent) {
      rows.push_back({{{"kind", kind}, {"at", at}}, told, told, told, image, gets_sent});
    };
    add("request_header", kLost, Upload::kCut, 2);
    add("request_body", kLost, Upload::kCut, 2);
    add("before_answer", kLost, Upload::kWhole, 2);
    add("during_answer", kLost, Upload::kWhole, 1);
    add("after_answer", kFine, Upload::kWhole, 1);
  }
  return rows;
}

}  // namespace idv::e2e
