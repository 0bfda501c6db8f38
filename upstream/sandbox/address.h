#ifndef UPSTREAM_SANDBOX_ADDRESS_H_
#define UPSTREAM_SANDBOX_ADDRESS_H_

#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace idv::sandbox {

// "127.0.0.1:8081", "[::1]:0" or "localhost:8081". Names other than localhost are not looked up:
// nothing for those, as for any text that is no address with a port.
std::optional<boost::asio::ip::tcp::endpoint> ParseAddress(std::string_view text);

// The other way round.
std::string FormatAddress(const boost::asio::ip::tcp::endpoint& address);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_ADDRESS_H_
