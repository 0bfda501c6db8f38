#include "auth/token_verifier.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "auth/fetch.h"
#include "auth/read_file.h"

namespace idv {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using WallClock = TokenVerifier::WallClock;

constexpr size_t kMaxTokenBytes = size_t{8} << 10;
constexpr size_t kMaxIdentityBytes = 512;
constexpr size_t kMaxJwksBytes = size_t{1} << 20;

// Of key sets at URLs. Whoever sends tokens by unknown keys can have them fetched as often as this.
constexpr Refresher::Options kFetches{.poll = std::chrono::minutes(5),
                                      .least_interval = std::chrono::seconds(10)};

// The claims, of which nobody knows yet who made them.
std::optional<json> ClaimsOf(const std::string& token) {
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  std::string text;
  if (parts.size() != 3 || !absl::WebSafeBase64Unescape(parts[1], &text)) return std::nullopt;
  json claims = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!claims.is_object()) return std::nullopt;
  return claims;
}

std::string TextOf(const json& claims, const std::string& name) {
  const auto claim = claims.find(name);
  return claim != claims.end() && claim->is_string() ? claim->get<std::string>() : "";
}

// A NumericDate; nothing for what is none.
std::optional<WallClock::time_point> TimeOf(const json& claims, const char* name) {
  constexpr double kLatest = 32'503'680'000;  // the year 3000
  const auto claim = claims.find(name);
  if (claim == claims.end() || !claim->is_number()) return std::nullopt;
  const double value = claim->get<double>();
  if (value < 0 || value > kLatest) return std::nullopt;
  return WallClock::time_point(seconds(static_cast<int64_t>(value)));
}

bool IsFor(const json& claims, const std::string& audience) {
  const auto claim = claims.find("aud");
  if (claim == claims.end()) return false;
  return claim->is_array() ? std::find(claim->begin(), claim->end(), audience) != claim->end()
                           : *claim == audience;
}

bool IsIdentity(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxIdentityBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
}

}  // namespace

TokenVerifier::TokenVerifier(std::vector<Issuer> issuers, Reports reports, size_t tokens_kept)
    : issuers_(std::move(issuers)),
      reports_(std::move(reports)),
      tokens_kept_(tokens_kept),
      keys_(issuers_.size()),
      problems_(issuers_.size()),
      fetches_(issuers_.size()) {}

absl::StatusOr<bool> TokenVerifier::Load() {
  std::vector<std::string> problems;
  bool is_new = false;
  for (size_t i = 0; i < issuers_.size(); ++i) {
    const std::string& path = issuers_[i].jwks_file;
    if (path.empty()) continue;
    const auto fail = [&](absl::string_view what) {
      problems.push_back(absl::StrCat("authentication.jwt[", i, "].jwks_file: ", what));
    };
    absl::StatusOr<std::string> text = ReadFile(path, kMaxJwksBytes);
    if (!text.ok()) {
      fail(text.status().message());
      continue;
    }
    const absl::StatusOr<bool> taken = Take(i, *std::move(text));
    if (!taken.ok()) fail(absl::StrCat(path, " holds ", taken.status().message()));
    is_new = is_new || taken.value_or(false);
  }
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  return is_new;
}

absl::Status TokenVerifier::Fetch() {
  std::vector<std::string> problems;
  for (size_t i = 0; i < issuers_.size(); ++i) {
    if (issuers_[i].jwks_url.empty()) continue;
    const absl::StatusOr<bool> fetched = FetchOne(i);
    problems_[i] = std::string(fetched.status().message());
    if (!fetched.ok()) problems.push_back(problems_[i]);
    if (!refresher_) refresher_.emplace(kFetches);
    fetches_[i] = refresher_->Add([this, i] { FetchAgain(i); });
  }
  if (!problems.empty()) return absl::UnavailableError(absl::StrJoin(problems, "\n"));
  return absl::OkStatus();
}

// True if the keys are new.
absl::StatusOr<bool> TokenVerifier::FetchOne(size_t issuer) {
  const std::string path = absl::StrCat("authentication.jwt[", issuer, "].jwks_url: ");
  const Issuer& of = issuers_[issuer];
  const absl::StatusOr<FetchResponse> response =
      Fetcher().Fetch({.url = of.jwks_url, .headers = {}, .json = {}, .ca_file = of.jwks_ca_file});
  if (!response.ok())
    return absl::UnavailableError(path + std::string(response.status().message()));
  if (response->status != 200) {
    return absl::UnavailableError(absl::StrCat(path, "the answer was ", response->status));
  }
  absl::StatusOr<bool> taken = Take(issuer, response->body);
  if (!taken.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, "it gave ", taken.status().message()));
  }
  return taken;
}

void TokenVerifier::FetchAgain(size_t issuer) {
  const absl::StatusOr<bool> fetched = FetchOne(issuer);
  const std::string problem(fetched.status().message());
  if (fetched.ok() && *fetched) {
    reports_.on_news(absl::StrCat("the keys of authentication.jwt[", issuer, "]"));
  }
  if (std::exchange(problems_[issuer], problem) != problem && !fetched.ok()) {
    reports_.on_problem(fetched.status());
  }
}

// True if it is another one than before.
absl::StatusOr<bool> TokenVerifier::Take(size_t issuer, std::string text) {
  absl::StatusOr<JsonWebKeySet> set = JsonWebKeySet::Parse(text);
  if (!set.ok()) return set.status();
  const std::lock_guard lock(mutex_);
  if (keys_[issuer] != nullptr && keys_[issuer]->text == text) return false;
  keys_[issuer] = std::make_shared<const Keys>(Keys{std::move(text), *std::move(set)});
  // A key that is not there any more is not trusted any more.
  recent_.clear();
  older_.clear();
  return true;
}

std::optional<std::string> TokenVerifier::Verify(absl::string_view token,
                                                 WallClock::time_point now) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = recent_.find(token); found != recent_.end()) {
      if (now < found->second.end) return found->second.identity;
      return std::nullopt;
    }
    if (const auto found = older_.find(token); found != older_.end() && now < found->second.end) {
      const Verified verified = found->second;
      Remember(std::string(token), verified);
      return verified.identity;
    }
  }
  if (token.size() > kMaxTokenBytes) return std::nullopt;
  std::string text(token);
  std::optional<Verified> verified = VerifyAnew(text, now);
  if (!verified) return std::nullopt;
  return std::move(verified->identity);
}

// Under the lock. What was not used since `recent_` was last filled is forgotten.
void TokenVerifier::Remember(std::string token, const Verified& verified) {
  if (recent_.size() >= tokens_kept_) older_ = std::exchange(recent_, {});
  recent_.insert_or_assign(std::move(token), verified);
}

std::optional<TokenVerifier::Claimed> TokenVerifier::Claims(const std::string& token,
                                                            WallClock::time_point now) const {
  const std::optional<json> claims = ClaimsOf(token);
  if (!claims) return std::nullopt;
  const auto issuer = std::find_if(issuers_.begin(), issuers_.end(), [&](const Issuer& one) {
    return one.issuer == TextOf(*claims, "iss");
  });
  if (issuer == issuers_.end()) return std::nullopt;
  const auto expires = TimeOf(*claims, "exp");
  if (!expires || now >= *expires + kLeeway) return std::nullopt;
  if (claims->contains("nbf")) {
    const auto begins = TimeOf(*claims, "nbf");
    if (!begins || now < *begins - kLeeway) return std::nullopt;
  }
  if (!IsFor(*claims, issuer->audience)) return std::nullopt;
  Verified verified{TextOf(*claims, issuer->identity_claim), *expires + kLeeway};
  if (!IsIdentity(verified.identity)) return std::nullopt;
  return Claimed{static_cast<size_t>(issuer - issuers_.begin()), std::move(verified)};
}

std::optional<TokenVerifier::Verified> TokenVerifier::VerifyAnew(const std::string& token,
                                                                 WallClock::time_point now) {
  std::optional<Claimed> claimed = Claims(token, now);
  if (!claimed) return std::nullopt;
  const std::shared_ptr<const Keys> keys = KeysOf(claimed->issuer);
  if (keys == nullptr || !keys->set.IsGenuine(token)) return std::nullopt;

  const std::lock_guard lock(mutex_);
  // Keys that have changed meanwhile would not be asked again.
  if (keys == keys_[claimed->issuer]) Remember(token, claimed->verified);
  return std::move(claimed->verified);
}

std::shared_ptr<const TokenVerifier::Keys> TokenVerifier::KeysOf(size_t issuer) {
  const std::lock_guard lock(mutex_);
  return keys_[issuer];
}

std::unique_ptr<Refresher::Wait> TokenVerifier::AwaitNewKeys(absl::string_view token,
                                                             WallClock::time_point now,
                                                             std::function<void()> on_done) {
  if (!refresher_ || token.size() > kMaxTokenBytes) return nullptr;
  const std::string text(token);
  const std::optional<Claimed> claimed = Claims(text, now);
  if (!claimed) return nullptr;
  const std::shared_ptr<Refresher::Job>& fetch = fetches_[claimed->issuer];
  if (fetch == nullptr || !refresher_->IsNear(*fetch)) return nullptr;
  const std::shared_ptr<const Keys> keys = KeysOf(claimed->issuer);
  if (keys != nullptr && keys->set.HasKeyOf(text)) return nullptr;
  return std::make_unique<Refresher::Wait>(*refresher_, fetch, Refresher::Wait::For::kRunning,
                                           std::move(on_done));
}

std::vector<std::string> TokenVerifier::files() const {
  std::vector<std::string> files;
  files.reserve(issuers_.size());
  for (const Issuer& issuer : issuers_) {
    if (!issuer.jwks_file.empty()) files.push_back(issuer.jwks_file);
  }
  return files;
}

}  // namespace idv
