#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <memory>
#include <vector>

#include "tests/fuzz/rpcs.h"
#include "tests/fuzz/target.h"
#include "tests/marker.h"
#include "upstream/json_value.h"

namespace idv::fuzz {
namespace {

using google::protobuf::Message;

// With the maps in one order.
std::string Serialize(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

// Whether a map is in it, free objects among them.
bool HasMap(const Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->is_map()) return true;
    if (field->message_type() == nullptr) continue;
    const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      if (HasMap(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                      : reflection.GetMessage(message, field))) {
        return true;
      }
    }
  }
  return false;
}

// A protobuf library of a caller must be able to read the answer, and its size must follow from the
// text's.
std::string CheckAnswer(const Method& method, const std::string& wire, size_t text_bytes) {
  constexpr size_t kMaxGrowth = 16;
  constexpr size_t kMaxGrowthInMemory = 512;
  if (wire.size() > kMaxGrowth * (text_bytes + 16)) return "the answer is out of bounds";
  const auto& type = *method.route.method().output_type();
  const std::unique_ptr<Message> answer(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
  if (!answer->ParseFromString(wire)) return "the answer cannot be parsed";
  if (answer->SpaceUsedLong() > kMaxGrowthInMemory * (text_bytes + 16)) {
    return "the answer in memory is out of bounds";
  }
  const std::unique_ptr<Message> again(answer->New());
  const std::string bytes = Serialize(*answer);
  // Entries of maps come in any order, and of two with one key only the last is read.
  if (bytes.size() > wire.size()) return "the answer is shorter than its message";
  if (bytes != wire && !HasMap(*answer)) return "protobuf itself writes the answer otherwise";
  if (!again->ParseFromString(bytes)) return "the answer's message cannot be parsed";
  return Serialize(*again) == bytes ? "" : "the answer reads back as another";
}

std::string CheckRefusal(const absl::Status& refusal) {
  const absl::string_view message = refusal.message();
  if (refusal.code() != absl::StatusCode::kInvalidArgument) return "a refusal with another code";
  if (message.empty() || message.size() > 500) return "a refusal without or with endless text";
  if (absl::StrContains(message, kMarker) || absl::StrContains(message, "918273645")) {
    return absl::StrCat("a refusal that holds a value: ", message);
  }
  return "";
}

std::string CheckText(absl::string_view bytes) {
  static JsonParser parser;
  std::string text(bytes);
  const auto json = parser.Parse(text);
  if (!json.ok()) return CheckRefusal(json.status());
  for (const Method& method : AllRpcs().all()) {
    std::string wire;
    size_t drifts = 0;
    const absl::Status status = method.route.Decode(*json, wire, [&](const Drift& drift) {
      ++drifts;
      if (drift.where.empty()) drifts += bytes.size();
    });
    std::string broken =
        status.ok() ? CheckAnswer(method, wire, bytes.size()) : CheckRefusal(status);
    if (drifts > bytes.size()) broken = "drift without end, or without a place";
    if (!broken.empty()) return absl::StrCat(method.name, ": ", broken);
  }
  return "";
}

// The same text with other values, which are found again if a refusal tells them.
std::string Marked(absl::string_view bytes) {
  nlohmann::json json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (json.is_discarded()) return absl::StrCat(bytes, kMarker);
  MarkValues(json);
  return json.dump();
}

}  // namespace

std::string CheckDecode(absl::string_view bytes) {
  std::string broken = CheckText(bytes);
  return broken.empty() ? CheckText(Marked(bytes)) : broken;
}

}  // namespace idv::fuzz
