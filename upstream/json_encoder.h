#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "upstream/failure.h"
#include "upstream/images.h"
#include "upstream/json_body.h"

namespace idv {

// Writes messages of one type as the JSON that the upstream expects, after a plan compiled once
// from the descriptor. Strict: it writes only what the caller set, under the proto's JSON names.
// Immutable after Compile(), so thread-safe.
class JsonEncoder {
 public:
  // `skipped` fields of the message itself travel elsewhere (path, query, header) and are not
  // written; those in `keys` are written under these instead of their JSON names. Errors, each
  // naming the field: kUnimplemented for a type that no request can carry (a map, an Any, ...),
  // kInvalidArgument for options that contradict the type.
  static absl::StatusOr<JsonEncoder> Compile(
      const google::protobuf::Descriptor& type,
      const std::set<const google::protobuf::FieldDescriptor*>& skipped,
      const std::map<const google::protobuf::FieldDescriptor*, std::string>& keys = {});

  JsonEncoder(JsonEncoder&&) noexcept;
  ~JsonEncoder();

  // Appends the object to `body`, which borrows the images: those of `message`, or, if its own are
  // but marks, those of `images`. What cannot be sent is added to `violations`, all of it, by proto
  // path; the body is then of no use.
  void Encode(const google::protobuf::Message& message, JsonBody& body,
              std::vector<Failure::Violation>& violations, const Images* images = nullptr) const;

  // The proto path of the field that the upstream calls `json_path`
  // ("outer.items[0].someText"). Where it names no field, the path as it is.
  std::string ProtoPath(absl::string_view json_path) const;

 private:
  struct Plan;
  explicit JsonEncoder(std::unique_ptr<Plan> plan);

  std::unique_ptr<Plan> plan_;
};

}  // namespace idv
