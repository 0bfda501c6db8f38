#ifndef UPSTREAM_SANDBOX_HTTP_POST_H_
#define UPSTREAM_SANDBOX_HTTP_POST_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <string>

#include "upstream/sandbox/http_message.h"

namespace idv::sandbox {

struct PostResult {
  int status = 0;     // 0 = there was no answer
  std::string error;  // then, why not
};

// Sends one POST over a connection of its own, HTTP/1.1, and waits for the answer, of which at most
// 64 KiB are read. Redirects are not followed. `timeout` is of each step: connecting, TLS, sending,
// receiving. Never throws. `tls` must outlive it.
boost::asio::awaitable<PostResult> HttpPost(std::string url, Headers headers, std::string body,
                                            boost::asio::ssl::context& tls,
                                            std::chrono::milliseconds timeout);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_HTTP_POST_H_
