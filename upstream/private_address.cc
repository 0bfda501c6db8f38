#include "upstream/private_address.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace idv {
namespace {

// All addresses that begin with the first `bits` of the 16 in `start`.
struct Block {
  uint16_t start;
  int bits;
};

// RFC 6890, 2.2.2.
constexpr std::array kPrivate4 = {
    Block{0x0000, 8},   // 0.0.0.0/8, this machine; Linux takes 0.0.0.0 for loopback
    Block{0x0a00, 8},   // 10.0.0.0/8
    Block{0x6440, 10},  // 100.64.0.0/10, shared
    Block{0x7f00, 8},   // 127.0.0.0/8, loopback
    Block{0xa9fe, 16},  // 169.254.0.0/16, link-local
    Block{0xac10, 12},  // 172.16.0.0/12
    Block{0xc0a8, 16},  // 192.168.0.0/16
};
// RFC 6890, 2.2.3, and RFC 3879. For :: and ::1 see kHolders.
constexpr std::array kPrivate6 = {
    Block{0xfc00, 7},   // unique-local
    Block{0xfe80, 10},  // link-local
    Block{0xfec0, 10},  // site-local
};

using Prefix = std::array<uint8_t, 12>;
// What stands before the IPv4 address that an IPv6 one holds.
constexpr std::array kHolders = {
    Prefix{},                                          // compatible; :: and ::1 are in 0.0.0.0/8
    Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},  // mapped
    Prefix{0, 0x64, 0xff, 0x9b},                       // NAT64, RFC 6052
};

// `bytes`: at least the first two.
template <size_t kCount>
bool IsIn(const std::array<Block, kCount>& blocks, const uint8_t* bytes) {
  const int start = bytes[0] << 8 | bytes[1];
  return std::any_of(blocks.begin(), blocks.end(), [&](const Block& block) {
    return (start ^ block.start) >> (16 - block.bits) == 0;
  });
}

bool IsPrivate6(const std::array<uint8_t, 16>& bytes) {
  const bool holds_another =
      std::any_of(kHolders.begin(), kHolders.end(), [&](const Prefix& prefix) {
        return std::equal(prefix.begin(), prefix.end(), bytes.begin());
      });
  return holds_another ? IsIn(kPrivate4, &bytes[12]) : IsIn(kPrivate6, bytes.data());
}

}  // namespace

bool IsPrivateAddress(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    std::array<uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr,
                bytes.size());
    return IsIn(kPrivate4, bytes.data());
  }
  if (address.sa_family != AF_INET6) return true;
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr,
              bytes.size());
  return IsPrivate6(bytes);
}

}  // namespace idv
