#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/fuzz/target.h"

namespace {

using idv::fuzz::kTargets;
using idv::fuzz::Target;

// IDV_FUZZ_TARGET is the name of the one that this program fuzzes.
const Target& ThisTarget() {
  for (const Target& target : kTargets) {
    if (target.name == IDV_FUZZ_TARGET) return target;
  }
  std::abort();
}

// Messages about bad input would fill the log.
void LogFatal(google::protobuf::LogLevel level, const char* file, int line,
              const std::string& message) {
  if (level == google::protobuf::LOGLEVEL_FATAL) std::cerr << file << ":" << line << " " << message;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  google::protobuf::SetLogHandler(&LogFatal);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Target& target = ThisTarget();
  const std::string broken = target.check({reinterpret_cast<const char*>(data), size});
  if (broken.empty()) return 0;
  std::cerr << "BROKEN: " << broken << "\n";
  std::abort();
}
