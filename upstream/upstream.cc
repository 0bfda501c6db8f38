#include "upstream/upstream.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "upstream/failure.h"

namespace idv {
namespace {

using kora::idv::gateway::v1::ANSWER_BODY_MAY_BE_EMPTY;
using kora::idv::gateway::v1::ANSWER_BODY_OPTIONAL;

bool IsSuccess(int http_status) { return http_status >= 200 && http_status < 300; }

}  // namespace

Upstream::Upstream(Loop& loop, const Options& options, Reports reports)
    : base_url_(options.base_url),
      health_url_(options.health_url),
      reports_(std::move(reports)),
      http_(loop, options.http) {}

Task<absl::Status> Upstream::Call(const Route& route, RestRequest request, const Sender* sender,
                                  TimePoint deadline, Cancellation& cancel, std::string& out,
                                  CallReport& report) {
  const TimePoint began = Clock::now();
  report = {.attempts = report.attempts, .stretches = std::move(report.stretches)};
  Task<absl::StatusOr<HttpResponse>> sending =
      http_.Send(ToHttp(route, std::move(request), sender), deadline, cancel, &report.sent);
  absl::StatusOr<HttpResponse> response = co_await sending;
  // One that found no connection was an attempt too.
  report.attempts += std::max(1, report.sent.times);
  const TimePoint ended = Clock::now();
  const int http_status = response.ok() ? response->status : 0;
  report.stretches.push_back({Stretch::Kind::kUpstream, began, ended, http_status});
  if (reports_.request) reports_.request(route, http_status, ended - began, report.sent.phases);
  if (!response.ok()) co_return ErrorMap::FromTransport(response.status());

  const auto now = std::chrono::system_clock::now();
  report.http_status = response->status;
  report.rate_limit = ReadRateLimit(*response, now);
  if (const auto etag = response->Header("ETag")) report.etag = std::string(*etag);
  if (IsSuccess(response->status)) co_return Read(route, *std::move(response), out);
  const absl::string_view api_key = sender != nullptr ? sender->api_key() : "";
  // A date in it is by the upstream's clock.
  const auto sent_at = SentAt(*response).value_or(now);
  absl::Status status =
      errors_.FromResponse(route, *std::move(response), parser_, api_key, sent_at);
  report.rate_limit.is_refused = report.http_status == 429 && !FailureOf(status).never_retry;
  co_return status;
}

HttpRequest Upstream::ToHttp(const Route& route, RestRequest request, const Sender* sender) const {
  HttpRequest http;
  http.verb = std::move(request.verb);
  http.url =
      route.options().target() == kora::idv::gateway::v1::TARGET_HEALTH && !health_url_.empty()
          ? health_url_
          : absl::StrCat(base_url_, request.target);
  http.headers = std::move(request.headers);
  http.body = std::move(request.body);
  if (sender != nullptr) http.shared_headers = &sender->headers();
  return http;
}

absl::Status Upstream::Read(const Route& route, HttpResponse response, std::string& out) {
  const auto answer_body = route.options().answer_body();
  if (response.body.empty() && answer_body == ANSWER_BODY_MAY_BE_EMPTY) return absl::OkStatus();
  absl::StatusOr<simdjson::dom::element> json = parser_.Parse(response.body);
  absl::Status status = json.status();
  if (json.ok()) {
    out.reserve(response.body.size());  // a message is hardly ever larger than its JSON
    status = route.Decode(*json, out,
                          [&](const Drift& drift) { reports_.drift(route.method(), drift); });
  }
  if (status.ok()) return status;
  if (answer_body == ANSWER_BODY_OPTIONAL) {
    out.clear();
    return absl::OkStatus();
  }
  return Fail(reason::kUpstreamBadResponse,
              absl::StrCat("the upstream's answer cannot be read: ", status.message()),
              Failure{.http_status = response.status});
}

}  // namespace idv
