#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/upstream/loop/running_loop.h"
#include "upstream/http_client.h"
#include "upstream/json_body.h"

namespace idv {

// An HttpClient on a running loop, called from the test's thread.
class ClientOnLoop {
 public:
  using Result = absl::StatusOr<HttpResponse>;

  explicit ClientOnLoop(HttpClient::Options options = {}) {
    running_.Do([&] { client_.emplace(running_.loop(), options); });
  }
  ~ClientOnLoop() {
    running_.Do([&] { client_.reset(); });
  }
  ClientOnLoop(const ClientOnLoop&) = delete;
  ClientOnLoop& operator=(const ClientOnLoop&) = delete;

  std::future<Result> Start(HttpRequest request, std::chrono::nanoseconds timeout,
                            Cancellation& cancel) {
    auto promise = std::make_shared<std::promise<Result>>();
    auto future = promise->get_future();
    auto shared = std::make_shared<HttpRequest>(std::move(request));
    running_.loop().Post([this, promise, shared, timeout, &cancel] {
      Spawn(Run(std::move(*shared), Clock::now() + timeout, cancel, promise));
    });
    return future;
  }

  Result Send(HttpRequest request,
              std::chrono::milliseconds timeout = std::chrono::milliseconds(10'000)) {
    Cancellation cancel;
    return Start(std::move(request), timeout, cancel).get();
  }

  RunningLoop& running() { return running_; }

 private:
  Task<> Run(HttpRequest request, TimePoint deadline, Cancellation& cancel,
             std::shared_ptr<std::promise<Result>> promise) {
    Result result = co_await client_->Send(std::move(request), deadline, cancel);
    promise->set_value(std::move(result));
  }

  RunningLoop running_;
  std::optional<HttpClient> client_;
};

inline HttpRequest Get(const std::string& url) {
  return {.verb = "GET", .url = url, .headers = {}, .body = nullptr};
}

// A POST of `text` with the base64 of `image` behind it; the image must live until the request has
// ended.
inline HttpRequest Post(const std::string& url, const std::string& text,
                        absl::string_view image = "") {
  auto body = std::make_unique<JsonBody>();
  body->Append(text);
  if (!image.empty()) body->AppendBase64(image);
  return {.verb = "POST", .url = url, .headers = {}, .body = std::move(body)};
}

}  // namespace idv
