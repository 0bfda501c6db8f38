#ifndef UPSTREAM_SANDBOX_URL_H_
#define UPSTREAM_SANDBOX_URL_H_

#include <optional>
#include <string>
#include <string_view>

namespace idv::sandbox {

// Where to send an HTTP request to.
struct Url {
  bool is_https = false;
  std::string host;    // a name or an address; an IPv6 one without its brackets
  std::string port;    // 80 or 443 unless given
  std::string target;  // the path and the query, "/" at least

  // For the Host header.
  std::string Authority() const;
};

// Of http and https; without user names, and what follows a '#' is dropped. Nothing for any other
// text.
std::optional<Url> ParseUrl(std::string_view text);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_URL_H_
