#include "upstream/reason.h"

namespace idv {

absl::string_view NameOf(Blame blame) {
  switch (blame) {
    case Blame::kCaller:
      return "caller";
    case Blame::kUs:
      return "us";
    case Blame::kVendor:
      return "vendor";
  }
  return "us";
}

}  // namespace idv
