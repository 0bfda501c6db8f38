#include "tests/fuzz/rpcs.h"

#include "gateway/services.h"
#include "tests/upstream/probe.pb.h"

namespace idv::fuzz {

const Methods& AllRpcs() {
  static const Methods methods = [] {
    auto services = ServedServices();
    services.push_back(
        idv::test::StoreRequest::descriptor()->file()->FindServiceByName("ProbeService"));
    return *Methods::Compile(services);
  }();
  return methods;
}

}  // namespace idv::fuzz
