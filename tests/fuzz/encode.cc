#include <absl/strings/str_cat.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "kora/idv/gateway/v1/annotations.pb.h"
#include "tests/failure_rules.h"
#include "tests/fuzz/rest_rules.h"
#include "tests/fuzz/rpcs.h"
#include "tests/fuzz/target.h"
#include "upstream/failure.h"
#include "upstream/json_decoder.h"
#include "upstream/json_encoder.h"
#include "upstream/json_value.h"
#include "upstream/struct_wire.h"

namespace idv::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string CheckRefusal(const absl::Status& refusal) {
  if (refusal.code() != absl::StatusCode::kInvalidArgument) return "a refusal with another code";
  const Failure failure = FailureOf(refusal);
  if (failure.reason != "INVALID_FIELD" || failure.violations.empty()) {
    return "a refusal that names no field";
  }
  return CheckFailure(refusal);
}

std::string CheckRequest(const Method& method, const Message& message) {
  const absl::StatusOr<RestRequest> request = method.route.Encode(message);
  if (!request.ok()) return CheckRefusal(request.status());
  return CheckRest(method.route, message, *request);
}

// A message type with codecs of its own, for whatever its RPC sends elsewhere than in the body.
struct Codec {
  explicit Codec(const google::protobuf::Descriptor& type)
      : encoder(*JsonEncoder::Compile(type, {})), decoder(*JsonDecoder::Compile(type, nullptr)) {}

  // Empty: the message cannot be sent.
  std::string Encode(const Message& message) const {
    JsonBody body;
    std::vector<Failure::Violation> violations;
    encoder.Encode(message, body, violations);
    return violations.empty() ? ReadBody(body) : "";
  }

  JsonEncoder encoder;
  JsonDecoder decoder;
};

// The message that is read where this one was written: without unknown fields, without the texts
// beside enums (which may be read as the enum's value), and with null for values of no kind.
void Normalize(Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  if (auto* const value = dynamic_cast<google::protobuf::Value*>(&message)) {
    // The enum of null is open: there are nulls of any number.
    if (value->kind_case() == google::protobuf::Value::KIND_NOT_SET || value->has_null_value()) {
      value->set_null_value(google::protobuf::NULL_VALUE);
    }
  }
  for (const FieldDescriptor* field : fields) {
    if (!field->options().GetExtension(kora::idv::gateway::v1::field).verbatim_of().empty()) {
      reflection.ClearField(&message, field);
    } else if (field->message_type() == nullptr) {
      continue;
    } else if (!field->is_repeated()) {
      Normalize(*reflection.MutableMessage(&message, field));
    } else {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        Normalize(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    }
  }
}

int DepthOf(const nlohmann::json& json) {
  int deepest = 0;
  if (!json.is_structured()) return deepest;
  for (const nlohmann::json& value : json) deepest = std::max(deepest, DepthOf(value));
  return deepest + 1;
}

// What is written is read back as it was.
std::string CheckRoundTrip(Message& message) {
  static std::map<const google::protobuf::Descriptor*, std::unique_ptr<Codec>> codecs;
  static JsonParser parser;
  std::unique_ptr<Codec>& codec = codecs[message.GetDescriptor()];
  if (codec == nullptr) codec = std::make_unique<Codec>(*message.GetDescriptor());

  message.DiscardUnknownFields();
  Normalize(message);
  std::string text = codec->Encode(message);
  if (text.empty()) return "";
  const int depth = DepthOf(nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false));
  const auto json = parser.Parse(text);
  // simdjson refuses integers beyond 64 bits, which the numbers of a free object may be.
  if (!json.ok()) return "";
  const std::unique_ptr<Message> read(message.New());
  const absl::Status status = codec->decoder.Decode(*json, *read, [](const Drift&) {});
  if (!status.ok()) {
    return depth > kMaxObjectDepth ? "" : absl::StrCat("not read: ", status.message());
  }
  Normalize(*read);
  google::protobuf::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  return differencer.Compare(message, *read) ? "" : absl::StrCat("read otherwise: ", differences);
}

}  // namespace

// Images sent from where they arrived are those of the message.
std::string CheckImages(const Method& method, absl::string_view wire, const Message& message) {
  // Pieces of another size for every message.
  const size_t size = wire.size() % 13 + 1;
  std::vector<absl::string_view> pieces;
  for (absl::string_view rest = wire; !rest.empty(); rest.remove_prefix(pieces.back().size())) {
    pieces.push_back(rest.substr(0, size));
  }
  Images images;
  std::string rest;
  const std::unique_ptr<Message> marked(message.New());
  if (!images.CutOut(*message.GetDescriptor(), method.route.image_types(), pieces, rest) ||
      !marked->ParseFromString(rest)) {
    return "it parses, but not without its images";
  }
  const absl::StatusOr<RestRequest> expected = method.route.Encode(message);
  const absl::StatusOr<RestRequest> request = method.route.Encode(*marked, &images);
  if (request.status() != expected.status()) return "it is refused otherwise without its images";
  if (!request.ok() || request->body == nullptr) return "";
  return ReadBody(*request->body) == ReadBody(*expected->body) ? "" : "its images differ";
}

std::string CheckEncode(absl::string_view bytes) {
  if (bytes.empty()) return "";
  const auto& methods = AllRpcs().all();
  const Method& method = methods[static_cast<unsigned char>(bytes[0]) % methods.size()];
  bytes.remove_prefix(1);
  const std::unique_ptr<Message> message(method.request->New());
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "";
  if (method.is_frame_stream()) return "";

  std::string broken = CheckRequest(method, *message);
  if (broken.empty() && method.is_upload()) broken = CheckImages(method, bytes, *message);
  if (broken.empty()) broken = CheckRoundTrip(*message);
  return broken.empty() ? "" : absl::StrCat(method.name, ": ", broken);
}

}  // namespace idv::fuzz
