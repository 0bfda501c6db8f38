#include "upstream/sandbox/http_post.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <utility>

#include "upstream/sandbox/url.h"

namespace idv::sandbox {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;
using Request = http::request<http::string_body>;

constexpr std::size_t kMaxAnswer = 64 << 10;

Request MakeRequest(const Url& url, const Headers& headers, std::string body) {
  Request request(http::verb::post, url.target, 11);
  request.set(http::field::host, url.Authority());
  request.set(http::field::user_agent, "idv-sandbox");
  request.set(http::field::connection, "close");
  for (const auto& [name, value] : headers) request.set(name, value);
  request.body() = std::move(body);
  request.prepare_payload();
  return request;
}

template <class Stream>
asio::awaitable<int> Exchange(Stream& stream, const Request& request,
                              std::chrono::milliseconds timeout) {
  beast::get_lowest_layer(stream).expires_after(timeout);
  co_await http::async_write(stream, request, use_awaitable);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxAnswer);
  beast::get_lowest_layer(stream).expires_after(timeout);
  co_await http::async_read(stream, buffer, parser, use_awaitable);
  co_return parser.get().result_int();
}

asio::awaitable<int> Post(const Url& url, const Request& request, asio::ssl::context& tls,
                          std::chrono::milliseconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto addresses = co_await resolver.async_resolve(url.host, url.port, use_awaitable);
  beast::tcp_stream connection(executor);
  connection.expires_after(timeout);
  co_await connection.async_connect(addresses, use_awaitable);
  if (!url.is_https) {
    const int status = co_await Exchange(connection, request, timeout);
    co_return status;
  }
  beast::ssl_stream<beast::tcp_stream> stream(std::move(connection), tls);
  SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str());
  stream.set_verify_mode(asio::ssl::verify_peer);
  stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
  beast::get_lowest_layer(stream).expires_after(timeout);
  co_await stream.async_handshake(asio::ssl::stream_base::client, use_awaitable);
  const int status = co_await Exchange(stream, request, timeout);
  co_return status;
}

}  // namespace

asio::awaitable<PostResult> HttpPost(std::string url, Headers headers, std::string body,
                                     asio::ssl::context& tls, std::chrono::milliseconds timeout) {
  const auto parsed = ParseUrl(url);
  if (!parsed) co_return PostResult{0, "not a URL of http or https"};
  const Request request = MakeRequest(*parsed, headers, std::move(body));
  try {
    const int status = co_await Post(*parsed, request, tls, timeout);
    co_return PostResult{status, {}};
  } catch (const boost::system::system_error& failure) {
    co_return PostResult{0, failure.code().message()};
  }
}

}  // namespace idv::sandbox
