#ifndef UPSTREAM_SANDBOX_SERVER_H_
#define UPSTREAM_SANDBOX_SERVER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "upstream/sandbox/api.h"
#include "upstream/sandbox/clock.h"
#include "upstream/sandbox/control.h"
#include "upstream/sandbox/faults.h"
#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/request_log.h"

namespace idv::sandbox {

// HTTP/1.1 with keep-alive in front of Api and Control. Does the faults and writes the request log.
// Everything runs on the one thread that runs `io`; that is what makes locks unnecessary. Borrows
// its arguments, which must outlive the last run of `io`.
class Server {
 public:
  struct Parts {
    Api& api;
    Control& control;
    Faults& faults;
    RequestLog& log;
    Clock& clock;
  };

  Server(boost::asio::io_context& io, Parts parts);

  // Binds, and accepts from then on. The error says why it could not.
  boost::system::error_code Listen(const boost::asio::ip::tcp::endpoint& address);

  // With the real port. Only after Listen().
  boost::asio::ip::tcp::endpoint Address() const { return acceptor_.local_endpoint(); }

 private:
  struct Connection;
  struct Exchange;

  boost::asio::awaitable<void> Accept();
  boost::asio::awaitable<void> Converse(boost::asio::ip::tcp::socket socket);
  boost::asio::awaitable<bool> ServeOne(Connection& connection);
  boost::asio::awaitable<bool> Receive(Connection& connection, Exchange& exchange);
  boost::asio::awaitable<bool> Suffer(Connection& connection, const Exchange& exchange,
                                      const std::string& body);
  boost::asio::awaitable<bool> Send(Connection& connection, const Exchange& exchange,
                                    Response response);

  Response Handle(const RequestHead& head, std::string_view body);

  boost::asio::io_context& io_;
  Parts parts_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_SERVER_H_
