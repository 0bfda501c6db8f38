#include "upstream/sandbox/base64.h"

#include <array>
#include <cstddef>

namespace idv::sandbox {
namespace {

constexpr std::array<bool, 256> MakeAlphabet() {
  std::array<bool, 256> alphabet{};
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")) {
    alphabet[static_cast<unsigned char>(c)] = true;
  }
  return alphabet;
}
constexpr std::array<bool, 256> kAlphabet = MakeAlphabet();

}  // namespace

void Base64Check::Add(std::string_view piece) {
  characters_ += piece.size();
  for (const char c : piece) {
    if (kAlphabet[static_cast<unsigned char>(c)]) {
      broken_ |= padding_ > 0;
    } else if (c == '=') {
      broken_ |= ++padding_ > 2;
    } else {
      broken_ = true;
      return;
    }
  }
}

bool IsBase64(std::string_view text) {
  Base64Check check;
  check.Add(text);
  return check.IsValid();
}

}  // namespace idv::sandbox
