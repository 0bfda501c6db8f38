#include "gateway/config.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <google/protobuf/util/json_util.h>

#include "tests/fuzz/rpcs.h"
#include "tests/fuzz/target.h"

namespace idv::fuzz {
namespace {

absl::StatusOr<LoadedConfig> Load(const std::string& text) {
  static const std::vector<std::string> methods = AllRpcs().Names();
  return LoadConfig(text, methods, 2);
}

std::string CheckProblems(const absl::Status& refusal) {
  if (refusal.code() != absl::StatusCode::kInvalidArgument) return "a refusal with another code";
  for (const absl::string_view line : absl::StrSplit(refusal.message(), '\n')) {
    if (line.empty()) return "a refusal without a problem";
  }
  return "";
}

// As `--print-config` does.
std::string ToJson(const kora::idv::gateway::v1::Config& config) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string text;
  return google::protobuf::util::MessageToJsonString(config, &text, options).ok() ? text : "";
}

}  // namespace

std::string CheckConfig(absl::string_view bytes) {
  const auto loaded = Load(std::string(bytes));
  if (!loaded.ok()) return CheckProblems(loaded.status());

  const std::string printed = ToJson(loaded->effective);
  if (printed.empty()) return "a configuration that cannot be printed";
  const auto again = Load(printed);
  if (!again.ok()) return absl::StrCat("printed, it is refused: ", again.status().message());
  if (again->effective.SerializeAsString() != loaded->effective.SerializeAsString()) {
    return "printed, it is another";
  }
  return "";
}

}  // namespace idv::fuzz
