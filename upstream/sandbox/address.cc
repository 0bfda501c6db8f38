#include "upstream/sandbox/address.h"

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <cstdint>

namespace idv::sandbox {
namespace {

using boost::asio::ip::tcp;

bool IsBracketed(std::string_view host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']';
}

}  // namespace

std::optional<tcp::endpoint> ParseAddress(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string port_text(text.substr(colon + 1));
  const bool bracketed = IsBracketed(host);
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";

  std::uint16_t port = 0;
  const auto* const end = port_text.data() + port_text.size();
  const auto parsed = std::from_chars(port_text.data(), end, port);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  const bool ok =
      !error && parsed.ec == std::errc() && parsed.ptr == end && address.is_v6() == bracketed;
  if (!ok) return std::nullopt;
  return tcp::endpoint(address, port);
}

std::string FormatAddress(const tcp::endpoint& address) {
  const std::string host = address.address().to_string();
  const std::string port = std::to_string(address.port());
  return address.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

}  // namespace idv::sandbox
