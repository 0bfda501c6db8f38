#include "tests/chaos/size.h"

#include <cstdlib>
#include <string_view>

namespace idv::chaos {

bool IsLong() {
  const char* const value = std::getenv("IDV_LONG");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace idv::chaos
