// The least that a libcurl multi client can do for a GET of a verification: one thread, epoll, kept
// connections, the headers that the gateway sends, the answer's body into a string. Its own
// processor time is what counts; when it keeps a pace, less what keeping it alone takes, since the
// gateway keeps none.
//
//   idv_bench_curl --upstream http://HOST:PORT [--calls N] [--in-flight N | --rate R]

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/measurement.h"
#include "tests/bench/sample.h"

namespace idv::bench {
namespace {

struct Options {
  std::string upstream;
  Pattern pattern;
};

struct Transfer {
  CURL* easy = nullptr;
  std::string body;
  TimePoint due;
};

size_t OnBody(char* data, size_t size, size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

void Watch(int epoll, int descriptor, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) != 0) {
    epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
  }
}

// Tells when calls are due, through a descriptor.
class Pacer {
 public:
  Pacer(int epoll, double rate) : rate_(rate) { Watch(epoll, timer_, EPOLLIN); }
  ~Pacer() { close(timer_); }
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

  int descriptor() const { return timer_; }

  void Begin() {
    const auto interval = static_cast<long>(1e9 / rate_);
    const timespec every{interval / 1'000'000'000, interval % 1'000'000'000};
    const itimerspec timing{every, every};
    timerfd_settime(timer_, 0, &timing, nullptr);
  }
  void End() {
    const itimerspec never{};
    timerfd_settime(timer_, 0, &never, nullptr);
  }
  // How many have become due since it was asked last.
  size_t TakeDue() {
    uint64_t due = 0;
    return read(timer_, &due, sizeof(due)) == sizeof(due) ? due : 0;
  }

 private:
  const double rate_;
  const int timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
};

class Client {
 public:
  explicit Client(const Options& options);

  // Makes so many requests; all have ended when it returns.
  void Run(size_t calls, Measurement& measurement) {
    options_.pattern.rate > 0 ? RunPaced(calls, measurement) : RunClosed(calls, measurement);
  }
  // Keeps the pace for so many requests without making any.
  void OnlyKeepPace(size_t calls);

 private:
  void RunClosed(size_t calls, Measurement& measurement);
  void RunPaced(size_t calls, Measurement& measurement);
  void Start(TimePoint due);
  // Waits once and does what there is to do; returns how many calls have become due.
  size_t Turn(Measurement& measurement);
  void Drive(curl_socket_t descriptor, int events);
  void TakeFinished(Measurement& measurement);
  void Finish(Transfer& transfer, CURLcode code, Measurement& measurement);
  Transfer& Idle();

  static int OnSocket(CURL*, curl_socket_t descriptor, int what, void* self, void*);
  static int OnTimer(CURLM*, long timeout_ms, void* self);

  const Options& options_;
  const std::string url_ = options_.upstream + kApiPath + kVerificationsPath + kVerificationId;
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  Pacer pacer_{epoll_, std::max(options_.pattern.rate, 1.0)};
  CURLM* const multi_ = curl_multi_init();
  curl_slist* headers_ = nullptr;
  TimePoint curl_timeout_ = TimePoint::max();
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::vector<Transfer*> idle_;
};

Client::Client(const Options& options) : options_(options) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Client::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Client::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 256L);
  for (const std::string& line :
       {std::string("Authorization: Bearer ") + kApiKey, std::string("X-Tenant-ID: ") + kTenantId,
        std::string("Accept: application/json")}) {
    headers_ = curl_slist_append(headers_, line.c_str());
  }
}

int Client::OnSocket(CURL*, curl_socket_t descriptor, int what, void* self, void*) {
  const int epoll = static_cast<Client*>(self)->epoll_;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nullptr);
  } else {
    Watch(epoll, descriptor,
          ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
              ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U));
  }
  return 0;
}

int Client::OnTimer(CURLM*, long timeout_ms, void* self) {
  static_cast<Client*>(self)->curl_timeout_ =
      timeout_ms < 0 ? TimePoint::max() : Clock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

Transfer& Client::Idle() {
  if (!idle_.empty()) {
    Transfer& transfer = *idle_.back();
    idle_.pop_back();
    return transfer;
  }
  Transfer& transfer = *transfers_.emplace_back(std::make_unique<Transfer>());
  transfer.easy = curl_easy_init();
  curl_easy_setopt(transfer.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(transfer.easy, CURLOPT_PROXY, "");
  curl_easy_setopt(transfer.easy, CURLOPT_USERAGENT, "idv-gateway");
  curl_easy_setopt(transfer.easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(transfer.easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(transfer.easy, CURLOPT_WRITEDATA, &transfer.body);
  curl_easy_setopt(transfer.easy, CURLOPT_PRIVATE, &transfer);
  return transfer;
}

void Client::Start(TimePoint due) {
  Transfer& transfer = Idle();
  transfer.body.clear();
  transfer.due = due;
  // As every call has another one.
  curl_easy_setopt(transfer.easy, CURLOPT_URL, url_.c_str());
  curl_multi_add_handle(multi_, transfer.easy);
}

void Client::Drive(curl_socket_t descriptor, int events) {
  int running = 0;
  if (curl_multi_socket_action(multi_, descriptor, events, &running) == CURLM_OK) return;
  std::cerr << "libcurl failed\n";
  std::exit(1);
}

size_t Client::Turn(Measurement& measurement) {
  int timeout_ms = -1;
  if (curl_timeout_ != TimePoint::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(curl_timeout_ - Clock::now());
    timeout_ms = static_cast<int>(std::max<int64_t>(left.count(), 0));
  }
  std::array<epoll_event, 64> events;
  const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  size_t due = 0;
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.fd == pacer_.descriptor()) {
      due = pacer_.TakeDue();
    } else {
      Drive(event.data.fd,
            ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0));
    }
  }
  if (curl_timeout_ <= Clock::now()) {
    curl_timeout_ = TimePoint::max();
    Drive(CURL_SOCKET_TIMEOUT, 0);
  }
  TakeFinished(measurement);
  return due;
}

void Client::TakeFinished(Measurement& measurement) {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    Finish(*transfer, code, measurement);
  }
}

void Client::Finish(Transfer& transfer, CURLcode code, Measurement& measurement) {
  long http_status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &http_status);
  curl_multi_remove_handle(multi_, transfer.easy);
  idle_.push_back(&transfer);
  if (code != CURLE_OK) return measurement.AddError(curl_easy_strerror(code));
  if (http_status != 200 || transfer.body.size() != kVerificationJson.size()) {
    return measurement.AddError("HTTP status " + std::to_string(http_status) + " with " +
                                std::to_string(transfer.body.size()) + " bytes");
  }
  measurement.AddLatency(Clock::now() - transfer.due);
}

void Client::RunClosed(size_t calls, Measurement& measurement) {
  size_t started = 0;
  while (measurement.count() < calls) {
    const size_t may_start = std::min(calls, measurement.count() + options_.pattern.in_flight);
    for (; started < may_start; ++started) Start(Clock::now());
    Turn(measurement);
  }
}

void Client::RunPaced(size_t calls, Measurement& measurement) {
  const TimePoint start = Clock::now();
  pacer_.Begin();
  size_t started = 0;
  while (measurement.count() < calls) {
    for (size_t due = Turn(measurement); due > 0 && started < calls; --due) {
      Start(options_.pattern.Due(start, ++started));
    }
  }
  pacer_.End();
}

void Client::OnlyKeepPace(size_t calls) {
  Measurement nothing(0);
  pacer_.Begin();
  for (size_t due = 0; due < calls;) due += Turn(nothing);
  pacer_.End();
}

std::chrono::nanoseconds CpuTimeOfPacing(Client& client, size_t calls) {
  const auto before = CpuTimeOf(getpid());
  client.OnlyKeepPace(calls);
  return CpuTimeOf(getpid()) - before;
}

int Main(const Options& options) {
  Client client(options);
  const Pattern& pattern = options.pattern;
  Measurement warm_up(pattern.warm_up_calls);
  client.Run(pattern.warm_up_calls, warm_up);
  if (warm_up.failed()) return warm_up.Print({}, {});

  Measurement measurement(pattern.calls);
  const TimePoint start = Clock::now();
  const auto cpu_before = CpuTimeOf(getpid());
  client.Run(pattern.calls, measurement);
  auto cpu_time = CpuTimeOf(getpid()) - cpu_before;
  const Clock::duration elapsed = Clock::now() - start;
  if (pattern.rate > 0) {
    const size_t probes = std::max<size_t>(pattern.calls / 4, 1);
    cpu_time -= CpuTimeOfPacing(client, probes) * static_cast<int64_t>(pattern.calls) /
                static_cast<int64_t>(probes);
  }
  return measurement.Print(elapsed, cpu_time);
}

}  // namespace
}  // namespace idv::bench

int main(int argc, char** argv) {
  CLI::App app("GETs a verification and reports how that went.", "idv_bench_curl");
  idv::bench::Options options;
  idv::bench::Pattern& pattern = options.pattern;
  app.add_option("--upstream", options.upstream, "http://HOST:PORT")->required();
  app.add_option("--calls", pattern.calls, "Requests that count")->capture_default_str();
  app.add_option("--warm-up", pattern.warm_up_calls, "Requests before")->capture_default_str();
  app.add_option("--in-flight", pattern.in_flight, "Requests at a time")->capture_default_str();
  app.add_option("--rate", pattern.rate, "Evenly spaced requests a second instead");
  CLI11_PARSE(app, argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  return idv::bench::Main(options);
}
