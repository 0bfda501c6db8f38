#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <vector>

#include "upstream/answer_cache.h"

namespace idv {

// A tenant's kept answers as a file: a line that names format and version, the SHA-256 of the rest,
// and a kora.idv.gateway.v1.CacheSnapshot. Errors name the file, and nothing of what is in it.

// More is neither written nor read.
inline constexpr size_t kMaxSnapshotBytes = size_t{64} << 20;

// All of it or nothing; follows no symbolic link.
//   kNotFound            there is no such file
//   kResourceExhausted   it has more than kMaxSnapshotBytes
//   kDataLoss            it is cut off or damaged
//   kFailedPrecondition  it is no snapshot, one of another version, or one of another tenant
//   others               as the system says when it cannot be read
absl::StatusOr<std::vector<AnswerCache::Kept>> ReadSnapshotFile(const std::string& path,
                                                                const std::string& tenant_id);

// Replaces the file in one step, so that it is whole at any time: after a loss of power it is the
// new one or the one before. Only its owner can read it. Until then the new one is `path` with
// ".tmp" behind, and what was left there goes first, so only one may write at a time. Of more than
// kMaxSnapshotBytes the first answers that fit are written. Errors: as the system says.
absl::Status WriteSnapshotFile(const std::string& path, const std::string& tenant_id,
                               const std::vector<AnswerCache::Kept>& kept);

}  // namespace idv
