#include "tests/chaos/random_faults.h"

#include <utility>

namespace idv::chaos {
namespace {

using e2e::Json;

// Which may be larger than anything that the gateway reads.
constexpr size_t kMaxHeaderBytes = 1'000'000;
constexpr size_t kMaxBombBytes = size_t{256} << 20;
constexpr size_t kMaxSpeed = 10'000'000;
// Too slow for large images; a still slower reader would not find for long that its client has
// gone.
constexpr size_t kMinReading = 400'000;

// One of each; what has a size or a speed gets it later.
std::vector<Json> Kinds() {
  std::vector<Json> kinds = {{{"kind", "unauthorized"}, {"until_key", "another"}}};
  for (const char* const plain :
       {"latency", "hang", "length_required", "half_json", "html", "wrong_types", "unknown_keys",
        "unknown_enums", "large_header", "gzip_bomb", "endless", "slow_reading", "slow_writing",
        // As often as there are classes of them.
        "status", "status", "status", "status", "status", "status"}) {
    kinds.push_back({{"kind", plain}});
  }
  for (const char* const end : {"reset", "close"}) {
    for (const char* const moment :
         {"request_header", "request_body", "before_answer", "during_answer", "after_answer"}) {
      kinds.push_back({{"kind", end}, {"at", moment}});
    }
  }
  return kinds;
}

// Told well, badly and in bad faith.
std::vector<std::string> ErrorBodies() {
  return {"",
          "{\"error\":\"as told\"}",
          "{\"code\":\"DOCUMENT_REQUIRED\",\"error\":\"as told\"}",
          "{\"code\":\"a code\\n100%\",\"error\":\"ends with \\u0000\\u007f\\u20ac\"}",
          "{\"code\":7,\"error\":[],\"details\":{\"retryAfter\":-1,\"maxAttemptsPerDay\":5}}",
          "{\"error\":\"" + std::string(20'000, '%') + "\"}",
          "<html>"};
}

}  // namespace

RandomFaults::RandomFaults(uint64_t seed, std::vector<std::string> endpoints)
    : random_(seed),
      endpoints_(std::move(endpoints)),
      faults_(Kinds()),
      statuses_({200, 204, 302, 400, 401, 403, 404, 408, 409, 410, 413,
                 418, 422, 429, 429, 500, 500, 502, 503, 504, 599}) {}

Json RandomFaults::Next() {
  Json fault = faults_.Deal(random_);
  const std::string kind = fault["kind"];
  ++by_kind_[kind];
  if (kind == "latency") fault["milliseconds"] = random_.Spread(1, 2000);
  if (kind == "large_header") fault["bytes"] = random_.Spread(10, kMaxHeaderBytes);
  if (kind == "gzip_bomb") fault["bytes"] = random_.Spread(1000, kMaxBombBytes);
  if (kind == "endless" && random_.Chance(0.5)) {
    fault["bytes_per_second"] = random_.Spread(100, kMaxSpeed);
  }
  if (kind == "slow_writing") fault["bytes_per_second"] = random_.Spread(10, kMaxSpeed);
  if (kind == "slow_reading") fault["bytes_per_second"] = random_.Spread(kMinReading, kMaxSpeed);
  if (kind == "status") fault.update(Status());
  AddConditions(fault);
  return fault;
}

Json RandomFaults::Status() {
  Json fault = {{"status", statuses_.Deal(random_)}, {"body", random_.Pick(ErrorBodies())}};
  if (random_.Chance(0.3)) fault["early"] = true;
  if (random_.Chance(0.3)) fault["content_type"] = "text/html";
  static const std::vector<Json> kHeaders = {
      {{"Retry-After", "2"}},
      {{"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"}},
      {{"Retry-After", "-99999999999999999999"}},
      {{"X-RateLimit-Remaining", "3"}},
      {{"Location", "http://127.0.0.1:1/elsewhere"}},
      {{"Content-Encoding", "gzip"}},
  };
  if (random_.Chance(0.5)) fault["headers"] = random_.Pick(kHeaders);
  return fault;
}

void RandomFaults::AddConditions(Json& fault) {
  if (random_.Chance(0.5)) {
    fault["times"] = random_.Spread(1, 50);
  } else {
    fault["for"] = std::to_string(random_.Spread(200, 2000)) + "ms";
  }
  const bool for_some = random_.Chance(0.4);
  if (for_some) {
    switch (random_.Below(4)) {
      case 0:
        fault["endpoint"] = random_.Pick(endpoints_);
        break;
      case 1:
        fault["method"] = random_.Chance(0.5) ? "GET" : "POST";
        break;
      case 2:
        fault["path_prefix"] = random_.Chance(0.5) ? "/verifications/" : "/alerts";
        break;
      default:
        fault["external_id_prefix"] = random_.Chance(0.5) ? "storm-" : "pool-";
        break;
    }
  }
  // What lasts and is for all leaves room for calls that succeed.
  if (!for_some || random_.Chance(0.3)) {
    fault["probability"] = static_cast<double>(random_.Spread(20, 300)) / 1000;
    fault["seed"] = random_.Below(1'000'000);
  }
  if (random_.Chance(0.1)) fault["tenant_id"] = e2e::kTenantId;
}

}  // namespace idv::chaos
