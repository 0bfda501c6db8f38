#include "upstream/sandbox/url.h"

#include <algorithm>

#include "upstream/sandbox/ascii.h"

namespace idv::sandbox {
namespace {

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!EqualsIgnoringCase(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "host", "host:81", "[::1]:81".
bool ReadAuthority(std::string_view authority, Url& url) {
  std::size_t end = authority.find(':');
  if (!authority.empty() && authority.front() == '[') {
    end = authority.find(']');
    if (end == std::string_view::npos) return false;
    url.host = authority.substr(1, end - 1);
    ++end;
  } else {
    url.host = authority.substr(0, end);
  }
  const std::string_view rest = authority.substr(std::min(end, authority.size()));
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (rest.size() > 1) url.port = rest.substr(1);
  return !url.host.empty() && (rest.empty() || rest.front() == ':') &&
         std::all_of(url.port.begin(), url.port.end(), is_digit) && url.port.size() <= 5;
}

}  // namespace

std::string Url::Authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + port;
}

std::optional<Url> ParseUrl(std::string_view text) {
  const auto is_unsafe = [](char c) { return c <= ' ' || c == '\x7F'; };
  if (std::any_of(text.begin(), text.end(), is_unsafe)) return std::nullopt;

  Url url;
  url.is_https = TakePrefix(text, "https://");
  if (!url.is_https && !TakePrefix(text, "http://")) return std::nullopt;
  url.port = url.is_https ? "443" : "80";
  text = text.substr(0, text.find('#'));
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  const std::string_view authority = text.substr(0, end);
  if (authority.find('@') != std::string_view::npos) return std::nullopt;
  if (!ReadAuthority(authority, url)) return std::nullopt;
  url.target = text.substr(end);
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, "/");
  return url;
}

}  // namespace idv::sandbox
