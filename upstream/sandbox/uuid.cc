#include "upstream/sandbox/uuid.h"

#include <cctype>
#include <cstdint>
#include <memory>
#include <random>

namespace idv::sandbox {
namespace {

constexpr std::string_view kShape = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
constexpr std::string_view kHex = "0123456789abcdef";

std::string NextUuid(std::mt19937_64& random) {
  std::string uuid(kShape);
  std::uint64_t bits = 0;
  int left = 0;
  for (char& c : uuid) {
    if (c != 'x' && c != 'y') continue;
    if (left == 0) {
      bits = random();
      left = 16;
    }
    const std::uint64_t nibble = bits & 0xF;
    c = kHex[c == 'x' ? nibble : 8 + nibble % 4];
    bits >>= 4;
    --left;
  }
  return uuid;
}

}  // namespace

IdGenerator RandomUuids() {
  auto random = std::make_shared<std::mt19937_64>(std::random_device{}());
  return [random] { return NextUuid(*random); };
}

bool IsUuid(std::string_view text) {
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = kShape[i] == '-';
    if (dash != (text[i] == '-')) return false;
    if (!dash && std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

}  // namespace idv::sandbox
