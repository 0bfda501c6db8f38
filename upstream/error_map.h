#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <chrono>

#include "upstream/http_client.h"
#include "upstream/json_decoder.h"
#include "upstream/route.h"

namespace idv {

// What the upstream's answers mean for the caller: the one place where an HTTP status becomes a
// gRPC status, with a Failure. Immutable, so thread-safe.
class ErrorMap {
 public:
  ErrorMap();

  // The failed status for `response`, any but a 2xx. Its error text is shown, cleaned and cut,
  // except where it may speak of our key (401, 403) or repeats `api_key`, with which the request
  // was sent; its body never is. `now` is for Retry-After dates.
  absl::Status FromResponse(const Route& route, HttpResponse response, JsonParser& parser,
                            absl::string_view api_key,
                            std::chrono::system_clock::time_point now) const;

  // The same for no response: `transport` is a failure of HttpClient::Send().
  static absl::Status FromTransport(const absl::Status& transport);

 private:
  JsonDecoder decoder_;
};

}  // namespace idv
