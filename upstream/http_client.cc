#include "upstream/http_client.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <coroutine>
#include <memory>
#include <string>

#include "upstream/private_address.h"

namespace idv {
namespace {

// So that a changed DNS entry is followed.
constexpr long kMaxConnectionSeconds = 300;
// How long the addresses of a name are believed; and how long when within that time no connection
// came about: the server may have moved.
constexpr long kAddressSeconds = 60;
constexpr long kDoubtedAddressSeconds = 1;
// Handles kept for reuse: each holds its buffers.
constexpr size_t kMaxIdleHandles = 64;
// What curl holds of a body that waits to be sent: little for one of unknown size, since many of
// those may wait for long.
constexpr long kUploadBufferBytes = 64 << 10;
constexpr long kStreamBufferBytes = 32 << 10;
// The same of the answer while it comes.
constexpr long kReceiveBufferBytes = 16 << 10;
constexpr long kStreamReceiveBytes = 4 << 10;
// What of a body the kernel holds before it is on its way: the default of some MB would hide for
// long that the server reads slowly, or not at all, and fill the memory of the machine.
constexpr int kUnsentBytes = 64 << 10;
// From here on an answer means that the body is of no more use.
constexpr long kFirstRefusal = 300;
// Connections kept, those in use included: beyond them one is closed for every request that ends.
constexpr long kMaxKeptConnections = 256;

// The texts name no URL: it may hold ids.
absl::Status ToStatus(CURLcode code, bool connected) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::UnavailableError("no connection to the upstream within the connect timeout");
    case CURLE_COULDNT_RESOLVE_HOST:
      return absl::UnavailableError("the upstream's host name cannot be resolved");
    case CURLE_COULDNT_CONNECT:
      return absl::UnavailableError("the upstream refuses connections or cannot be reached");
    case CURLE_PEER_FAILED_VERIFICATION:
      return absl::UnavailableError("the upstream's certificate is not trusted");
    case CURLE_SSL_CONNECT_ERROR:
      return absl::UnavailableError("the TLS handshake with the upstream failed");
    case CURLE_SSL_CACERT_BADFILE:
      return absl::UnavailableError("the file of trusted certificates cannot be read");
    case CURLE_SSL_CERTPROBLEM:
      return absl::UnavailableError("the client certificate for the upstream cannot be used");
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return absl::UnavailableError("the upstream's public key is not one of upstream.pin");
    default:
      return absl::UnavailableError(absl::StrCat(
          connected ? "the upstream's connection broke before the response was complete ("
                    : "no connection to the upstream (",
          curl_easy_strerror(code), ")"));
  }
}

// Whether a connection was lost.
bool IsLoss(CURLcode code) {
  return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
         code == CURLE_HTTP2 || code == CURLE_PARTIAL_FILE;
}

// Of a URL, as curl understands it: an IPv6 address in brackets, other forms of an IPv4 address as
// the usual one. Empty for what is no URL.
std::string HostOf(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  char* host = nullptr;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
    return "";
  }
  const std::unique_ptr<char, decltype(&curl_free)> owned(host, curl_free);
  return host;
}

// Whether no name is looked up for the host.
bool IsAddress(const std::string& host) {
  in_addr ignored{};
  return absl::StartsWith(host, "[") || inet_pton(AF_INET, host.c_str(), &ignored) == 1;
}

int ToCurl(uint32_t epoll_events) {
  return ((epoll_events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
         ((epoll_events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
         ((epoll_events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
}

// For CURLOPT_SOCKOPTFUNCTION.
int SetUpSocket(void*, curl_socket_t fd, curlsocktype) {
  setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof kUnsentBytes);
  return CURL_SOCKOPT_OK;
}

bool IsPlaintext(absl::string_view url) { return absl::StartsWith(url, "http://"); }

}  // namespace

std::optional<absl::string_view> HttpResponse::Header(absl::string_view name) const {
  std::optional<absl::string_view> found;
  absl::string_view rest = header_lines;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size() - 1);
    const absl::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        absl::StartsWithIgnoreCase(line, name)) {
      found = absl::StripAsciiWhitespace(line.substr(name.size() + 1));
    }
  }
  return found;
}

// One request under way: the coroutine that waits for it owns it.
class HttpClient::Transfer {
 public:
  Transfer(HttpClient& client, HttpRequest& request) : client_(client), request_(request) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Gives the request to curl. False: curl would not take it.
  bool Start();

  // Ends the transfer with `status`, unless it has ended already; the waiter goes on in the loop's
  // next step.
  void End(absl::Status status);
  void Abort(absl::Status status);
  void Complete(CURLcode code);
  // curl no longer looks at the connection.
  void LetGo();
  // That it does not while the body waits: the answer has ended, or the connection.
  void NoticeLetGo();

  absl::Status status() const { return status_; }
  SendReport report() const;
  HttpResponse TakeResponse() { return std::move(response_); }

  bool await_ready() const { return ended_; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  void await_resume() const {}

  // curl's callbacks.
  static size_t OnRead(char* out, size_t size, size_t count, void* self);
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static int OnBegin(void* self, char* address, char* local_address, int port, int local_port);
  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);

 private:
  // Makes a request that failed on kept connections only once more, on a new one, unless it would
  // be harmful to repeat it.
  bool StartAfresh(CURLcode code);
  void Detach(bool reusable);
  void ReadPhases();
  // Whether there was a connection over which to send the request.
  bool Connected() const;
  // Whether the URL itself or Options::private_hosts mean that.
  bool MayLeadToPrivateAddress() const;
  void SetUp(CURL* easy);
  void SetBody(CURL* easy);
  std::vector<std::string> HeaderTexts() const;
  // Has curl look for more of the body, after it was told to wait.
  void GoOn();

  HttpClient& client_;
  HttpRequest& request_;
  Easy easy_;
  std::optional<HeaderLines> headers_;
  HttpResponse response_;
  bool afresh_ = false;
  int times_ = 0;            // begun to be sent
  TimePoint sent_at_;        // when the last one was begun
  RequestPhases phases_;     // known in the end
  uint64_t body_bytes_ = 0;  // read so far
  bool body_ended_ = false;
  bool refused_ = false;
  bool waits_ = false;
  bool headers_complete_ = false;
  bool too_large_ = false;
  bool led_to_private_ = false;  // and that address was not used
  bool ended_ = false;
  absl::Status status_;
  std::coroutine_handle<> waiter_;
};

bool HttpClient::Transfer::Start() {
  if (client_.idle_.empty()) {
    easy_ = client_.NewEasy();
  } else {
    easy_ = std::move(client_.idle_.back());
    client_.idle_.pop_back();
  }
  SetUp(easy_.get());
  client_.transfers_.push_back(this);
  return curl_multi_add_handle(client_.multi_, easy_.get()) == CURLM_OK;
}

std::vector<std::string> HttpClient::Transfer::HeaderTexts() const {
  std::vector<std::string> lines;
  lines.reserve(request_.headers.size() + 2);
  for (const auto& [name, value] : request_.headers) {
    lines.push_back(absl::StrCat(name, ": ", value));
  }
  if (request_.body != nullptr) {
    lines.emplace_back("Content-Type: application/json");
    if (!request_.body->size()) lines.emplace_back("Transfer-Encoding: chunked");
  }
  return lines;
}

void HttpClient::Transfer::SetUp(CURL* easy) {
  headers_.emplace(HeaderTexts(),
                   request_.shared_headers == nullptr ? &CommonHeaders() : request_.shared_headers);
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
  const bool doubted = Clock::now() - client_.unreached_ < std::chrono::seconds(kAddressSeconds);
  curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT,
                   doubted ? kDoubtedAddressSeconds : kAddressSeconds);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  SetBody(easy);
  const bool is_stream = request_.body != nullptr && !request_.body->size();
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, is_stream ? kStreamReceiveBytes : kReceiveBufferBytes);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_->first());
  const bool large =
      request_.body != nullptr && request_.body->size().value_or(UINT64_MAX) > kLargeBody;
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   static_cast<long>(large ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
  // Many small requests that start together wait for one connection and share it, where the server
  // offers HTTP/2.
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, large || IsPlaintext(request_.url) ? 0L : 1L);
}

void HttpClient::Transfer::SetBody(CURL* easy) {
  // A null custom verb leaves curl's own: GET, or POST where there is a body.
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  if (request_.body == nullptr) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (request_.verb != "GET") {
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.verb.c_str());
    }
    return;
  }
  const std::optional<uint64_t> size = request_.body->size();
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   size ? static_cast<curl_off_t>(*size) : curl_off_t{-1});
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, size ? kUploadBufferBytes : kStreamBufferBytes);
  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  request_.body->SetWake([this] { GoOn(); });
  if (request_.verb != "POST") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.verb.c_str());
  }
}

void HttpClient::Transfer::End(absl::Status status) {
  if (std::exchange(ended_, true)) return;
  status_ = std::move(status);
  if (waiter_) client_.loop_.Resume(waiter_);
}

void HttpClient::Transfer::Detach(bool reusable) {
  if (!Connected()) client_.unreached_ = Clock::now();
  ReadPhases();
  std::erase(client_.transfers_, this);
  waits_ = false;
  std::erase(client_.let_go_, this);
  if (request_.body != nullptr) request_.body->SetWake(nullptr);
  if (client_.transfers_.empty()) {
    client_.idle_timer_.Set(Clock::now() + client_.options_.max_idle);
  }
  curl_multi_remove_handle(client_.multi_, easy_.get());
  curl_easy_setopt(easy_.get(), CURLOPT_PRIVATE, nullptr);
  if (reusable && client_.idle_.size() < kMaxIdleHandles) {
    client_.idle_.push_back(std::move(easy_));
  }
  easy_.reset();
}

void HttpClient::Transfer::Abort(absl::Status status) {
  if (ended_) return;
  Detach(/*reusable=*/false);
  End(std::move(status));
}

// How long a connection took, if one was opened. curl's times are all from the beginning.
void HttpClient::Transfer::ReadPhases() {
  using std::chrono::microseconds;
  const auto at = [&](CURLINFO what) {
    curl_off_t time = 0;
    curl_easy_getinfo(easy_.get(), what, &time);
    return microseconds(time);
  };
  constexpr microseconds kNever{0};
  long connects = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connects);
  if (connects == 0) return;
  const microseconds dns = at(CURLINFO_NAMELOOKUP_TIME_T);
  const microseconds connect = at(CURLINFO_CONNECT_TIME_T);
  const microseconds tls = at(CURLINFO_APPCONNECT_TIME_T);
  if (dns > kNever) phases_.dns = dns;
  if (connect > kNever) phases_.connect = connect - dns;
  if (tls > kNever) phases_.tls = tls - connect;
}

// curl 7.88 does not see that the peer has reset a kept connection, and tries up to six of them
// before it gives up. Nor does it repeat what an HTTP/2 server has not answered before it left.
bool HttpClient::Transfer::StartAfresh(CURLcode code) {
  long connects = 0;
  long sent_bytes = 0;  // of the header
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connects);
  curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &sent_bytes);
  const bool repeatable = request_.body == nullptr || (sent_bytes == 0 && body_bytes_ == 0);
  const bool answered = !response_.header_lines.empty();
  if (!IsLoss(code) || !repeatable || answered || connects > 0 || afresh_) return false;
  afresh_ = true;
  waits_ = false;
  curl_multi_remove_handle(client_.multi_, easy_.get());
  curl_easy_setopt(easy_.get(), CURLOPT_FRESH_CONNECT, 1L);
  return curl_multi_add_handle(client_.multi_, easy_.get()) == CURLM_OK;
}

SendReport HttpClient::Transfer::report() const {
  const bool has_body = request_.body != nullptr && request_.body->size() != uint64_t{0};
  return {.times = times_,
          .is_unsent = times_ == 0 || (has_body && body_bytes_ == 0),
          .phases = phases_};
}

// Whenever curl has a connection over which to send the request.
int HttpClient::Transfer::OnBegin(void* self, char*, char*, int, int) {
  auto* const transfer = static_cast<Transfer*>(self);
  ++transfer->times_;
  transfer->sent_at_ = Clock::now();
  return CURL_PREREQFUNC_OK;
}

bool HttpClient::Transfer::Connected() const {
  curl_off_t connected_us = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &connected_us);
  return connected_us > 0;
}

void HttpClient::Transfer::Complete(CURLcode code) {
  if (StartAfresh(code)) return;
  long http_status = 0;
  const bool connected = Connected();
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &http_status);
  response_.status = static_cast<int>(http_status);
  Detach(/*reusable=*/code == CURLE_OK);
  if (code == CURLE_OK && headers_complete_) return End(absl::OkStatus());
  // curl takes a connection that is closed within the headers for the end of an empty response.
  if (code == CURLE_OK) return End(ToStatus(CURLE_GOT_NOTHING, /*connected=*/true));
  if (too_large_) return End(absl::ResourceExhaustedError("the response is over its size limit"));
  if (led_to_private_ && code == CURLE_COULDNT_CONNECT) {
    return End(absl::UnavailableError(
        "the upstream's host name leads to a private address; name the host in "
        "upstream.private_hosts if that is meant"));
  }
  End(ToStatus(code, connected));
}

bool HttpClient::Transfer::MayLeadToPrivateAddress() const {
  const std::string host = HostOf(request_.url);
  const auto is_host = [&](const std::string& other) {
    return absl::EqualsIgnoreCase(host, other);
  };
  const std::vector<std::string>& named = client_.options_.private_hosts;
  return IsAddress(host) || is_host("localhost") ||
         std::any_of(named.begin(), named.end(), is_host);
}

// For each address that curl tries.
curl_socket_t HttpClient::Transfer::OnOpenSocket(void* self, curlsocktype, curl_sockaddr* address) {
  auto* const transfer = static_cast<Transfer*>(self);
  if (IsPrivateAddress(address->addr) && !transfer->MayLeadToPrivateAddress()) {
    transfer->led_to_private_ = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t HttpClient::Transfer::OnRead(char* out, size_t size, size_t count, void* self) {
  auto* const transfer = static_cast<Transfer*>(self);
  // Not 0 for a body that was refused: that would end it as if it were whole.
  const size_t read =
      transfer->refused_ ? RequestBody::kWait : transfer->request_.body->Read(out, size * count);
  if (read == RequestBody::kWait) {
    transfer->waits_ = true;
    return CURL_READFUNC_PAUSE;
  }
  transfer->body_bytes_ += read;
  transfer->body_ended_ = read == 0 || transfer->body_bytes_ == transfer->request_.body->size();
  return read;
}

void HttpClient::Transfer::GoOn() {
  if (std::exchange(waits_, false)) curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
}

void HttpClient::Transfer::LetGo() {
  if (waits_) client_.let_go_.push_back(this);
}

// curl 7.88 itself waits on.
void HttpClient::Transfer::NoticeLetGo() {
  if (refused_) {
    GoOn();
  } else if (!headers_complete_) {
    Abort(ToStatus(CURLE_GOT_NOTHING, /*connected=*/true));
  }
}

size_t HttpClient::Transfer::OnBody(char* data, size_t size, size_t count, void* self) {
  auto* const transfer = static_cast<Transfer*>(self);
  std::string& body = transfer->response_.body;
  const size_t bytes = size * count;
  if (body.size() + bytes > transfer->client_.options_.max_response_bytes) {
    transfer->too_large_ = true;
    return 0;  // makes curl give up
  }
  body.append(data, bytes);
  return bytes;
}

size_t HttpClient::Transfer::OnHeader(char* data, size_t size, size_t count, void* self) {
  auto* const transfer = static_cast<Transfer*>(self);
  std::string& lines = transfer->response_.header_lines;
  const size_t bytes = size * count;
  const absl::string_view line(data, bytes);
  // A status line: the headers of an interim response before it are not the answer's, nor is what
  // came before curl repeated a request.
  if (absl::StartsWith(line, "HTTP/")) {
    transfer->phases_.first_byte = Clock::now() - transfer->sent_at_;
    lines.clear();
    transfer->response_.body.clear();
    transfer->headers_complete_ = false;
  }
  if (transfer->headers_complete_) return bytes;  // trailers, behind the body: no headers
  transfer->headers_complete_ = line == "\r\n" || line == "\n";
  if (transfer->headers_complete_) {
    long http_status = 0;
    curl_easy_getinfo(transfer->easy_.get(), CURLINFO_RESPONSE_CODE, &http_status);
    transfer->refused_ = http_status >= kFirstRefusal && !transfer->body_ended_;
  }
  if (lines.size() + bytes > transfer->client_.options_.max_header_bytes) {
    transfer->too_large_ = true;
    return 0;
  }
  lines.append(data, bytes);
  return bytes;
}

const HeaderLines& HttpClient::CommonHeaders() {
  // Without "Expect:", curl waits a second before a large body for the server to ask for it.
  static const HeaderLines lines({"Accept: application/json", "Expect:"});
  return lines;
}

HttpClient::HttpClient(Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      curl_timer_(loop.timers(), [this] { Drive(CURL_SOCKET_TIMEOUT, 0); }),
      idle_timer_(loop.timers(), [this] { CloseIdleConnections(); }) {
  loop_.SetFdHandler([this](int fd, uint32_t events) { Drive(fd, ToCurl(events)); });
  OpenMulti();
}

HttpClient::~HttpClient() {
  idle_.clear();
  CloseMulti();
}

void HttpClient::OpenMulti() {
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &HttpClient::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &HttpClient::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxKeptConnections);
}

void HttpClient::CloseMulti() {
  // Closing the kept connections must not call back into a loop that may have ended.
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  curl_multi_cleanup(multi_);
  curl_timer_.Cancel();
}

void HttpClient::CloseIdleConnections() {
  if (!transfers_.empty()) return;
  CloseMulti();
  OpenMulti();
}

HttpClient::Easy HttpClient::NewEasy() const {
  Easy easy(curl_easy_init());
  CURL* const curl = easy.get();
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  // Else removing a transfer whose name is still being resolved blocks the shard until the resolver
  // answers.
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");  // else it is looked for in the environment
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  if (!options_.cert_file.empty()) ShowCertificate(curl);
  if (!options_.pins.empty()) {
    curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, absl::StrJoin(options_.pins, ";").c_str());
  }
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options_.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &Transfer::OnOpenSocket);
  curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, &SetUpSocket);
  curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, &Transfer::OnBegin);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, static_cast<long>(options_.max_idle.count()));
  curl_easy_setopt(curl, CURLOPT_MAXLIFETIME_CONN, kMaxConnectionSeconds);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, &Transfer::OnRead);
  // A body is never sent twice: curl must not rewind it to repeat a request on a fresh connection
  // by itself.
  curl_easy_setopt(
      curl, CURLOPT_SEEKFUNCTION,
      +[](void*, curl_off_t, int) -> int { return CURL_SEEKFUNC_FAIL; });
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  return easy;
}

void HttpClient::ShowCertificate(CURL* curl) const {
  curl_easy_setopt(curl, CURLOPT_SSLCERT, options_.cert_file.c_str());
  curl_easy_setopt(curl, CURLOPT_SSLKEY, options_.key_file.c_str());
  // Else OpenSSL asks on the terminal for the passphrase of a key that has one, and the shard
  // waits.
  curl_easy_setopt(curl, CURLOPT_KEYPASSWD, "");
  // A session that is resumed stands for the certificate that it began with, not for the files.
  curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

Task<absl::StatusOr<HttpResponse>> HttpClient::Send(HttpRequest request, TimePoint deadline,
                                                    Cancellation& cancel, SendReport* report) {
  if (cancel.fired()) co_return absl::CancelledError("cancelled");
  if (Clock::now() >= deadline) co_return absl::DeadlineExceededError("the deadline has passed");

  Transfer transfer(*this, request);
  if (!transfer.Start()) {
    transfer.Abort(absl::UnavailableError("libcurl would not take the request"));
    co_return transfer.status();
  }
  const Cancellation::Listener on_cancel(
      cancel, [&transfer] { transfer.Abort(absl::CancelledError("cancelled")); });
  Timer on_deadline(loop_.timers(), [&transfer] {
    transfer.Abort(absl::DeadlineExceededError("no response before the deadline"));
  });
  on_deadline.Set(deadline);
  co_await transfer;
  if (report != nullptr) *report = transfer.report();

  if (!transfer.status().ok()) co_return transfer.status();
  co_return transfer.TakeResponse();
}

void HttpClient::Drive(curl_socket_t fd, int events) {
  int running = 0;
  if (curl_multi_socket_action(multi_, fd, events, &running) != CURLM_OK) return FailAll();
  CompleteFinished();
  for (Transfer* transfer : std::exchange(let_go_, {})) transfer->NoticeLetGo();
}

void HttpClient::CompleteFinished() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // the message dies with the handle's removal
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->Complete(code);
  }
}

// After a failed action the state of every transfer is undefined: give them all up and start over.
void HttpClient::FailAll() {
  const std::vector<Transfer*> transfers = transfers_;
  for (Transfer* transfer : transfers) {
    transfer->Abort(absl::UnavailableError("libcurl failed; the connection was given up"));
  }
  CloseMulti();
  OpenMulti();
}

int HttpClient::OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void*) {
  Loop& loop = static_cast<HttpClient*>(self)->loop_;
  if (what == CURL_POLL_REMOVE) {
    loop.UnwatchFd(fd);
    Transfer* transfer = nullptr;  // none for a connection that curl closes by itself
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (transfer != nullptr) transfer->LetGo();
  } else {
    loop.WatchFd(fd, ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
                         ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U));
  }
  return 0;
}

int HttpClient::OnTimer(CURLM*, long timeout_ms, void* self) {
  Timer& timer = static_cast<HttpClient*>(self)->curl_timer_;
  if (timeout_ms < 0) {
    timer.Cancel();
  } else {
    timer.Set(Clock::now() + std::chrono::milliseconds(timeout_ms));
  }
  return 0;
}

}  // namespace idv
