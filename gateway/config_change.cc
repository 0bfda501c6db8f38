#include "gateway/config_change.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <array>
#include <memory>

namespace idv {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// What is only looked at when a call begins or the gateway ends. The rest is built into listeners,
// connections and threads; README.md says so too.
constexpr std::array<absl::string_view, 26> kLive = {"tenants",
                                                     "callers",
                                                     "drain",
                                                     "log",
                                                     "metrics",
                                                     "admin",
                                                     "tracing.sample_ratio",
                                                     "tracing.propagate_upstream",
                                                     "budget.queue",
                                                     "retry",
                                                     "breaker",
                                                     "cache.join_reads",
                                                     "cache.verification",
                                                     "cache.reference.fresh",
                                                     "cache.reference.stale",
                                                     "cache.reference.stale_if_error",
                                                     "limits.default_deadline",
                                                     "limits.max_deadline",
                                                     "limits.max_in_flight",
                                                     "limits.max_in_flight_per_tenant",
                                                     "limits.max_in_flight_per_caller",
                                                     "limits.upload_memory",
                                                     "limits.frames",
                                                     "limits.stream_bytes",
                                                     "limits.frame_idle",
                                                     "limits.upstream_stall"};

bool IsLive(absl::string_view path) {
  return std::find(kLive.begin(), kLive.end(), path) != kLive.end();
}

// A message with that field of `from` only.
std::unique_ptr<Message> Only(const FieldDescriptor& field, const Message& from) {
  std::unique_ptr<Message> copy(from.New());
  copy->CopyFrom(from);
  std::unique_ptr<Message> only(from.New());
  from.GetReflection()->SwapFields(copy.get(), only.get(), {&field});
  return only;
}

void Take(const Message& wanted, const std::string& prefix, Message& next,
          std::vector<std::string>& needs_restart) {
  const auto& reflection = *next.GetReflection();
  for (int i = 0; i < next.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *next.GetDescriptor()->field(i);
    const std::string path = absl::StrCat(prefix, field.name());
    const std::unique_ptr<Message> theirs = Only(field, wanted);
    if (google::protobuf::util::MessageDifferencer::Equals(*theirs, *Only(field, next))) continue;
    const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (IsLive(path)) {
      reflection.SwapFields(&next, theirs.get(), {&field});
    } else if (is_message && !field.is_repeated() && reflection.HasField(next, &field) &&
               reflection.HasField(*theirs, &field)) {
      Take(reflection.GetMessage(*theirs, &field), path + ".",
           *reflection.MutableMessage(&next, &field), needs_restart);
    } else {
      needs_restart.push_back(path);
    }
  }
}

}  // namespace

ConfigChange ChangeTo(const kora::idv::gateway::v1::Config& wanted,
                      const kora::idv::gateway::v1::Config& running) {
  ConfigChange change{.next = running, .needs_restart = {}};
  Take(wanted, "", change.next, change.needs_restart);
  return change;
}

}  // namespace idv
