#include "auth/token_verifier.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "auth/read_file.h"

namespace idv {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using WallClock = TokenVerifier::WallClock;

constexpr size_t kMaxTokenBytes = size_t{8} << 10;
constexpr size_t kMaxIdentityBytes = 512;
constexpr size_t kMaxJwksBytes = size_t{1} << 20;

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

TokenVerifier::TokenVerifier(std::vector<Issuer> issuers, size_t tokens_kept)
    : issuers_(std::move(issuers)), tokens_kept_(tokens_kept), keys_(issuers_.size()) {}

absl::StatusOr<bool> TokenVerifier::Load() {
  std::vector<std::string> problems;
  bool is_new = false;
  for (size_t i = 0; i < issuers_.size(); ++i) {
    const auto fail = [&](absl::string_view what) {
      problems.push_back(absl::StrCat("authentication.jwt[", i, "].jwks_file: ", what));
    };
    const std::string& path = issuers_[i].jwks_file;
    absl::StatusOr<std::string> text = ReadFile(path, kMaxJwksBytes);
    if (!text.ok()) {
      fail(text.status().message());
      continue;
    }
    absl::StatusOr<JsonWebKeySet> set = JsonWebKeySet::Parse(*text);
    if (!set.ok()) {
      fail(absl::StrCat(path, " holds ", set.status().message()));
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (keys_[i] != nullptr && keys_[i]->text == *text) continue;
    keys_[i] = std::make_shared<const Keys>(Keys{*std::move(text), *std::move(set)});
    is_new = true;
    // A key that is not there any more is not trusted any more.
    recent_.clear();
    older_.clear();
  }
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
  return is_new;
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

std::optional<TokenVerifier::Verified> TokenVerifier::VerifyAnew(const std::string& token,
                                                                 WallClock::time_point now) {
  const std::optional<json> claims = ClaimsOf(token);
  if (!claims) return std::nullopt;
  const auto issuer = std::find_if(issuers_.begin(), issuers_.end(), [&](const Issuer& one) {
    return one.issuer == TextOf(*claims, "iss");
  });
  if (issuer == issuers_.end()) return std::nullopt;

  std::shared_ptr<const Keys> keys;
  {
    const std::lock_guard lock(mutex_);
    keys = keys_[static_cast<size_t>(issuer - issuers_.begin())];
  }
  if (keys == nullptr || !keys->set.IsGenuine(token)) return std::nullopt;

  const auto expires = TimeOf(*claims, "exp");
  if (!expires || now >= *expires + kLeeway) return std::nullopt;
  if (claims->contains("nbf")) {
    const auto begins = TimeOf(*claims, "nbf");
    if (!begins || now < *begins - kLeeway) return std::nullopt;
  }
  if (!IsFor(*claims, issuer->audience)) return std::nullopt;
  Verified verified{TextOf(*claims, issuer->identity_claim), *expires + kLeeway};
  if (!IsIdentity(verified.identity)) return std::nullopt;

  const std::lock_guard lock(mutex_);
  // Keys that have changed meanwhile would not be asked again.
  if (keys == keys_[static_cast<size_t>(issuer - issuers_.begin())]) Remember(token, verified);
  return verified;
}

std::vector<std::string> TokenVerifier::files() const {
  std::vector<std::string> files;
  files.reserve(issuers_.size());
  for (const Issuer& issuer : issuers_) files.push_back(issuer.jwks_file);
  return files;
}

}  // namespace idv
