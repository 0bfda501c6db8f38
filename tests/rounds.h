#pragma once

#include <cstdlib>
#include <string_view>

namespace idv {

// How often a test repeats what must never fail: `usual` times, or `full` times with IDV_LONG=1 in
// the environment.
inline int Rounds(int usual, int full) {
  const char* const is_long = std::getenv("IDV_LONG");
  return is_long != nullptr && std::string_view(is_long) == "1" ? full : usual;
}

}  // namespace idv
