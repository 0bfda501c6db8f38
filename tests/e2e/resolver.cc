// Preloaded into a program: looks names below ".test" up at the DNS server whose port is in
// IDV_TEST_DNS_PORT, by the C library's own resolver with its waits and repeats, and leaves all
// other names alone. So a test needs neither the machine's resolv.conf nor the rights to replace
// it. Of public addresses it has those of TEST-NET-3 (RFC 5737), which lead to loopback:
// 203.0.113.N to 127.0.0.N.

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using GetAddrInfo = int(const char*, const char*, const addrinfo*, addrinfo**);

// That of the C library.
int Original(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  static auto* const original = reinterpret_cast<GetAddrInfo*>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return original(node, service, hints, result);
}

int ToError(int resolver_error) {
  switch (resolver_error) {
    case HOST_NOT_FOUND:
      return EAI_NONAME;
    case TRY_AGAIN:
      return EAI_AGAIN;
    default:
      return EAI_FAIL;
  }
}

// Appends an address as the C library writes it.
int Append(const ns_rr& record, const char* service, const addrinfo* hints, addrinfo** end) {
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, ns_rr_rdata(record), text.data(), text.size());
  addrinfo numeric{};
  if (hints != nullptr) numeric = *hints;
  numeric.ai_family = AF_INET;
  numeric.ai_flags |= AI_NUMERICHOST;
  return Original(text.data(), service, &numeric, end);
}

int Parse(const unsigned char* answer, int size, const char* service, const addrinfo* hints,
          addrinfo** result) {
  ns_msg message;
  if (ns_initparse(answer, size, &message) != 0) return EAI_FAIL;
  *result = nullptr;
  addrinfo** end = result;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return EAI_FAIL;
    if (ns_rr_type(record) != ns_t_a) continue;
    if (const int error = Append(record, service, hints, end); error != 0) return error;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return *result == nullptr ? EAI_NONAME : 0;
}

int LookUp(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  struct __res_state state{};
  if (res_ninit(&state) != 0) return EAI_FAIL;
  state.nscount = 1;
  state.nsaddr_list[0].sin_family = AF_INET;
  state.nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  state.nsaddr_list[0].sin_port =
      htons(static_cast<uint16_t>(std::atoi(std::getenv("IDV_TEST_DNS_PORT"))));
  std::array<unsigned char, NS_PACKETSZ> answer{};
  const int size = res_nquery(&state, node, ns_c_in, ns_t_a, answer.data(), answer.size());
  const int error =
      size < 0 ? ToError(state.res_h_errno) : Parse(answer.data(), size, service, hints, result);
  res_nclose(&state);
  return error;
}

using Connect = int(int, const sockaddr*, socklen_t);

constexpr uint32_t kTestNet = 0xcb007100;
constexpr uint32_t kLoopback = 0x7f000000;
constexpr uint32_t kLastByte = 0xff;

}  // namespace

extern "C" int connect(int fd, const sockaddr* address, socklen_t size) {
  static auto* const original = reinterpret_cast<Connect*>(dlsym(RTLD_NEXT, "connect"));
  if (address->sa_family != AF_INET || size < sizeof(sockaddr_in)) {
    return original(fd, address, size);
  }
  sockaddr_in to = *reinterpret_cast<const sockaddr_in*>(address);
  const uint32_t ipv4 = ntohl(to.sin_addr.s_addr);
  if ((ipv4 & ~kLastByte) == kTestNet) to.sin_addr.s_addr = htonl(kLoopback | (ipv4 & kLastByte));
  return original(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  constexpr std::string_view kOurs = ".test";
  const std::string_view name = node == nullptr ? "" : node;
  const bool ours = name.size() > kOurs.size() && name.substr(name.size() - kOurs.size()) == kOurs;
  return ours ? LookUp(node, service, hints, result) : Original(node, service, hints, result);
}
