#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/descriptor.h>

#include <chrono>
#include <functional>
#include <string>

#include "upstream/error_map.h"
#include "upstream/http_client.h"
#include "upstream/json_decoder.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/loop.h"
#include "upstream/loop/task.h"
#include "upstream/rate_limit.h"
#include "upstream/route.h"
#include "upstream/sender.h"
#include "upstream/stretch.h"

namespace idv {

// What a call did at the upstream, whatever came of it.
struct CallReport {
  // HTTP requests made.
  int attempts = 0;
  // Of the last one, how often it was begun to be sent, and whether it cannot have been executed.
  SendReport sent;
  // The last one's answer; 0: none.
  int http_status = 0;
  // What that says of further ones, and, in its ETag, of what it holds.
  RateLimitNotice rate_limit;
  std::string etag;
  // Of all requests, and of what was waited for between them.
  Stretches stretches;

  // The key was not accepted, so that nothing was executed.
  bool is_key_refused() const { return http_status == 401; }
  // What the request asked for has not changed.
  bool is_unchanged() const { return http_status == 304; }
};

// Where the unknown in answers is reported to, with the RPC it was met in.
using DriftReporter =
    std::function<void(const google::protobuf::MethodDescriptor& method, const Drift& drift)>;

// Told of every HTTP request that has ended: of what route, how it was answered (0: not at all),
// and how long it and its parts took.
using RequestReporter =
    std::function<void(const Route& route, int http_status, std::chrono::nanoseconds total,
                       const RequestPhases& phases)>;

// Makes RPCs of REST calls: what a route has made of a message goes out, and the answer comes back
// as the bytes of a message or as the status that the errors map to. One instance per shard, for
// that shard's thread.
class Upstream {
 public:
  struct Options {
    // Without a trailing slash.
    std::string base_url;
    // Empty: base_url and the route's path.
    std::string health_url;
    HttpClient::Options http;
  };

  // Whom to tell of what is seen of the upstream, on the loop's thread.
  struct Reports {
    DriftReporter drift;
    RequestReporter request;
  };

  // Borrows the loop, which must outlive it.
  Upstream(Loop& loop, const Options& options, Reports reports);

  // Sends `request`, of `route`, and puts the answer's message, in protobuf's wire format, into
  // `out`, which must be empty. Everything borrowed, by the body too, must live until it completes;
  // `sender` is null for a health check only. Errors are those of design section 7 that the
  // upstream or its absence cause, with a Failure.
  Task<absl::Status> Call(const Route& route, RestRequest request, const Sender* sender,
                          TimePoint deadline, Cancellation& cancel, std::string& out,
                          CallReport& report);

 private:
  HttpRequest ToHttp(const Route& route, RestRequest request, const Sender* sender) const;
  absl::Status Read(const Route& route, HttpResponse response, std::string& out);

  const std::string base_url_;
  const std::string health_url_;
  const Reports reports_;
  const ErrorMap errors_;
  JsonParser parser_;
  HttpClient http_;
};

}  // namespace idv
