#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "upstream/header_lines.h"
#include "upstream/loop/cancellation.h"
#include "upstream/loop/loop.h"
#include "upstream/loop/task.h"

namespace idv {

// The bytes of a request's body, produced while they are sent.
class RequestBody {
 public:
  // What Read() says when there will be more, but is not yet.
  static constexpr size_t kWait = static_cast<size_t>(-1);

  virtual ~RequestBody() = default;
  // All of it, in bytes; nothing when that is not known before its end: it is then sent in chunks.
  virtual std::optional<uint64_t> size() const = 0;
  // Writes the next bytes to `out`, at most `capacity`; 0 after the last one, or kWait.
  virtual size_t Read(char* out, size_t capacity) = 0;
  // Whom to tell when there is more after a kWait; null: nobody any longer. It must not be called
  // from within Read().
  virtual void SetWake(const std::function<void()>& /*wake*/) {}
};

struct HttpRequest {
  std::string verb = "GET";
  // http:// or https://, with path and query, encoded.
  std::string url;
  // Names and values as they are sent; the caller has made sure that they hold no line break.
  std::vector<std::pair<std::string, std::string>> headers;
  // What is sent behind them, ending with HttpClient::CommonHeaders(); null for those alone. It
  // must outlive the request.
  const HeaderLines* shared_headers = nullptr;
  // Null: no body, and no Content-Type. Whoever writes the body while it is sent has a share in it.
  std::shared_ptr<RequestBody> body;
};

struct HttpResponse {
  int status = 0;
  // The header lines of the final response, as they came.
  std::string header_lines;
  std::string body;

  // The value of the last header of that name (in any case), without surrounding blanks.
  std::optional<absl::string_view> Header(absl::string_view name) const;
};

// How long parts of a request took, each from the end of the one before. Missing is what was not
// reached, and what a connection takes when an open one was used.
struct RequestPhases {
  std::optional<std::chrono::nanoseconds> dns;
  std::optional<std::chrono::nanoseconds> connect;
  std::optional<std::chrono::nanoseconds> tls;
  // From the first byte that could be sent to the first of the answer.
  std::optional<std::chrono::nanoseconds> first_byte;
};

// How far a request came, whatever came of it.
struct SendReport {
  // How often it was begun to be sent: more than once when a kept connection proved dead.
  int times = 0;
  // Nothing of it, or of its body, has left, so that it cannot have been executed.
  bool is_unsent = true;
  RequestPhases phases;
};

// Sends HTTP requests to the upstream. Knows nothing of gRPC, routes, tenants or callers. One
// instance per shard; it and all it makes live on that shard's thread. curl_global_init() must have
// run.
//
// Connections are kept and used again. HTTP/2 is used for small requests where an https server
// offers it; bodies over kLargeBody or of unknown size go over HTTP/1.1, since libcurl 7.88 spins a
// core while an HTTP/2 window is closed. Nothing more of a body is sent once the server has
// answered with a status of 300 or more; the connection is then given up. An earlier answer of
// another kind waits for the end of the body. Redirects are not followed, proxies of the
// environment not used. A request that may have reached the server is never sent again, except one
// without a body: that is repeated when a kept connection proves dead, so give every request that
// must not act twice a body. (Of one with a body, the header may come again, over another
// connection, as long as nothing of the body was read.)
class HttpClient {
 public:
  struct Options {
    // PEM file of the certificates to trust; empty: the system's.
    std::string ca_file;
    // PEM files of the client certificate and its key, read for each new connection; empty: none is
    // shown.
    std::string cert_file;
    std::string key_file;
    // "sha256//" and base64 each: the server's certificate must have one of these public keys.
    // Empty: any.
    std::vector<std::string> pins;
    // Names of hosts that may lead to private addresses, see IsPrivateAddress(); those of others
    // are not used. A URL with an address, or with localhost, means it as it is.
    std::vector<std::string> private_hosts;
    // DNS, TCP and TLS together.
    std::chrono::milliseconds connect_timeout{3000};
    // How long an unused connection is kept. A common idle timeout of load balancers is 60 s, and a
    // connection that the server has closed meanwhile costs a failed request.
    std::chrono::seconds max_idle{50};
    size_t max_response_bytes = 8 << 20;
    // All header lines of a response together.
    size_t max_header_bytes = 64 << 10;
    std::string user_agent = "idv-gateway";
  };

  static constexpr uint64_t kLargeBody = uint64_t{48} << 10;

  // The lines that every request has, for the end of HttpRequest::shared_headers.
  static const HeaderLines& CommonHeaders();

  // Borrows the loop, which must outlive it.
  HttpClient(Loop& loop, Options options);
  // No Send() may be under way.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Completes with the whole response; `report`, if it is not null, tells of the request even when
  // there is none. Every HTTP response is a success here, 404 and 503 too: see
  // MapError() for their meaning. What is under way is aborted, and its connection closed, when
  // `deadline` passes (DNS and connect included) or `cancel` fires. Errors, all meaning "no
  // response":
  //   kDeadlineExceeded   the deadline passed, or had passed already
  //   kCancelled          `cancel` fired, or had fired already
  //   kUnavailable        no connection, no address that may be used, no trust in the server's
  //                       certificate or key, a client certificate that cannot be used, or the
  //                       server hung up before the end
  //   kResourceExhausted  body or header lines over their cap
  Task<absl::StatusOr<HttpResponse>> Send(HttpRequest request, TimePoint deadline,
                                          Cancellation& cancel, SendReport* report = nullptr);

 private:
  class Transfer;
  struct EasyDeleter {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  using Easy = std::unique_ptr<CURL, EasyDeleter>;

  Easy NewEasy() const;
  void ShowCertificate(CURL* curl) const;
  void OpenMulti();
  void CloseMulti();
  void CloseIdleConnections();
  void Drive(curl_socket_t fd, int events);
  void CompleteFinished();
  void FailAll();

  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket_data);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);

  Loop& loop_;
  const Options options_;
  Timer curl_timer_;
  Timer idle_timer_;  // set when the last transfer has ended
  CURLM* multi_ = nullptr;
  TimePoint unreached_;               // when last a transfer ended without having had a connection
  std::vector<Easy> idle_;            // handles ready for another request
  std::vector<Transfer*> transfers_;  // under way
  std::vector<Transfer*> let_go_;     // of those, see Transfer::NoticeLetGo()
};

}  // namespace idv
