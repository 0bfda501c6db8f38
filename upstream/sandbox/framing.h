#ifndef UPSTREAM_SANDBOX_FRAMING_H_
#define UPSTREAM_SANDBOX_FRAMING_H_

#include <string>

#include "upstream/sandbox/http_message.h"

namespace idv::sandbox {

// How an answer goes over its connection.
struct Framing {
  bool keeps_alive = true;
  bool is_http_1_0 = false;
  bool is_endless = false;  // the body has no length, more of it follows
  bool is_head = false;     // answers a HEAD: has no body
};

// As HTTP/1.1, header and body.
std::string Serialize(const Response& response, const Framing& framing);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_FRAMING_H_
