// The least that a libcurl multi client can do to send a frame stream's JSON: one thread, epoll, a
// POST in chunks with the headers that the gateway sends, the body copied from where it lies ready,
// base64 and all. Its own processor time is what counts.
//
//   idv_bench_send --upstream http://HOST:PORT --frames N [--image-bytes N]

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "tests/bench/meter.h"
#include "tests/bench/pictures.h"
#include "tests/bench/sample.h"

namespace idv::bench {
namespace {

// Of libcurl, for a part of the body: as large as the gateway's, which is half of the usual.
constexpr long kBufferBytes = 32 << 10;

struct Options {
  std::string upstream;
  uint64_t frames = 0;
  uint64_t warm_up_frames = 4;
  size_t image_bytes = 1 << 20;
};

[[noreturn]] void Die(const std::string& what) {
  std::cerr << what << "\n";
  std::exit(1);
}

// The JSON of one stream.
class Body {
 public:
  Body(const FramesJson& json, uint64_t frames) : json_(json), frames_left_(frames - 1) {}

  size_t Read(char* out, size_t capacity) {
    size_t written = 0;
    while (written < capacity && (!part_.empty() || HasNext())) {
      const size_t count = std::min(capacity - written, part_.size());
      std::memcpy(out + written, part_.data(), count);
      part_.remove_prefix(count);
      written += count;
    }
    return written;
  }

 private:
  bool HasNext() {
    if (ended_) return false;
    ended_ = frames_left_ == 0;
    part_ = ended_ ? json_.end : json_.further;
    if (!ended_) --frames_left_;
    return true;
  }

  const FramesJson& json_;
  uint64_t frames_left_;
  bool ended_ = false;
  std::string_view part_ = json_.first;
};

class Client {
 public:
  explicit Client(const Options& options);

  void Send(uint64_t frames);

 private:
  void Turn();
  void Drive(curl_socket_t descriptor, int events);
  void LookForEnd();

  static int OnSocket(CURL*, curl_socket_t descriptor, int what, void* self, void*);
  static int OnTimer(CURLM*, long timeout_ms, void* self);

  const FramesJson json_;
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  CURLM* const multi_ = curl_multi_init();
  CURL* const easy_ = curl_easy_init();
  TimePoint timeout_ = TimePoint::max();
  std::optional<CURLcode> ended_;
};

curl_slist* Headers() {
  curl_slist* headers = nullptr;
  for (const std::string& line :
       {std::string("Content-Type: application/json"), std::string("Transfer-Encoding: chunked"),
        std::string("Authorization: Bearer ") + kApiKey, std::string("X-Tenant-ID: ") + kTenantId,
        std::string("Accept: application/json"), std::string("Expect:")}) {
    headers = curl_slist_append(headers, line.c_str());
  }
  return headers;
}

Client::Client(const Options& options) : json_(options.image_bytes) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Client::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Client::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_URL, (options.upstream + kApiPath + FramesPath()).c_str());
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, "idv-gateway");
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, Headers());
  curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t{-1});
  curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(
      easy_, CURLOPT_READFUNCTION, +[](char* out, size_t size, size_t count, void* body) {
        return static_cast<Body*>(body)->Read(out, size * count);
      });
  curl_easy_setopt(
      easy_, CURLOPT_WRITEFUNCTION,
      +[](char*, size_t size, size_t count, void*) { return size * count; });
}

int Client::OnSocket(CURL*, curl_socket_t descriptor, int what, void* self, void*) {
  const int epoll = static_cast<Client*>(self)->epoll_;
  epoll_event event{};
  event.events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  event.data.fd = descriptor;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nullptr);
  } else if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) != 0) {
    epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
  }
  return 0;
}

int Client::OnTimer(CURLM*, long timeout_ms, void* self) {
  static_cast<Client*>(self)->timeout_ =
      timeout_ms < 0 ? TimePoint::max() : Clock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

void Client::Drive(curl_socket_t descriptor, int events) {
  int running = 0;
  if (curl_multi_socket_action(multi_, descriptor, events, &running) != CURLM_OK) {
    Die("libcurl failed");
  }
  if (running == 0) LookForEnd();
}

void Client::LookForEnd() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) ended_ = message->data.result;
  }
}

void Client::Turn() {
  int timeout_ms = -1;
  if (timeout_ != TimePoint::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(timeout_ - Clock::now());
    timeout_ms = static_cast<int>(std::max<int64_t>(left.count(), 0));
  }
  epoll_event event{};
  if (epoll_wait(epoll_, &event, 1, timeout_ms) > 0) {
    Drive(event.data.fd, ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                             ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                             ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0));
  }
  if (timeout_ != TimePoint::max() && timeout_ <= Clock::now()) {
    timeout_ = TimePoint::max();
    Drive(CURL_SOCKET_TIMEOUT, 0);
  }
}

void Client::Send(uint64_t frames) {
  Body body(json_, frames);
  curl_easy_setopt(easy_, CURLOPT_READDATA, &body);
  ended_.reset();
  curl_multi_add_handle(multi_, easy_);
  while (!ended_) Turn();
  curl_multi_remove_handle(multi_, easy_);
  long http_status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &http_status);
  if (*ended_ != CURLE_OK) Die(curl_easy_strerror(*ended_));
  if (http_status != 200) Die("HTTP status " + std::to_string(http_status));
}

void Main(const Options& options) {
  Client client(options);
  client.Send(options.warm_up_frames);
  const Meter meter(getpid());
  client.Send(options.frames);
  meter.Print(options.frames * options.image_bytes);
}

}  // namespace
}  // namespace idv::bench

int main(int argc, char** argv) {
  CLI::App app("POSTs a frame stream's JSON and reports what that took.", "idv_bench_send");
  idv::bench::Options options;
  app.add_option("--upstream", options.upstream, "http://HOST:PORT")->required();
  app.add_option("--frames", options.frames, "Frames that count")
      ->required()
      ->check(CLI::PositiveNumber);
  app.add_option("--warm-up", options.warm_up_frames, "Frames of another stream before")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--image-bytes", options.image_bytes, "The size of each picture")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  idv::bench::Main(options);
}
