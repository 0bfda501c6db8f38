#include "metrics/trace_context.h"

#include <absl/random/random.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace idv {
namespace {

// version "-" trace-id "-" parent-id "-" trace-flags
constexpr size_t kTraceIdAt = 3;
constexpr size_t kSpanIdAt = 36;
constexpr size_t kFlagsAt = 53;
constexpr size_t kTraceparentBytes = 55;

constexpr uint8_t kInvalidVersion = 0xff;
constexpr uint8_t kSampledFlag = 0x01;

constexpr int kRandomBits = 56;

// -1 if it is none. Capital letters are none here.
int ValueOfDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

// Reads as many bytes as `bytes` has from `text`, which is long enough.
template <size_t size>
bool ReadHex(const char* text, std::array<uint8_t, size>& bytes) {
  for (uint8_t& byte : bytes) {
    const int high = ValueOfDigit(*text++);
    const int low = ValueOfDigit(*text++);
    if (high < 0 || low < 0) return false;
    byte = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

template <size_t size>
void WriteHex(const std::array<uint8_t, size>& bytes, char* text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const uint8_t byte : bytes) {
    *text++ = kDigits[byte >> 4];
    *text++ = kDigits[byte & 0xf];
  }
}

template <size_t size>
bool IsZero(const std::array<uint8_t, size>& id) {
  return std::all_of(id.begin(), id.end(), [](uint8_t byte) { return byte == 0; });
}

// Zeros are no id.
template <size_t size>
std::array<uint8_t, size> RandomId() {
  thread_local absl::BitGen random;
  std::array<uint8_t, size> id{};
  do {
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
      const auto bits = absl::Uniform<uint64_t>(random);
      std::memcpy(&id[at], &bits, sizeof bits);
    }
  } while (IsZero(id));
  return id;
}

bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

std::string TraceStateToHandOn(std::string_view given) {
  if (!std::all_of(given.begin(), given.end(), IsPrintable)) return "";
  if (given.size() <= kMaxTraceStateBytes) return std::string(given);
  // A comma right behind the limit ends a member that fits.
  const size_t end = given.substr(0, kMaxTraceStateBytes + 1).rfind(',');
  return end == std::string_view::npos ? "" : std::string(given.substr(0, end));
}

}  // namespace

std::optional<TraceContext> ParseTraceContext(std::string_view traceparent,
                                              std::string_view tracestate) {
  if (traceparent.size() < kTraceparentBytes) return std::nullopt;
  const char* const text = traceparent.data();
  TraceContext context;
  std::array<uint8_t, 1> version{};
  std::array<uint8_t, 1> flags{};
  const bool is_well_formed =
      ReadHex(text, version) && ReadHex(text + kTraceIdAt, context.trace_id) &&
      ReadHex(text + kSpanIdAt, context.span_id) && ReadHex(text + kFlagsAt, flags) &&
      text[kTraceIdAt - 1] == '-' && text[kSpanIdAt - 1] == '-' && text[kFlagsAt - 1] == '-';
  if (!is_well_formed || version[0] == kInvalidVersion) return std::nullopt;
  if (IsZero(context.trace_id) || IsZero(context.span_id)) return std::nullopt;
  const bool has_more = traceparent.size() > kTraceparentBytes;
  if (has_more && (version[0] == 0 || text[kTraceparentBytes] != '-')) return std::nullopt;
  context.is_sampled = (flags[0] & kSampledFlag) != 0;
  context.trace_state = TraceStateToHandOn(tracestate);
  return context;
}

std::string ToTraceparent(const TraceContext& context) {
  std::string text(kTraceparentBytes, '-');
  WriteHex(std::array<uint8_t, 1>{0}, text.data());
  WriteHex(context.trace_id, text.data() + kTraceIdAt);
  WriteHex(context.span_id, text.data() + kSpanIdAt);
  WriteHex(std::array<uint8_t, 1>{context.is_sampled ? kSampledFlag : uint8_t{0}},
           text.data() + kFlagsAt);
  return text;
}

std::string ToHex(const TraceId& trace_id) {
  std::string text(2 * trace_id.size(), '0');
  WriteHex(trace_id, text.data());
  return text;
}

TraceContext BeginTrace(double sample_ratio) {
  TraceContext context{.trace_id = RandomId<sizeof(TraceId)>(),
                       .span_id = RandomId<sizeof(SpanId)>()};
  context.is_sampled = SamplesTrace(context.trace_id, sample_ratio);
  return context;
}

TraceContext ChildOf(const TraceContext& parent) {
  TraceContext child = parent;
  child.span_id = RandomId<sizeof(SpanId)>();
  return child;
}

bool SamplesTrace(const TraceId& trace_id, double sample_ratio) {
  uint64_t random = 0;
  for (size_t at = sizeof(TraceId) - kRandomBits / 8; at < sizeof(TraceId); ++at) {
    random = random << 8 | trace_id[at];
  }
  return random >= static_cast<uint64_t>(std::ldexp(1 - sample_ratio, kRandomBits));
}

}  // namespace idv
