#pragma once

#include "gateway/method.h"

namespace idv::fuzz {

// Every RPC that the gateway serves, and those of the test-only service, which has a field of every
// shape.
const Methods& AllRpcs();

}  // namespace idv::fuzz
