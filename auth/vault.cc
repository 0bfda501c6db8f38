#include "auth/vault.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "auth/read_file.h"

namespace idv {
namespace {

using nlohmann::json;
using std::chrono::seconds;

// A server that did not answer is left alone for so long, so that a thousand secrets do not each
// wait for it.
constexpr seconds kRest{1};

// When the token is renewed, of the time it has: early, since it is only looked at when a secret is
// read.
constexpr double kRenewAfter = 1.0 / 3;

constexpr size_t kMaxJwtBytes = size_t{16} << 10;

// The object or value at the end of the keys; null if there is none.
json* Find(json& object, std::initializer_list<const char*> keys) {
  json* at = &object;
  for (const char* const key : keys) {
    if (!at->is_object() || !at->contains(key)) return nullptr;
    at = &(*at)[key];
  }
  return at;
}

int64_t NumberAt(json& object, std::initializer_list<const char*> keys) {
  const json* const number = Find(object, keys);
  return number != nullptr && number->is_number_integer() ? number->get<int64_t>() : 0;
}

// Moved out, so that the object holds it no longer; "" if there is none.
std::string TakeText(json& object, std::initializer_list<const char*> keys) {
  json* const text = Find(object, keys);
  return text != nullptr && text->is_string() ? std::move(text->get_ref<std::string&>()) : "";
}

absl::Status Because(const absl::Status& status, absl::string_view of_what) {
  return {status.code(), absl::StrCat(of_what, ": ", status.message())};
}

absl::Status OfHttpStatus(int http_status) {
  switch (http_status) {
    case 403:
      return absl::PermissionDeniedError("vault refuses the token, or its policy forbids this");
    case 404:
      return absl::NotFoundError("vault has nothing there");
    case 503:
      return absl::UnavailableError("vault is sealed");
    default:
      return absl::UnavailableError(absl::StrCat("vault answered with ", http_status));
  }
}

}  // namespace

absl::StatusOr<Vault::Version> Vault::Read(const std::string& path, const std::string& field) {
  const std::lock_guard lock(mutex_);
  absl::StatusOr<Version> version = ReadOnce(path, field);
  if (absl::IsPermissionDenied(version.status())) {
    token_ = Secret();  // another one may be had
    version = ReadOnce(path, field);
  }
  if (!version.ok()) return Because(version.status(), absl::StrCat(path, ", field ", field));
  return version;
}

absl::StatusOr<Vault::Version> Vault::ReadOnce(const std::string& path, const std::string& field) {
  if (absl::Status status = EnsureToken(); !status.ok()) return status;
  absl::StatusOr<json> answer = Ask(path, std::nullopt);
  if (!answer.ok()) return answer.status();
  const int64_t number = NumberAt(*answer, {"data", "metadata", "version"});
  if (number == 0) {
    return absl::InvalidArgumentError(
        "vault's answer is of no key/value engine of version 2; its paths are MOUNT/data/NAME");
  }
  absl::StatusOr<Secret> secret =
      CheckedSecret(TakeText(*answer, {"data", "data", field.c_str()}), "what it holds as text");
  if (!secret.ok()) return secret.status();
  return Version{number, *std::move(secret)};
}

absl::Status Vault::EnsureToken() {
  if (!options_.token_file.empty()) {
    if (absl::Status status = TakeTokenFromFile(); !status.ok()) return status;
  } else if (token_.value().empty()) {
    return LogIn();
  }
  if (!renew_at_ || Clock::now() < *renew_at_) return absl::OkStatus();
  const absl::Status renewed = Renew();
  return renewed.ok() || !options_.token_file.empty() ? renewed : LogIn();
}

absl::Status Vault::TakeTokenFromFile() {
  absl::StatusOr<Secret> token = ReadSecretFile(options_.token_file);
  if (!token.ok()) return token.status();
  if (token->value() == token_.value()) return absl::OkStatus();
  token_ = *std::move(token);
  renew_at_.reset();
  absl::StatusOr<json> known = Ask("auth/token/lookup-self", std::nullopt);
  if (!known.ok()) {
    token_ = Secret();
    return Because(known.status(), options_.token_file);
  }
  const json* const renewable = Find(*known, {"data", "renewable"});
  const bool is_renewable = renewable != nullptr && *renewable == json(true);
  if (is_renewable) ScheduleRenewal(NumberAt(*known, {"data", "ttl"}));
  return absl::OkStatus();
}

absl::Status Vault::LogIn() {
  token_ = Secret();
  absl::StatusOr<std::string> jwt = ReadFile(options_.jwt_file, kMaxJwtBytes);
  if (!jwt.ok()) return jwt.status();
  absl::StripTrailingAsciiWhitespace(&*jwt);
  const json question = {{"role", options_.role}, {"jwt", *jwt}};
  absl::StatusOr<json> answer = Ask(absl::StrCat("auth/", options_.mount, "/login"), question);
  if (!answer.ok()) {
    return Because(answer.status(), absl::StrCat("the login as ", options_.role));
  }
  token_ = Secret(TakeText(*answer, {"auth", "client_token"}));
  if (token_.value().empty()) return absl::UnavailableError("vault gave no token for the login");
  ScheduleRenewal(NumberAt(*answer, {"auth", "lease_duration"}));
  return absl::OkStatus();
}

absl::Status Vault::Renew() {
  absl::StatusOr<json> answer = Ask("auth/token/renew-self", json::object());
  if (!answer.ok()) return Because(answer.status(), "the token's renewal");
  ScheduleRenewal(NumberAt(*answer, {"auth", "lease_duration"}));
  return absl::OkStatus();
}

void Vault::ScheduleRenewal(int64_t lease_seconds) {
  renew_at_.reset();
  if (lease_seconds <= 0) return;
  const std::chrono::duration<double> lease(static_cast<double>(lease_seconds));
  renew_at_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(lease * kRenewAfter);
}

absl::StatusOr<json> Vault::Ask(const std::string& path, const std::optional<json>& question) {
  if (Clock::now() < down_until_) return absl::UnavailableError("vault did not answer just now");
  FetchRequest request{.url = absl::StrCat(options_.address, "/v1/", path),
                       .headers = {{"X-Vault-Request", "true"}},
                       .json = std::nullopt,
                       .ca_file = options_.ca_file};
  if (!token_.value().empty()) request.headers.emplace_back("X-Vault-Token", token_.value());
  if (question) request.json = question->dump();
  absl::StatusOr<FetchResponse> response = fetcher_.Fetch(request);
  for (auto& [name, value] : request.headers) Wipe(value);
  if (request.json) Wipe(*request.json);
  if (!response.ok()) {
    down_until_ = Clock::now() + kRest;
    return Because(response.status(), "vault cannot be reached");
  }
  if (response->status != 200) return OfHttpStatus(response->status);
  json answer = json::parse(response->body, nullptr, /*allow_exceptions=*/false);
  Wipe(response->body);
  if (!answer.is_object()) return absl::UnavailableError("vault's answer is no JSON object");
  return answer;
}

}  // namespace idv
