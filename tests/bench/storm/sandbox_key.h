#pragma once

namespace idv::bench::storm {

// Of the tenant that idv-sandbox knows by itself.
inline constexpr char kSandboxKey[] = "test_sk_sandbox";

}  // namespace idv::bench::storm
