#pragma once

#include <sys/socket.h>

namespace idv {

// Whether the address leads to this machine, to a network that is nobody else's, or nowhere:
// loopback, private, shared (RFC 6598), link-local, unique-local, site-local and unspecified
// addresses, and IPv6 ones that hold such an IPv4 one. So does every address that is neither IPv4
// nor IPv6.
bool IsPrivateAddress(const sockaddr& address);

}  // namespace idv
