#ifndef UPSTREAM_SANDBOX_HTTP_MESSAGE_H_
#define UPSTREAM_SANDBOX_HTTP_MESSAGE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace idv::sandbox {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The first header of exactly that name; nullptr when there is none.
inline const std::string* FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return &value;
  }
  return nullptr;
}

// A request without its body, as plain values. Shared by the API and the request log.
struct RequestHead {
  std::string method;
  std::string path;   // as received: from the host root, still percent-encoded
  std::string query;  // after the '?', still percent-encoded
  Headers headers;    // names in lower case

  // The first header of that (lower-case) name; nullptr when there is none.
  const std::string* Header(std::string_view name) const { return FindHeader(headers, name); }
};

struct Response {
  int status = 200;
  std::string body;
  // Besides what every response has.
  Headers headers = {};
  std::string content_type = "application/json";

  const std::string* Header(std::string_view name) const { return FindHeader(headers, name); }
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_HTTP_MESSAGE_H_
