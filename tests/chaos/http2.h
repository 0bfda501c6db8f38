#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace idv::chaos::http2 {

// The bytes of an HTTP/2 client (RFC 9113), right or wrong as a test wants them.

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

inline constexpr uint8_t kAck = 0x1;  // of SETTINGS and PING
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;

// The nine bytes before a payload.
std::string FrameHead(size_t payload_bytes, Type type, uint8_t flags, uint32_t stream);
std::string Frame(Type type, uint8_t flags, uint32_t stream, std::string_view payload = "");

std::string Settings(std::initializer_list<std::pair<uint16_t, uint32_t>> values = {});
// With which a client begins.
std::string Greeting();
std::string RstStream(uint32_t stream, uint32_t code);
std::string WindowUpdate(uint32_t stream, uint32_t increment);

// In the byte order of the network.
std::string Uint32(uint32_t value);

using Fields = std::vector<std::pair<std::string, std::string>>;

// A header block of literals (RFC 7541), none of them indexed or Huffman-coded.
std::string Block(const Fields& fields);
// What a gRPC client sends for a call of "/package.Service/Method".
Fields CallFields(const std::string& rpc);

// A message as gRPC frames it. `declared_bytes`: in place of its own length.
std::string Message(std::string_view bytes, std::optional<uint32_t> declared_bytes = std::nullopt);

// A header block in a HEADERS and as many CONTINUATION frames as it takes.
std::string Headers(uint32_t stream, std::string_view block, size_t frame_bytes = 16'384);
// A whole call with a message.
std::string Call(uint32_t stream, const std::string& rpc, std::string_view message);

// "PROTOCOL_ERROR" and so on; a number for what the standard does not know.
std::string NameOfError(uint32_t code);
bool IsStandardError(uint32_t code);

}  // namespace idv::chaos::http2
