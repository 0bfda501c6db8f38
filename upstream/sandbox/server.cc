#include "upstream/sandbox/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http.hpp>
#include <exception>
#include <iostream>
#include <optional>
#include <utility>

#include "upstream/sandbox/ascii.h"
#include "upstream/sandbox/body_sink.h"
#include "upstream/sandbox/framing.h"
#include "upstream/sandbox/pacing.h"
#include "upstream/sandbox/refusals.h"
#include "upstream/sandbox/spoiling.h"

namespace idv::sandbox {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::chrono::milliseconds kAcceptPause{10};
// Not less than a segment on loopback, or the kernel tells the client of new room seconds late.
constexpr int kSlowReceiveBuffer = 64 << 10;

// Hands every piece of a body to a BodySink as soon as it is read.
struct SinkBody {
  struct Destination {
    BodySink* sink = nullptr;
    RequestLog* log = nullptr;
    RequestLog::Id id = 0;
  };
  using value_type = Destination;

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type& destination)
        : destination_(destination) {}

    void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }

    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      std::size_t taken = 0;
      for (const auto buffer : beast::buffers_range_ref(buffers)) {
        const std::string_view piece(static_cast<const char*>(buffer.data()), buffer.size());
        if (!destination_.sink->Add(piece)) {
          error = http::error::body_limit;
          return taken;
        }
        taken += piece.size();
      }
      destination_.log->AddBody(destination_.id, taken);
      error = {};
      return taken;
    }

    void finish(error_code& error) { error = {}; }

   private:
    value_type& destination_;
  };
};

using Parser = http::request_parser<SinkBody>;

template <class Fields>
std::shared_ptr<const RequestHead> HeadOf(const http::header<true, Fields>& header) {
  auto head = std::make_shared<RequestHead>();
  const std::string_view target = header.target();
  const std::size_t question = target.find('?');
  head->method = header.method_string();
  head->path = target.substr(0, question);
  if (question != std::string_view::npos) head->query = target.substr(question + 1);
  for (const auto& field : header) {
    head->headers.emplace_back(ToLower(field.name_string()), field.value());
  }
  return head;
}

// What was received is not HTTP, or has too long a header.
asio::awaitable<void> RefuseHeader(Stream& stream) {
  constexpr std::string_view kRefusal =
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  co_await stream.Write(kRefusal);
}

Response StatusOf(const Fault& fault) {
  Response response{.status = fault.status, .body = fault.body, .headers = fault.headers};
  if (!fault.content_type.empty()) response.content_type = fault.content_type;
  return response;
}

// What is to be said before the body is read; nothing = it is to be read.
std::optional<Response> EarlyAnswer(const FaultPlan& plan) {
  if (plan.Find(FaultKind::kLengthRequired) != nullptr) {
    return Refuse(411, "LENGTH_REQUIRED", "Send a Content-Length.");
  }
  if (const Fault* const status = plan.Find(FaultKind::kStatus)) return StatusOf(*status);
  return std::nullopt;
}

// Nothing but a fault of ours ends a connection with an exception.
void ReportException(const std::exception_ptr& exception) {
  if (!exception) return;
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    std::cerr << "idv-sandbox: internal error: " << error.what() << '\n';
  }
}

}  // namespace

// One request and its answer.
struct Server::Exchange {
  Parser parser{};
  BodySink sink;
  std::shared_ptr<const RequestHead> head{};
  RequestLog::Id log_id = 0;  // of no request while it is 0
  bool too_large = false;
};

Server::Server(asio::io_context& io, Parts parts) : io_(io), parts_(parts), acceptor_(io) {}

error_code Server::Listen(const tcp::endpoint& address) {
  error_code error;
  error = acceptor_.open(address.protocol(), error);
  if (!error) error = acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) error = acceptor_.bind(address, error);
  if (!error) error = acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) asio::co_spawn(io_, Accept(), ReportException);
  return error;
}

asio::awaitable<void> Server::Accept() {
  while (true) {
    error_code error;
    tcp::socket socket(io_);
    co_await acceptor_.async_accept(socket, asio::redirect_error(use_awaitable, error));
    if (error) {  // out of descriptors, say: breathe, then go on
      co_await Pause(kAcceptPause);
      continue;
    }
    error = socket.set_option(tcp::no_delay(true), error);
    auto stream = parts_.tls == nullptr ? MakeStream(std::move(socket))
                                        : MakeStream(std::move(socket), *parts_.tls);
    asio::co_spawn(io_, Converse(std::move(stream)), ReportException);
  }
}

asio::awaitable<void> Server::Converse(std::unique_ptr<Stream> stream) {
  bool open = co_await stream->Greet();
  while (open) open = co_await ServeOne(*stream);
}

asio::awaitable<bool> Server::ServeOne(Stream& stream) {
  Exchange exchange{.sink = BodySink(parts_.max_body_bytes)};
  if (!co_await ReceiveHeader(stream, exchange)) co_return false;
  const FaultPlan plan = TakeFaults(Phase::kBeforeBody, exchange, {});
  if (const Fault* const end = plan.FindEnd(Moment::kRequestHeader)) {
    co_return End(stream, exchange, *end);
  }
  if (auto answer = EarlyAnswer(plan)) {
    co_await SendEarly(stream, exchange, std::move(*answer));
    co_return false;
  }
  if (!co_await ReceiveBody(stream, exchange, plan)) co_return false;
  const std::string body = exchange.sink.TakeText();
  const bool open = co_await Answer(stream, exchange, body);
  co_return open;
}

asio::awaitable<bool> Server::ReceiveHeader(Stream& stream, Exchange& exchange) {
  Parser& parser = exchange.parser;
  parser.header_limit(kMaxHeaderBytes);
  parser.body_limit(boost::none);
  while (true) {
    error_code error;
    stream.input().consume(parser.put(stream.input().data(), error));
    if (parser.is_header_done()) break;
    if (error && error != http::error::need_more) {
      co_await RefuseHeader(stream);
      co_return false;
    }
    if (!co_await stream.Read(kReadBytes)) co_return false;
  }

  exchange.head = HeadOf(parser.get());
  if (!Control::IsControlPath(exchange.head->path)) {
    exchange.log_id = parts_.log.Begin(exchange.head, parts_.clock.Now());
  }
  parser.get().body() = {&exchange.sink, &parts_.log, exchange.log_id};
  if (Api::CarriesImages(*exchange.head)) {
    exchange.sink.SetKeep(BodySink::Keep::kAllButImages);
  }
  const auto announced = parser.content_length();
  exchange.too_large = announced && *announced > parts_.max_body_bytes;
  co_return true;
}

asio::awaitable<bool> Server::ReceiveBody(Stream& stream, Exchange& exchange,
                                          const FaultPlan& plan) {
  Parser& parser = exchange.parser;
  const Fault* const end = plan.FindEnd(Moment::kRequestBody);
  const Fault* const slow = plan.Find(FaultKind::kSlowReading);
  const std::uint64_t rate = slow == nullptr ? 0 : slow->bytes_per_second;
  const auto announced = parser.content_length();
  const std::uint64_t middle = announced ? *announced / 2 : kReadBytes;
  if (slow != nullptr) stream.LimitReceiveBuffer(kSlowReceiveBuffer);

  const bool expects = beast::iequals(parser.get()[http::field::expect], "100-continue");
  bool there = true;
  if (expects && !exchange.too_large && !parser.is_done()) {
    there = co_await stream.Write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  error_code error;
  bool ends = false;
  parser.eager(true);
  while (there && !exchange.too_large) {
    error = {};
    const std::uint64_t before = exchange.sink.bytes();
    if (!parser.is_done()) stream.input().consume(parser.put(stream.input().data(), error));
    if (error && error != http::error::need_more) break;
    ends = end != nullptr && (parser.is_done() || exchange.sink.bytes() >= middle);
    if (ends) break;
    if (rate != 0) co_await Pause(TimeOf(exchange.sink.bytes() - before, rate));
    if (parser.is_done()) break;
    there = co_await stream.Read(PieceOf(rate, kReadBytes));
  }
  exchange.too_large |= error == http::error::body_limit;
  parts_.log.EndBody(exchange.log_id, exchange.sink.Sha256(), parser.is_done());
  if (ends) co_return End(stream, exchange, *end);
  if (exchange.too_large) {
    co_await SendEarly(
        stream, exchange,
        Refuse(413, "PAYLOAD_TOO_LARGE",
               "The body is over " + std::to_string(parts_.max_body_bytes) + " bytes."));
    co_return false;
  }
  co_return parser.is_done() || Abort(exchange);
}

asio::awaitable<bool> Server::Answer(Stream& stream, const Exchange& exchange,
                                     std::string_view body) {
  const FaultPlan plan = TakeFaults(Phase::kBeforeAnswer, exchange, body);
  const auto delay = plan.Delay();
  if (!delay || delay->count() > 0) {
    if (!co_await stream.Wait(delay)) co_return Abort(exchange);
  }
  Response response;
  if (const Fault* const status = plan.Find(FaultKind::kStatus)) {
    response = StatusOf(*status);
  } else if (plan.Find(FaultKind::kUnauthorized) != nullptr) {
    response = Refuse(401, "INVALID_API_KEY", "The API key was revoked.");
  } else {
    response = Handle(*exchange.head, body);
  }
  Spoil(plan, response);
  if (const Fault* const end = plan.FindEnd(Moment::kBeforeAnswer)) {
    co_return End(stream, exchange, *end);
  }
  const bool open = co_await Send(stream, exchange, std::move(response), plan);
  co_return open;
}

asio::awaitable<bool> Server::Send(Stream& stream, const Exchange& exchange, Response response,
                                   const FaultPlan& plan) {
  const Fault* const endless = plan.Find(FaultKind::kEndless);
  const Fault* const slow = plan.Find(FaultKind::kSlowWriting);
  const Fault* const cut = plan.FindEnd(Moment::kDuringAnswer);
  const Framing framing = {.keeps_alive = exchange.parser.keep_alive() && endless == nullptr,
                           .is_http_1_0 = exchange.parser.get().version() == 10,
                           .is_endless = endless != nullptr,
                           .is_head = exchange.head->method == "HEAD"};
  if (endless != nullptr) response.body = "{";
  const std::string text = Serialize(response, framing);
  const std::string_view part = std::string_view(text).substr(
      0, cut == nullptr ? text.size() : text.size() - response.body.size() / 2 - 1);

  const bool sent =
      co_await WriteSlowly(stream, part, slow == nullptr ? 0 : slow->bytes_per_second);
  if (sent && cut != nullptr) co_return End(stream, exchange, *cut);
  if (sent && endless != nullptr) co_await WriteEndlessly(stream, endless->bytes_per_second);
  if (!sent || endless != nullptr) co_return Abort(exchange);
  parts_.log.Answered(exchange.log_id, response.status, parts_.clock.Now());
  const Fault* const end = plan.FindEnd(Moment::kAfterAnswer);
  if (end != nullptr && end->kind == FaultKind::kReset) stream.Reset();
  const bool open = framing.keeps_alive && end == nullptr;
  co_return open;
}

asio::awaitable<void> Server::SendEarly(Stream& stream, const Exchange& exchange,
                                        Response response) {
  const bool sent = co_await stream.Write(Serialize(response, {.keeps_alive = false}));
  if (!sent) {
    Abort(exchange);
    co_return;
  }
  parts_.log.Answered(exchange.log_id, response.status, parts_.clock.Now());
  co_await stream.Drain();
}

bool Server::Abort(const Exchange& exchange) {
  parts_.log.Aborted(exchange.log_id, parts_.clock.Now());
  return false;
}

bool Server::End(Stream& stream, const Exchange& exchange, const Fault& fault) {
  if (fault.kind == FaultKind::kReset) stream.Reset();
  parts_.log.Ended(exchange.log_id, parts_.clock.Now());
  return false;
}

FaultPlan Server::TakeFaults(Phase phase, const Exchange& exchange, std::string_view body) {
  if (exchange.log_id == 0 || !parts_.faults.Any()) return {};
  const RequestHead& head = *exchange.head;
  const std::string* const tenant_id = head.Header("x-tenant-id");
  std::string external_id;
  if (parts_.faults.AskForExternalId()) external_id = parts_.api.ExternalIdOf(head, body);
  const std::string endpoint = Api::EndpointOf(head);
  const std::string key = BearerKey(head);
  const std::string tenant = tenant_id == nullptr ? "" : ToLower(*tenant_id);
  return parts_.faults.Take({.phase = phase,
                             .method = head.method,
                             .path = FaultPath(head),
                             .endpoint = endpoint,
                             .tenant_id = tenant,
                             .external_id = external_id,
                             .key = key,
                             .is_chunked = exchange.parser.chunked()},
                            std::chrono::steady_clock::now());
}

Response Server::Handle(const RequestHead& head, std::string_view body) {
  try {
    if (Control::IsControlPath(head.path)) return parts_.control.Handle(head, body);
    const Time now = parts_.clock.Now();
    Response response = parts_.api.Handle(head, body, now);
    response.headers.emplace_back("Date", FormatHttpDate(now));
    parts_.publisher.Publish();
    return response;
  } catch (const std::exception& error) {
    std::cerr << "idv-sandbox: internal error: " << error.what() << '\n';
    return Refuse(500, "INTERNAL", "Fault of the sandbox.");
  }
}

}  // namespace idv::sandbox
