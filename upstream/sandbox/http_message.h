#ifndef UPSTREAM_SANDBOX_HTTP_MESSAGE_H_
#define UPSTREAM_SANDBOX_HTTP_MESSAGE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace idv::sandbox {

// A request without its body, as plain values. Shared by the API and the request log.
struct RequestHead {
  std::string method;
  std::string path;   // as received: from the host root, still percent-encoded
  std::string query;  // after the '?', still percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case

  // The first header of that (lower-case) name; nullptr when there is none.
  const std::string* Header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

struct Response {
  int status = 200;
  std::string body;  // JSON
  // Besides what every response has.
  std::vector<std::pair<std::string, std::string>> headers = {};

  // The first header of exactly that name; nullptr when there is none.
  const std::string* Header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_HTTP_MESSAGE_H_
