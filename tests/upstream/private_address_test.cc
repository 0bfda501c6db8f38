#include "upstream/private_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <string>

namespace idv {
namespace {

bool IsPrivate(const std::string& text) {
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  if (inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr) == 1) {
    return IsPrivateAddress(reinterpret_cast<const sockaddr&>(ipv4));
  }
  sockaddr_in6 ipv6{};
  ipv6.sin6_family = AF_INET6;
  EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr), 1) << text;
  return IsPrivateAddress(reinterpret_cast<const sockaddr&>(ipv6));
}

TEST(PrivateAddressTest, KnowsTheFirstAndTheLastOfEveryBlock) {
  for (const char* address : {"0.0.0.0",
                              "0.255.255.255",
                              "10.0.0.0",
                              "10.255.255.255",
                              "100.64.0.0",
                              "100.127.255.255",
                              "127.0.0.0",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.0.0",
                              "169.254.169.254",
                              "169.254.255.255",
                              "172.16.0.0",
                              "172.31.255.255",
                              "192.168.0.0",
                              "192.168.255.255",
                              "::",
                              "::1",
                              "fc00::",
                              "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                              "fe80::",
                              "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                              "fec0::",
                              "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                              "::ffff:10.0.0.1",
                              "::ffff:127.0.0.1",
                              "::ffff:0.0.0.0",
                              "::ffff:192.168.1.1",
                              "::10.0.0.1",
                              "::127.0.0.1",
                              "64:ff9b::a00:1",
                              "64:ff9b::169.254.169.254"}) {
    EXPECT_TRUE(IsPrivate(address)) << address;
  }
}

TEST(PrivateAddressTest, TakesTheirNeighboursForPublic) {
  for (const char* address : {"1.0.0.0",         "8.8.8.8",
                              "9.255.255.255",   "11.0.0.0",
                              "100.63.255.255",  "100.128.0.0",
                              "126.255.255.255", "128.0.0.0",
                              "169.253.255.255", "169.255.0.0",
                              "172.15.255.255",  "172.32.0.0",
                              "192.167.255.255", "192.169.0.0",
                              "203.0.113.1",     "2001:db8::1",
                              "2606:4700::1111", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                              "fe00::",          "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                              "::ffff:8.8.8.8",  "::ffff:172.32.0.1",
                              "::8.8.8.8",       "64:ff9b::808:808",
                              "64:ff9c::a00:1",  "::fffe:10.0.0.1",
                              "::1:0:10.0.0.1",  "64:ff9b::1:0:10.0.0.1"}) {
    EXPECT_FALSE(IsPrivate(address)) << address;
  }
}

TEST(PrivateAddressTest, TakesWhatIsNoAddressOfTheInternetForPrivate) {
  sockaddr_un path{};
  path.sun_family = AF_UNIX;

  EXPECT_TRUE(IsPrivateAddress(reinterpret_cast<const sockaddr&>(path)));
}

}  // namespace
}  // namespace idv
