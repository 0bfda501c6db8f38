#ifndef UPSTREAM_SANDBOX_SERVER_H_
#define UPSTREAM_SANDBOX_SERVER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <string_view>

#include "upstream/sandbox/api.h"
#include "upstream/sandbox/body_sink.h"
#include "upstream/sandbox/clock.h"
#include "upstream/sandbox/control.h"
#include "upstream/sandbox/faults.h"
#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/publisher.h"
#include "upstream/sandbox/request_log.h"
#include "upstream/sandbox/stream.h"

namespace idv::sandbox {

// HTTP/1.1 with keep-alive in front of Api and Control, plain or under TLS. Does the faults and
// writes the request log. Everything runs on the one thread that runs `io`; that is what makes
// locks unnecessary. Borrows its arguments, which must outlive the last run of `io`.
class Server {
 public:
  struct Parts {
    Api& api;
    Control& control;
    Faults& faults;
    RequestLog& log;
    Clock& clock;
    Publisher& publisher;
    boost::asio::ssl::context* tls = nullptr;  // nullptr = none
    std::uint64_t max_body_bytes = BodySink::kMaxBytes;
  };

  Server(boost::asio::io_context& io, Parts parts);

  // Binds, and accepts from then on. The error says why it could not.
  boost::system::error_code Listen(const boost::asio::ip::tcp::endpoint& address);

  // With the real port. Only after Listen().
  boost::asio::ip::tcp::endpoint Address() const { return acceptor_.local_endpoint(); }

 private:
  struct Exchange;

  boost::asio::awaitable<void> Accept();
  boost::asio::awaitable<void> Converse(std::unique_ptr<Stream> stream);
  // These are false when the connection is to be closed.
  boost::asio::awaitable<bool> ServeOne(Stream& stream);
  boost::asio::awaitable<bool> ReceiveHeader(Stream& stream, Exchange& exchange);
  boost::asio::awaitable<bool> ReceiveBody(Stream& stream, Exchange& exchange,
                                           const FaultPlan& plan);
  boost::asio::awaitable<bool> Answer(Stream& stream, const Exchange& exchange,
                                      std::string_view body);
  boost::asio::awaitable<bool> Send(Stream& stream, const Exchange& exchange, Response response,
                                    const FaultPlan& plan);
  // The answer to a request of which not everything was read.
  boost::asio::awaitable<void> SendEarly(Stream& stream, const Exchange& exchange,
                                         Response response);
  // The client has gone before its answer was written.
  bool Abort(const Exchange& exchange);
  // The connection ends here, as a fault demands.
  bool End(Stream& stream, const Exchange& exchange, const Fault& fault);

  FaultPlan TakeFaults(Phase phase, const Exchange& exchange, std::string_view body);
  Response Handle(const RequestHead& head, std::string_view body);

  boost::asio::io_context& io_;
  const Parts parts_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_SERVER_H_
