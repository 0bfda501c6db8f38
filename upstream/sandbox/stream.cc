#include "upstream/sandbox/stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <type_traits>
#include <utility>

namespace idv::sandbox {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kMaxPipelinedBytes = 64 << 10;
constexpr std::chrono::seconds kDrainTime{2};
constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

using TlsSocket = asio::ssl::stream<tcp::socket>;

template <typename Socket>
class StreamOf final : public Stream {
 public:
  template <typename... Arguments>
  explicit StreamOf(Arguments&&... arguments) : socket_(std::forward<Arguments>(arguments)...) {}

  asio::awaitable<bool> Greet() override {
    if constexpr (std::is_same_v<Socket, TlsSocket>) {
      const auto [error] =
          co_await socket_.async_handshake(asio::ssl::stream_base::server, kNoThrow);
      co_return !error;
    }
    co_return true;
  }

  asio::awaitable<bool> Read(std::size_t limit) override {
    const auto [error, size] = co_await socket_.async_read_some(input().prepare(limit), kNoThrow);
    input().commit(size);
    co_return !error;
  }

  asio::awaitable<bool> Write(std::string_view bytes) override {
    const auto [error, size] =
        co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), kNoThrow);
    co_return !error;
  }

  asio::awaitable<bool> Wait(std::optional<std::chrono::milliseconds> time) override {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_at(time ? asio::steady_timer::clock_type::now() + *time
                          : asio::steady_timer::time_point::max());
    while (true) {
      if (input().size() > kMaxPipelinedBytes) co_return false;
      const auto ended = co_await ReadUnless(timer);
      if (ended.by_timer) co_return true;
      if (!ended.read) co_return false;
    }
  }

  asio::awaitable<void> Drain() override {
    error_code error;
    error = Tcp().shutdown(tcp::socket::shutdown_send, error);
    asio::steady_timer timer(co_await asio::this_coro::executor, kDrainTime);
    Ended ended{.by_timer = false, .read = true};
    while (!ended.by_timer && ended.read) {
      input().clear();
      ended = co_await ReadUnless(timer);
    }
  }

  void Reset() override {
    error_code error;
    error = Tcp().set_option(asio::socket_base::linger(true, 0), error);
    error = Tcp().close(error);
  }

  void LimitReceiveBuffer(int bytes) override {
    error_code error;
    error = Tcp().set_option(asio::socket_base::receive_buffer_size(bytes), error);
  }

 private:
  struct Ended {
    bool by_timer;
    bool read;  // something
  };

  // Both may have ended in the same moment, so that what was read then is not lost.
  asio::awaitable<Ended> ReadUnless(asio::steady_timer& timer) {
    const auto [order, timer_error, read_error, size] =
        co_await asio::experimental::make_parallel_group(
            timer.async_wait(asio::deferred),
            socket_.async_read_some(input().prepare(kReadBytes), asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    input().commit(size);
    co_return Ended{.by_timer = order[0] == 0, .read = !read_error};
  }

  tcp::socket& Tcp() {
    if constexpr (std::is_same_v<Socket, TlsSocket>) {
      return socket_.next_layer();
    } else {
      return socket_;
    }
  }

  Socket socket_;
};

}  // namespace

std::unique_ptr<Stream> MakeStream(tcp::socket socket) {
  return std::make_unique<StreamOf<tcp::socket>>(std::move(socket));
}

std::unique_ptr<Stream> MakeStream(tcp::socket socket, asio::ssl::context& tls) {
  return std::make_unique<StreamOf<TlsSocket>>(std::move(socket), tls);
}

}  // namespace idv::sandbox
