#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace idv::verify {

// Which liveness frames to stream, and when.
struct FramePlan {
  int count = 0;
  std::size_t bytes = 0;  // of each frame, at least 1
  double per_second = 0;  // above 0

  // The time between the first frame (0) and this one.
  std::chrono::nanoseconds Offset(int index) const;
  // The size of that many frames.
  std::uint64_t Bytes(int frames) const { return static_cast<std::uint64_t>(frames) * bytes; }
};

// A frame of exactly that many bytes, at least 1: the picture, cut, or filled up with zeros, which
// a JPEG decoder skips.
std::string MakeFrame(const std::string& picture, std::size_t bytes);

// Writes the number into the last four bytes of the frame, or what fits of it, so that frames with
// other numbers differ.
void NumberFrame(std::string& frame, int number);

}  // namespace idv::verify
