#ifndef UPSTREAM_SANDBOX_UUID_H_
#define UPSTREAM_SANDBOX_UUID_H_

#include <functional>
#include <string>
#include <string_view>

namespace idv::sandbox {

// Gives a new id at every call.
using IdGenerator = std::function<std::string()>;

// Random lower-case UUIDs of version 4, the form of real verification ids (upstream-api.md section
// 3). Not for secrets. The result belongs to one thread.
IdGenerator RandomUuids();

// 8-4-4-4-12 hexadecimal digits, of either case.
bool IsUuid(std::string_view text);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_UUID_H_
