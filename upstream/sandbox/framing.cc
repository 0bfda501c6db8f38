#include "upstream/sandbox/framing.h"

#include <boost/beast/http.hpp>
#include <string_view>

namespace idv::sandbox {

namespace http = boost::beast::http;

std::string Serialize(const Response& response, const Framing& framing) {
  const std::string_view reason =
      http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + ' ' + std::string(reason);
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append("\r\n").append(name).append(": ").append(value);
  };
  const bool has_body = response.status != 204 && response.status != 304;  // RFC 9110 section 6.4.1
  if (has_body) add("Content-Type", response.content_type);
  if (has_body && !framing.is_endless) add("Content-Length", std::to_string(response.body.size()));
  if (!framing.keeps_alive) add("Connection", "close");
  if (framing.keeps_alive && framing.is_http_1_0) add("Connection", "keep-alive");
  for (const auto& [name, value] : response.headers) add(name, value);
  text.append("\r\n\r\n");
  if (has_body && !framing.is_head) text.append(response.body);
  return text;
}

}  // namespace idv::sandbox
