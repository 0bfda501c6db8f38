#pragma once

#include <cstddef>

namespace idv::e2e {

// By how much a gateway's memory may grow beyond what a test counts: what a call takes by itself;
// instrumentation besides keeps back what is freed.
#ifdef IDV_INSTRUMENTED
inline constexpr size_t kSlackKib = 64 << 10;
#else
inline constexpr size_t kSlackKib = 4 << 10;
#endif

// What an answer may take that grows up to its cap of 8 MiB, in a text that doubles: that is up to
// 16 MiB, with the text before beside it, and what the allocator keeps.
inline constexpr size_t kWholeAnswerKib = size_t{32} << 10;

}  // namespace idv::e2e
