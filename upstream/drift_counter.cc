#include "upstream/drift_counter.h"

#include <absl/strings/str_cat.h>

#include "upstream/failure.h"

namespace idv {

std::string DriftCounter::NameOf(const Drift& drift) {
  return absl::StrCat(drift.where, drift.kind == Drift::Kind::kUnknownKey ? "." : "=",
                      Printable(drift.what, kMaxNameBytes));
}

bool DriftCounter::Count(const google::protobuf::MethodDescriptor& method, const Drift& drift) {
  Key key{method.full_name(), drift.kind, NameOf(drift)};
  const std::lock_guard lock(mutex_);
  auto count = counts_.find(key);
  if (count == counts_.end()) {
    size_t& kept = kept_by_method_[key.method];
    if (kept >= kMaxPerMethod) {
      key.name = "(other)";
    } else {
      ++kept;
    }
    count = counts_.try_emplace(std::move(key), 0).first;
  }
  return ++count->second == 1;
}

std::map<DriftCounter::Key, uint64_t> DriftCounter::Snapshot() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace idv
