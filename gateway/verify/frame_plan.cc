#include "gateway/verify/frame_plan.h"

#include <algorithm>
#include <cmath>

namespace idv::verify {
namespace {

// Longer than any --timeout: such a frame is never sent, it only must not overflow.
constexpr double kNeverSeconds = 48 * 3600;

}  // namespace

std::chrono::nanoseconds FramePlan::Offset(int index) const {
  return std::chrono::nanoseconds(std::llround(std::min(index / per_second, kNeverSeconds) * 1e9));
}

std::string MakeFrame(const std::string& picture, std::size_t bytes) {
  std::string frame = picture.substr(0, bytes);
  frame.resize(bytes);
  return frame;
}

void NumberFrame(std::string& frame, int number) {
  auto rest = static_cast<std::uint32_t>(number);
  const auto last = frame.rbegin() + std::min<std::ptrdiff_t>(4, std::ssize(frame));
  for (auto byte = frame.rbegin(); byte != last; ++byte, rest >>= 8) {
    *byte = static_cast<char>(rest & 0xff);
  }
}

}  // namespace idv::verify
