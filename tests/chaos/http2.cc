#include "tests/chaos/http2.h"

#include <array>

namespace idv::chaos::http2 {
namespace {

constexpr std::array<std::string_view, 14> kErrors = {"NO_ERROR",
                                                      "PROTOCOL_ERROR",
                                                      "INTERNAL_ERROR",
                                                      "FLOW_CONTROL_ERROR",
                                                      "SETTINGS_TIMEOUT",
                                                      "STREAM_CLOSED",
                                                      "FRAME_SIZE_ERROR",
                                                      "REFUSED_STREAM",
                                                      "CANCEL",
                                                      "COMPRESSION_ERROR",
                                                      "CONNECT_ERROR",
                                                      "ENHANCE_YOUR_CALM",
                                                      "INADEQUATE_SECURITY",
                                                      "HTTP_1_1_REQUIRED"};

char Byte(uint64_t value) { return static_cast<char>(value & 0xff); }

// A string of HPACK, not Huffman-coded; its length is an integer with a prefix of 7 bits.
void AppendString(std::string_view text, std::string& block) {
  constexpr size_t kPrefix = 127;
  if (text.size() < kPrefix) {
    block.push_back(Byte(text.size()));
  } else {
    block.push_back(Byte(kPrefix));
    size_t rest = text.size() - kPrefix;
    for (; rest >= 128; rest /= 128) block.push_back(Byte(128 + rest % 128));
    block.push_back(Byte(rest));
  }
  block.append(text);
}

}  // namespace

std::string Uint32(uint32_t value) {
  return {Byte(value >> 24), Byte(value >> 16), Byte(value >> 8), Byte(value)};
}

std::string FrameHead(size_t payload_bytes, Type type, uint8_t flags, uint32_t stream) {
  return std::string{Byte(payload_bytes >> 16), Byte(payload_bytes >> 8), Byte(payload_bytes),
                     Byte(static_cast<uint8_t>(type)), Byte(flags)} +
         Uint32(stream);
}

std::string Frame(Type type, uint8_t flags, uint32_t stream, std::string_view payload) {
  return FrameHead(payload.size(), type, flags, stream).append(payload);
}

std::string Settings(std::initializer_list<std::pair<uint16_t, uint32_t>> values) {
  std::string payload;
  for (const auto& [id, value] : values) {
    payload.append({Byte(id >> 8), Byte(id)}).append(Uint32(value));
  }
  return Frame(Type::kSettings, 0, 0, payload);
}

std::string Greeting() { return std::string(kPreface) + Settings(); }

std::string RstStream(uint32_t stream, uint32_t code) {
  return Frame(Type::kRstStream, 0, stream, Uint32(code));
}

std::string WindowUpdate(uint32_t stream, uint32_t increment) {
  return Frame(Type::kWindowUpdate, 0, stream, Uint32(increment));
}

std::string Block(const Fields& fields) {
  constexpr char kLiteralWithoutIndexing = 0;
  std::string block;
  for (const auto& [name, value] : fields) {
    block.push_back(kLiteralWithoutIndexing);
    AppendString(name, block);
    AppendString(value, block);
  }
  return block;
}

Fields CallFields(const std::string& rpc) {
  return {{":method", "POST"},       {":scheme", "http"}, {":path", rpc},
          {":authority", "gateway"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
}

std::string Message(std::string_view bytes, std::optional<uint32_t> declared_bytes) {
  constexpr char kUncompressed = 0;
  return std::string(1, kUncompressed)
      .append(Uint32(declared_bytes.value_or(static_cast<uint32_t>(bytes.size()))))
      .append(bytes);
}

std::string Headers(uint32_t stream, std::string_view block, size_t frame_bytes) {
  std::string frames;
  Type type = Type::kHeaders;
  do {
    const std::string_view part = block.substr(0, frame_bytes);
    block.remove_prefix(part.size());
    frames += Frame(type, block.empty() ? kEndHeaders : uint8_t{0}, stream, part);
    type = Type::kContinuation;
  } while (!block.empty());
  return frames;
}

std::string Call(uint32_t stream, const std::string& rpc, std::string_view message) {
  return Headers(stream, Block(CallFields(rpc))) +
         Frame(Type::kData, kEndStream, stream, Message(message));
}

std::string NameOfError(uint32_t code) {
  return IsStandardError(code) ? std::string(kErrors[code]) : std::to_string(code);
}

bool IsStandardError(uint32_t code) { return code < kErrors.size(); }

}  // namespace idv::chaos::http2
