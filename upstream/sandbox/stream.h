#ifndef UPSTREAM_SANDBOX_STREAM_H_
#define UPSTREAM_SANDBOX_STREAM_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace idv::sandbox {

// A connection of a client, plain or under TLS. One operation at a time; for one thread.
class Stream {
 public:
  virtual ~Stream() = default;

  // What TLS has to agree on first. False when the client did not.
  virtual boost::asio::awaitable<bool> Greet() = 0;

  // Adds at least one byte and at most `limit` to input(). False at the end of the connection.
  virtual boost::asio::awaitable<bool> Read(std::size_t limit) = 0;
  // All of it. False when the client has gone.
  virtual boost::asio::awaitable<bool> Write(std::string_view bytes) = 0;

  // Waits, for ever without a time, and watches the client meanwhile: false as soon as it has gone,
  // or has sent so much that its departure could no longer be seen.
  virtual boost::asio::awaitable<bool> Wait(std::optional<std::chrono::milliseconds> time) = 0;

  // After an answer that came before the request's end: reads on for a while, since closing at once
  // would send a reset, which may destroy the answer before the client has read it.
  virtual boost::asio::awaitable<void> Drain() = 0;

  // Ends the connection with RST. Without it the destructor ends it with FIN.
  virtual void Reset() = 0;
  // So that a client of a slow reader notices.
  virtual void LimitReceiveBuffer(int bytes) = 0;

  // What was read and not yet used.
  boost::beast::flat_buffer& input() { return input_; }

 private:
  boost::beast::flat_buffer input_;
};

std::unique_ptr<Stream> MakeStream(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Stream> MakeStream(boost::asio::ip::tcp::socket socket,
                                   boost::asio::ssl::context& tls);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_STREAM_H_
