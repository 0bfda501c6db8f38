#include "metrics/status_findings.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include <algorithm>
#include <optional>

#include "metrics/human_text.h"
#include "metrics/lenient_json.h"

namespace idv {
namespace {

constexpr absl::Duration kLately = absl::Minutes(5);
constexpr absl::Duration kSoon = absl::Hours(14 * 24);
constexpr double kNearlyFull = 0.9;
constexpr std::size_t kMostNames = 3;

using Sentences = std::vector<std::string>;

// "a, b, c and 7 more".
std::string Enumerated(const Sentences& names) {
  const std::size_t shown = std::min(names.size(), kMostNames);
  std::string text = absl::StrJoin(names.begin(), names.begin() + static_cast<long>(shown), ", ");
  if (names.size() > shown) absl::StrAppend(&text, " and ", names.size() - shown, " more");
  return text;
}

void FindInTenants(const nlohmann::json& status, StatusFindings& findings) {
  Sentences rejected;
  Sentences missing;
  Sentences broken;
  Sentences spent;
  for (const nlohmann::json& tenant : Elements(Member(status, {"tenants"}))) {
    const std::string name = TextOf(Member(tenant, {"name"}));
    if (HasUnusableKey(tenant)) {
      const bool is_rejected = TextOf(Member(tenant, {"key", "state"})) == "rejected";
      (is_rejected ? rejected : missing).push_back(name);
    }
    const Sentences breakers = BreakersNotClosed(tenant);
    if (!breakers.empty()) {
      broken.push_back(absl::StrCat(name, " (", absl::StrJoin(breakers, ", "), ")"));
    }
    if (IsShortOfBudget(tenant)) spent.push_back(name);
  }
  const auto tell = [](Sentences& trouble, const char* what, const Sentences& whose) {
    if (!whose.empty()) trouble.push_back(absl::StrCat(what, Enumerated(whose)));
  };
  tell(findings.us.trouble, "The vendor refuses the API key of ", rejected);
  tell(findings.us.trouble, "No usable API key for ", missing);
  tell(findings.vendor.trouble, "The breaker is not closed for ", broken);
  tell(findings.caller.trouble, "The allowance is spent and calls wait for ", spent);
}

void FindFull(const nlohmann::json& used, const nlohmann::json& limit, const char* what,
              Sentences& trouble) {
  const auto most = NumberOf(limit);
  if (most && *most > 0 && NumberOf(used).value_or(0) >= kNearlyFull * *most) {
    trouble.push_back(absl::StrCat(what, " at its limit, or close to it"));
  }
}

std::optional<absl::Duration> LifeLeft(const nlohmann::json& certificate,
                                       const nlohmann::json& now) {
  const auto end = TimeOf(Member(certificate, {"expires_at"}));
  const auto present = TimeOf(now);
  if (!end || !present) return std::nullopt;
  return *end - *present;
}

void FindInProcess(const nlohmann::json& status, Sentences& trouble) {
  Sentences stalled;
  for (const nlohmann::json& shard : Elements(Member(status, {"shards"}))) {
    if (Member(shard, {"stalled"}) != true) continue;
    const auto index = NumberOf(Member(shard, {"index"}));
    stalled.push_back(index ? CountText(*index) : "unknown");
  }
  if (!stalled.empty()) trouble.push_back(absl::StrCat("Stalled: shard ", Enumerated(stalled)));
  FindFull(Member(status, {"calls", "in_flight"}), Member(status, {"calls", "in_flight_limit"}),
           "The number of calls in flight is", trouble);
  FindFull(Member(status, {"streams", "upload_memory"}),
           Member(status, {"streams", "upload_memory_limit"}), "Upload memory is", trouble);
  const nlohmann::json& now = Member(status, {"now"});
  for (const nlohmann::json& certificate : Elements(Member(status, {"certificates"}))) {
    const auto left = LifeLeft(certificate, now);
    if (!left || *left >= kSoon) continue;
    const std::string when = *left > absl::ZeroDuration()
                                 ? absl::StrCat(" expires in ", DurationText(*left))
                                 : " has expired";
    trouble.push_back(absl::StrCat(TextOf(Member(certificate, {"name"})), when));
  }
}

void FindInErrors(const nlohmann::json& status, StatusFindings& findings) {
  const auto now = TimeOf(Member(status, {"now"}));
  for (const nlohmann::json& error : Elements(Member(status, {"errors"}))) {
    const auto last = TimeOf(Member(error, {"last_at"}));
    if (!now || !last || *now - *last > kLately) continue;
    const std::string blame = TextOf(Member(error, {"blame"}));
    Findings* const whose = blame == "us"       ? &findings.us
                            : blame == "vendor" ? &findings.vendor
                            : blame == "caller" ? &findings.caller
                                                : nullptr;
    if (whose == nullptr) continue;
    whose->lately.push_back(
        absl::StrCat(TextOf(Member(error, {"reason"})), " ", AgeText(*last, *now)));
  }
}

}  // namespace

StatusFindings FindingsIn(const nlohmann::json& status) {
  StatusFindings findings;
  FindInTenants(status, findings);
  FindInProcess(status, findings.us.trouble);
  FindInErrors(status, findings);
  const bool is_unready =
      Member(status, {"ready"}) == false && Member(status, {"draining"}) != true;
  if (is_unready && findings.us.trouble.empty()) {
    findings.us.trouble.emplace_back("It is not ready, for what /readyz says");
  }
  return findings;
}

bool IsTroubled(const nlohmann::json& tenant) {
  return HasUnusableKey(tenant) || IsShortOfBudget(tenant) || !BreakersNotClosed(tenant).empty();
}

bool HasUnusableKey(const nlohmann::json& tenant) {
  const std::string state = TextOf(Member(tenant, {"key", "state"}));
  return !state.empty() && state != "usable";
}

bool IsShortOfBudget(const nlohmann::json& tenant) {
  return NumberOf(Member(tenant, {"budget", "remaining"})).value_or(1) <= 0 &&
         NumberOf(Member(tenant, {"budget", "waiting"})).value_or(0) > 0;
}

std::vector<std::string> BreakersNotClosed(const nlohmann::json& tenant) {
  Sentences breakers;
  for (const char* const name : {"read", "write", "upload"}) {
    const std::string state = TextOf(Member(tenant, {"breakers", name}));
    if (!state.empty() && state != "closed") breakers.push_back(absl::StrCat(name, " ", state));
  }
  return breakers;
}

bool ExpiresSoon(const nlohmann::json& certificate, const nlohmann::json& now) {
  const auto left = LifeLeft(certificate, now);
  return left && *left < kSoon;
}

}  // namespace idv
