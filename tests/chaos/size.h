#pragma once

namespace idv::chaos {

// Whether these tests run at the sizes they are accepted by (IDV_LONG=1, minutes), rather than at
// those that fit every run of the tests (seconds).
bool IsLong();

template <typename T>
T Sized(const T& small, const T& full) {
  return IsLong() ? full : small;
}

// The gateway is built with a sanitizer, which takes memory and time as it likes.
#ifdef IDV_INSTRUMENTED
inline constexpr bool kIsInstrumented = true;
#else
inline constexpr bool kIsInstrumented = false;
#endif

}  // namespace idv::chaos
