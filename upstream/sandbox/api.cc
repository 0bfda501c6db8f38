#include "upstream/sandbox/api.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "upstream/sandbox/ascii.h"
#include "upstream/sandbox/fields.h"
#include "upstream/sandbox/handlers.h"
#include "upstream/sandbox/refusals.h"
#include "upstream/sandbox/target.h"

namespace idv::sandbox {
namespace {

enum class Reviewer { kNotNeeded, kNeeded };
enum class Images { kNone, kInBody };
enum class Limit { kOfPlan, kOfReports };

struct Route {
  std::string_view method;
  std::string_view path;  // below the base; "*" stands for one segment
  Response (*handler)(const Call&);
  std::optional<Scope> scope;  // none = no key needed
  Reviewer reviewer = Reviewer::kNotNeeded;
  Images images = Images::kNone;
  Limit limit = Limit::kOfPlan;
};

constexpr Scope kRead = Scope::kVerificationsRead;
constexpr Scope kWrite = Scope::kVerificationsWrite;
constexpr Reviewer kAny = Reviewer::kNotNeeded;
constexpr Images kNone = Images::kNone;

// "100 requests/min per tenant" (upstream-api.md section 14), whatever the plan.
constexpr Plan kReportLimit = {"reports", 100, 6'000};

// The 18 endpoints, and the two of reports, which only the vendor's server SDK knows.
constexpr std::array<Route, 20> kRoutes = {{
    {"POST", "verifications", CreateVerification, kWrite},
    {"GET", "verifications/*", GetVerification, kRead},
    {"GET", "subjects/*/verifications", ListSubjectVerifications, kRead},
    {"POST", "verifications/*/complete", CompleteVerification, kWrite, kAny, Images::kInBody},
    {"POST", "verifications/*/review", ReviewVerification, Scope::kReviewsWrite, Reviewer::kNeeded},
    {"POST", "verifications/*/document", UploadDocument, kWrite, kAny, Images::kInBody},
    {"POST", "verifications/*/document/back", UploadDocumentBack, kWrite, kAny, Images::kInBody},
    {"POST", "verifications/*/selfie", UploadSelfie, kWrite, kAny, Images::kInBody},
    {"POST", "verifications/*/liveness/session", CreateLivenessSession, kWrite},
    {"POST", "verifications/*/liveness/challenge", SubmitLivenessChallenge, kWrite, kAny,
     Images::kInBody},
    {"POST", "verifications/*/liveness/frames", SubmitLivenessFrames, kWrite, kAny,
     Images::kInBody},
    {"GET", "verifications/*/liveness", GetLiveness, kRead},
    {"GET", "verifications/*/images", ListImages, kRead},
    {"GET", "verifications/*/images/*", GetImageUrl, kRead},
    {"GET", "alerts", ListAlerts, Scope::kAlertsRead},
    {"POST", "alerts/*/resolve", ResolveAlert, Scope::kAlertsWrite, Reviewer::kNeeded},
    {"GET", "document-types", ListDocumentTypes, Scope::kReferenceRead},
    {"GET", "health", GetHealth, std::nullopt},
    {"GET", "verifications/*/report", GetReport, kRead, kAny, kNone, Limit::kOfReports},
    {"POST", "reports/bulk", GetReports, kRead, kAny, kNone, Limit::kOfReports},
}};

using Variables = std::vector<std::string>;

// The decoded variables if the path fits the pattern.
std::optional<Variables> Match(std::string_view pattern, const std::vector<std::string>& segments) {
  Variables variables;
  for (const std::string& segment : segments) {
    const std::size_t end = pattern.find('/');
    const std::string_view expected = pattern.substr(0, end);
    if (expected == "*" && !segment.empty()) {
      variables.push_back(segment);
    } else if (expected.empty() || expected != segment) {
      return std::nullopt;
    }
    pattern = end == std::string_view::npos ? std::string_view() : pattern.substr(end + 1);
  }
  if (!pattern.empty()) return std::nullopt;
  return variables;
}

struct RouteMatch {
  const Route* route = nullptr;  // nullptr: none
  Variables variables;
  std::string allowed;  // the method, of a path that exists under another one
};

RouteMatch FindRoute(const RequestHead& head) {
  RouteMatch match;
  // Health is also on the host root, where the vendor's server SDK looks for it.
  const auto below = head.path == "/health" ? head.path : PathBelowBase(head.path);
  if (!below) return match;
  const auto segments = Segments(*below);
  if (!segments) return match;
  for (const Route& route : kRoutes) {
    auto variables = Match(route.path, *segments);
    if (!variables) continue;
    if (route.method == head.method) return {&route, std::move(*variables), {}};
    match.allowed = route.method;
  }
  return match;
}

Response RefuseRoute(const RouteMatch& match) {
  if (match.allowed.empty()) return Refuse(404, "NOT_FOUND", "There is no such endpoint.");
  return RefuseMethod(match.allowed);
}

std::string NameOf(const Route& route) {
  return std::string(route.method) + " /" + std::string(route.path);
}

// Nothing if the key is one of that tenant's. Codes and the choices between 400, 401 and 403 are
// ours; the docs give the statuses' meanings only.
std::optional<Response> RefuseTenant(const RequestHead& head, const Grant* grant) {
  if (grant == nullptr) {
    return Refuse(401, "INVALID_API_KEY", "The API key is missing or not known.");
  }
  const std::string* const tenant = head.Header("x-tenant-id");
  // The caller is known; what is missing is a part of the request.
  if (tenant == nullptr || tenant->empty()) return RefuseField("X-Tenant-ID", "required");
  // The key is good, but not for that: "key lacks permission".
  if (!EqualsIgnoringCase(*tenant, grant->tenant_id)) {
    return Refuse(403, "INVALID_TENANT_ID", "The API key is not of that tenant.");
  }
  return std::nullopt;
}

// The documented 429.
Response RefuseOverLimit(std::chrono::seconds retry_after) {
  Response response{.status = 429,
                    .body = Dump({{"code", "RATE_LIMIT_EXCEEDED"},
                                  {"error", "The limit of requests is exceeded."},
                                  {"details", {{"retryAfter", retry_after.count()}}}})};
  response.headers.emplace_back("Retry-After", std::to_string(retry_after.count()));
  return response;
}

void AddHeaders(const RateLimiter::Verdict& verdict, Response& response) {
  const auto reset = std::chrono::ceil<std::chrono::seconds>(verdict.reset.time_since_epoch());
  response.headers.emplace_back("X-RateLimit-Limit", std::to_string(verdict.limit));
  response.headers.emplace_back("X-RateLimit-Remaining", std::to_string(verdict.remaining));
  response.headers.emplace_back("X-RateLimit-Reset", std::to_string(reset.count()));
}

// `grant`: of the caller, if the route needs one.
Response Serve(const Route& route, const Grant* grant, Call call) {
  if (route.scope && !grant->Allows(*route.scope)) {
    return Refuse(403, "FORBIDDEN",
                  "The API key lacks the scope " + std::string(ScopeName(*route.scope)) + ".");
  }
  if (route.reviewer == Reviewer::kNeeded) {
    const std::string* const header = call.head.Header("x-reviewer-id");
    if (header == nullptr || header->empty()) return RefuseField("X-Reviewer-ID", "required");
    call.reviewer = *header;
  }
  return route.handler(call);
}

}  // namespace

Response Api::Handle(const RequestHead& head, std::string_view body, Time now) {
  if (ImageStorage::IsImagePath(head.path)) return images_.Serve(head, now);
  RouteMatch match = FindRoute(head);
  if (match.route == nullptr) return RefuseRoute(match);
  const Route& route = *match.route;

  const Grant* const grant = tenants_.Find(BearerKey(head));
  if (route.scope) {
    if (auto refusal = RefuseTenant(head, grant)) return std::move(*refusal);
  }
  match.variables.resize(2);
  Call call{.store = store_,
            .images = images_,
            .head = head,
            .body = body,
            .tenant_id = grant == nullptr ? std::string_view() : grant->tenant_id,
            .reviewer = {},
            .id = std::move(match.variables[0]),
            .image_type = std::move(match.variables[1]),
            .now = now};
  if (!route.scope || grant->plan == nullptr) return Serve(route, grant, std::move(call));

  const bool is_report = route.limit == Limit::kOfReports;
  const RateLimiter::Verdict verdict =
      (is_report ? report_limiter_ : limiter_)
          .Take(grant->tenant_id, is_report ? kReportLimit : *grant->plan, now);
  Response response = verdict.retry_after ? RefuseOverLimit(*verdict.retry_after)
                                          : Serve(route, grant, std::move(call));
  AddHeaders(verdict, response);
  return response;
}

void Api::Reset() {
  store_.Clear();
  limiter_.Clear();
  report_limiter_.Clear();
}

bool Api::CarriesImages(const RequestHead& head) {
  const RouteMatch match = FindRoute(head);
  return match.route != nullptr && match.route->images == Images::kInBody;
}

std::string Api::EndpointOf(const RequestHead& head) {
  const RouteMatch match = FindRoute(head);
  return match.route == nullptr ? "" : NameOf(*match.route);
}

bool Api::IsEndpoint(std::string_view name) {
  return std::any_of(kRoutes.begin(), kRoutes.end(),
                     [name](const Route& route) { return NameOf(route) == name; });
}

std::string Api::ExternalIdOf(const RequestHead& head, std::string_view body) const {
  const RouteMatch match = FindRoute(head);
  if (match.route == nullptr) return {};
  if (match.route->handler == ListSubjectVerifications) return match.variables.front();
  if (match.route->handler == CreateVerification) {
    const auto json = ParseBody(head, body, BodyRule::kRequired);
    if (std::holds_alternative<Response>(json)) return {};
    return Fields(std::get<Json>(json)).OptionalText("externalId").value_or("");
  }
  if (match.variables.empty()) return {};
  const std::string* const external_id = store_.ExternalIdOf(match.variables.front());
  return external_id == nullptr ? "" : *external_id;
}

std::string BearerKey(const RequestHead& head) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string* const header = head.Header("authorization");
  if (header == nullptr || header->compare(0, kBearer.size(), kBearer) != 0) return {};
  return header->substr(kBearer.size());
}

std::string_view FaultPath(const RequestHead& head) {
  return PathBelowBase(head.path).value_or(head.path);
}

}  // namespace idv::sandbox
