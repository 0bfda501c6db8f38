#include "upstream/sandbox/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "upstream/sandbox/ascii.h"
#include "upstream/sandbox/body_sink.h"
#include "upstream/sandbox/refusals.h"

namespace idv::sandbox {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kMaxPipelinedBytes = 64 << 10;
constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::chrono::seconds kDrainTime{2};
constexpr std::chrono::milliseconds kAcceptPause{10};

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

// Takes in what lies in the socket's buffer. False when the client has gone, or pipelines so much
// that its departure could no longer be seen.
bool TakeInput(tcp::socket& socket, beast::flat_buffer& buffer) {
  if (buffer.size() > kMaxPipelinedBytes) return false;
  error_code error;
  const std::size_t size = socket.read_some(buffer.prepare(kReadBytes), error);
  if (error == asio::error::would_block) return true;
  buffer.commit(size);
  return !error;
}

// Waits, for ever without a `delay`, and watches the client meanwhile: false as soon as it has
// gone.
asio::awaitable<bool> WaitWhileConnected(tcp::socket& socket, beast::flat_buffer& buffer,
                                         std::optional<std::chrono::milliseconds> delay) {
  using asio::experimental::awaitable_operators::operator||;
  constexpr auto kNoThrow = asio::as_tuple(use_awaitable);
  asio::steady_timer timer(socket.get_executor());
  timer.expires_at(delay ? asio::steady_timer::clock_type::now() + *delay
                         : asio::steady_timer::time_point::max());
  while (true) {
    // Waiting rather than reading: a read that is cancelled just when it succeeds would lose bytes.
    const auto first = co_await (timer.async_wait(kNoThrow) ||
                                 socket.async_wait(tcp::socket::wait_read, kNoThrow));
    if (first.index() == 0) co_return true;
    if (!TakeInput(socket, buffer)) co_return false;
  }
}

// Reads on for a while after an early answer: closing at once would send a reset, which may destroy
// the answer before the client has read it.
asio::awaitable<void> Drain(tcp::socket& socket, beast::flat_buffer& buffer) {
  using asio::experimental::awaitable_operators::operator||;
  constexpr auto kNoThrow = asio::as_tuple(use_awaitable);
  error_code error;
  error = socket.shutdown(tcp::socket::shutdown_send, error);
  asio::steady_timer timer(socket.get_executor(), kDrainTime);
  bool open = true;
  while (open) {
    buffer.clear();
    const auto first = co_await (timer.async_wait(kNoThrow) ||
                                 socket.async_read_some(buffer.prepare(kReadBytes), kNoThrow));
    open = first.index() == 1 && !std::get<0>(std::get<1>(first));
  }
}

// What was received is not HTTP, or has too long a header.
asio::awaitable<void> RefuseHeader(tcp::socket& socket, error_code reason) {
  const bool is_peer_fault = reason.category() == http::make_error_code(http::error{}).category() &&
                             reason != http::error::end_of_stream &&
                             reason != http::error::partial_message;
  if (!is_peer_fault) co_return;
  constexpr std::string_view kRefusal =
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  error_code error;
  co_await asio::async_write(socket, asio::buffer(kRefusal),
                             asio::redirect_error(use_awaitable, error));
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

struct Server::Connection {
  tcp::socket socket;
  beast::flat_buffer buffer;
};

// One request and its answer.
struct Server::Exchange {
  Parser parser;
  BodySink sink;
  std::shared_ptr<const RequestHead> head;
  RequestLog::Id log_id = 0;  // of no request while it is 0
  bool too_large = false;
};

Server::Server(asio::io_context& io, Parts parts)
    : io_(io), parts_(std::move(parts)), acceptor_(io) {}

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
      asio::steady_timer pause(io_, kAcceptPause);
      co_await pause.async_wait(use_awaitable);
      continue;
    }
    error = socket.set_option(tcp::no_delay(true), error);
    error = socket.non_blocking(true, error);
    asio::co_spawn(io_, Converse(std::move(socket)), ReportException);
  }
}

asio::awaitable<void> Server::Converse(tcp::socket socket) {
  Connection connection{std::move(socket), beast::flat_buffer()};
  bool open = true;
  while (open) open = co_await ServeOne(connection);
}

// False when the connection is to be closed.
asio::awaitable<bool> Server::ServeOne(Connection& connection) {
  Exchange exchange;
  const bool received = co_await Receive(connection, exchange);
  if (!received) co_return false;
  if (exchange.too_large) {
    co_await Send(connection, exchange,
                  Refuse(413, "PAYLOAD_TOO_LARGE", "The body is over 32 MiB."));
    co_await Drain(connection.socket, connection.buffer);
    co_return false;
  }

  const std::string body = exchange.sink.TakeText();
  if (exchange.log_id != 0) {
    const bool survived = co_await Suffer(connection, exchange, body);
    if (!survived) co_return false;
  }
  Response response = Handle(*exchange.head, body);
  const bool open = co_await Send(connection, exchange, std::move(response));
  co_return open;
}

// Reads a request. False when there is none, or no complete one.
asio::awaitable<bool> Server::Receive(Connection& connection, Exchange& exchange) {
  Parser& parser = exchange.parser;
  error_code error;
  parser.header_limit(kMaxHeaderBytes);
  parser.body_limit(boost::none);
  co_await http::async_read_header(connection.socket, connection.buffer, parser,
                                   asio::redirect_error(use_awaitable, error));
  if (error) {
    co_await RefuseHeader(connection.socket, error);
    co_return false;
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
  exchange.too_large = announced && *announced > BodySink::kMaxBytes;
  if (!exchange.too_large && !parser.is_done()) {
    const bool expects = beast::iequals(parser.get()[http::field::expect], "100-continue");
    if (expects) {
      constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(connection.socket, asio::buffer(kContinue),
                                 asio::redirect_error(use_awaitable, error));
    }
    co_await http::async_read(connection.socket, connection.buffer, parser,
                              asio::redirect_error(use_awaitable, error));
    exchange.too_large = error == http::error::body_limit;
  }
  parts_.log.EndBody(exchange.log_id, exchange.sink.Sha256(), parser.is_done());
  const bool cut = error && !exchange.too_large;
  if (cut) parts_.log.Aborted(exchange.log_id, parts_.clock.Now());
  co_return !cut;
}

// Does to the request what the faults demand. False when the client gave up meanwhile.
asio::awaitable<bool> Server::Suffer(Connection& connection, const Exchange& exchange,
                                     const std::string& body) {
  const RequestHead& head = *exchange.head;
  std::string external_id;
  if (parts_.faults.AskForExternalId()) external_id = parts_.api.ExternalIdOf(head, body);
  const FaultPlan plan = parts_.faults.Take({head.method, FaultPath(head), external_id});
  if (!plan.hang && plan.delay.count() == 0) co_return true;

  std::optional<std::chrono::milliseconds> delay;
  if (!plan.hang) delay = plan.delay;
  const bool there = co_await WaitWhileConnected(connection.socket, connection.buffer, delay);
  if (!there) parts_.log.Aborted(exchange.log_id, parts_.clock.Now());
  co_return there;
}

Response Server::Handle(const RequestHead& head, std::string_view body) {
  try {
    if (Control::IsControlPath(head.path)) return parts_.control.Handle(head, body);
    return parts_.api.Handle(head, body, parts_.clock.Now());
  } catch (const std::exception& error) {
    std::cerr << "idv-sandbox: internal error: " << error.what() << '\n';
    return Refuse(500, "INTERNAL", "Fault of the sandbox.");
  }
}

// False when the connection is to be closed.
asio::awaitable<bool> Server::Send(Connection& connection, const Exchange& exchange,
                                   Response response) {
  http::response<http::string_body> message;
  message.result(static_cast<unsigned>(response.status));
  message.version(exchange.parser.get().version());
  message.keep_alive(exchange.parser.keep_alive() && !exchange.too_large);
  message.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.body() = std::move(response.body);
  message.prepare_payload();

  error_code error;
  co_await http::async_write(connection.socket, message,
                             asio::redirect_error(use_awaitable, error));
  if (error) {
    parts_.log.Aborted(exchange.log_id, parts_.clock.Now());
    co_return false;
  }
  parts_.log.Answered(exchange.log_id, response.status, parts_.clock.Now());
  co_return message.keep_alive();
}

}  // namespace idv::sandbox
