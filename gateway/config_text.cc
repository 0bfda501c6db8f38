#include "gateway/config_text.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/strip.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace idv {
namespace {

constexpr size_t kMaxNameBytes = 63;
constexpr size_t kSha256Bytes = 32;

}  // namespace

std::optional<Url> Url::Parse(const std::string& text) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
      CURLUE_OK) {
    return std::nullopt;
  }
  const auto part = [&](CURLUPart which) -> std::string {
    char* value = nullptr;
    if (curl_url_get(parsed.get(), which, &value, 0) != CURLUE_OK) return "";
    const std::unique_ptr<char, decltype(&curl_free)> owned(value, curl_free);
    return value;
  };
  const bool extras = !part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty() ||
                      !part(CURLUPART_QUERY).empty() || !part(CURLUPART_FRAGMENT).empty();
  return Url{part(CURLUPART_SCHEME), part(CURLUPART_HOST), extras};
}

bool IsLoopback(absl::string_view host) {
  if (host == "localhost" || host == "[::1]" || host == "::1") return true;
  // Only digits and dots: "127.evil.example" is a name like any other.
  return absl::StartsWith(host, "127.") &&
         host.find_first_not_of("0123456789.") == absl::string_view::npos;
}

std::optional<std::string> HostOf(absl::string_view address) {
  const size_t colon = address.rfind(':');
  int port = -1;
  const bool is_good = colon != absl::string_view::npos && colon > 0 &&
                       absl::SimpleAtoi(address.substr(colon + 1), &port) && port >= 0 &&
                       port <= 65535;
  if (!is_good) return std::nullopt;
  return std::string(address.substr(0, colon));
}

bool IsUnixAddress(absl::string_view address) { return absl::StartsWith(address, "unix:"); }

bool IsUuid(absl::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) {
      return false;
    }
  }
  return true;
}

bool IsPin(absl::string_view text) {
  std::string digest;
  return absl::ConsumePrefix(&text, "sha256//") && absl::Base64Unescape(text, &digest) &&
         digest.size() == kSha256Bytes && absl::Base64Escape(digest) == text;
}

std::optional<mode_t> ParseMode(absl::string_view text) {
  const bool octal = text.size() >= 3 && text.size() <= 4 &&
                     text.find_first_not_of("01234567") == absl::string_view::npos;
  if (!octal) return std::nullopt;
  mode_t mode = 0;
  for (const char c : text) mode = mode * 8 + static_cast<mode_t>(c - '0');
  if (mode > 0777) return std::nullopt;
  return mode;
}

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

bool IsJsonKey(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isprint(static_cast<unsigned char>(c)) && c != '"' && c != '\\';
         });
}

bool IsUrlPath(absl::string_view text) {
  return !text.empty() && text.front() != '/' && text.back() != '/' &&
         !absl::StrContains(text, "..") && !absl::StrContains(text, "//") &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  absl::StrContains("/-_.~", std::string(1, c));
         });
}

}  // namespace idv
