#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "kora/idv/gateway/v1/annotations.pb.h"
#include "tests/fuzz/rest_rules.h"
#include "tests/fuzz/target.h"
#include "upstream/json_value.h"
#include "upstream/route.h"

namespace idv::fuzz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::DynamicMessageFactory;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::TextFormat;

class Silent final : public DescriptorPool::ErrorCollector {
  void AddError(const std::string&, const std::string&, const Message*, ErrorLocation,
                const std::string&) override {}
};

class SilentIo final : public google::protobuf::io::ErrorCollector {
  void AddError(int, int, const std::string&) override {}
};

// The file that the text describes, with what our protos import at hand. Null: it describes none.
const FileDescriptor* Build(const std::string& text, DescriptorPool& pool) {
  FileDescriptorProto file;
  TextFormat::Parser parser;
  SilentIo silent_io;
  parser.RecordErrorsTo(&silent_io);
  parser.SetRecursionLimit(50);
  if (!parser.ParseFromString(text, &file)) return nullptr;
  // What protoc writes can be parsed; texts that are no UTF-8 cannot.
  if (!FileDescriptorProto().ParseFromString(file.SerializeAsString())) return nullptr;
  file.set_name("fuzz.proto");
  file.set_syntax("proto3");
  file.clear_dependency();
  for (const char* name :
       {"google/api/annotations.proto", "google/protobuf/any.proto", "google/protobuf/struct.proto",
        "google/protobuf/timestamp.proto", "kora/idv/gateway/v1/annotations.proto"}) {
    file.add_dependency(name);
  }
  Silent silent;
  return pool.BuildFileCollectingErrors(file, &silent);
}

// Sets every field, messages down to `depth`.
void Fill(Message& message, int depth) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* const field = message.GetDescriptor()->field(i);
    const bool add = field->is_repeated();
    switch (field->is_map() ? FieldDescriptor::CPPTYPE_FLOAT : field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        add ? reflection.AddString(&message, field, "a b")
            : reflection.SetString(&message, field, "a b");
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        add ? reflection.AddInt32(&message, field, -1) : reflection.SetInt32(&message, field, -1);
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto* const type = field->enum_type();
        const int number = type->value(type->value_count() - 1)->number();
        add ? reflection.AddEnumValue(&message, field, number)
            : reflection.SetEnumValue(&message, field, number);
        break;
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth == 0) break;
        Fill(add ? *reflection.AddMessage(&message, field)
                 : *reflection.MutableMessage(&message, field),
             depth - 1);
        break;
      default:
        break;
    }
  }
}

// An answer with `value` under every key of `type`, and in the objects there down to `depth`.
nlohmann::json AnswerOf(const Descriptor& type, const nlohmann::json& value, int depth) {
  nlohmann::json answer = nlohmann::json::object();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto& options = field.options().GetExtension(kora::idv::gateway::v1::field);
    const bool nested = field.message_type() != nullptr && !field.is_map() && depth > 0;
    const nlohmann::json inner = nested ? AnswerOf(*field.message_type(), value, depth - 1) : value;
    answer[field.json_name()] = inner;
    for (const std::string& alias : options.aliases()) answer[alias] = value;
    if (options.inline_() && inner.is_object()) answer.update(inner);
  }
  return answer;
}

std::string CheckAnswers(const Route& route, const Message& prototype) {
  static JsonParser parser;
  const nlohmann::json text = "1";
  for (const nlohmann::json& value :
       {text, nlohmann::json(1), nlohmann::json::array({text}), nlohmann::json({{"key", text}})}) {
    const nlohmann::json flat = AnswerOf(*prototype.GetDescriptor(), value, 0);
    const nlohmann::json deep = AnswerOf(*prototype.GetDescriptor(), value, 2);
    for (const nlohmann::json& answer : {flat, deep, nlohmann::json::array({value, deep})}) {
      std::string json = answer.dump();
      const auto parsed = parser.Parse(json);
      if (!parsed.ok()) return absl::StrCat("the test's own answer is no JSON: ", json);
      std::string wire;
      const absl::Status status = route.Decode(*parsed, wire, [](const Drift&) {});
      const std::unique_ptr<Message> message(prototype.New());
      if (status.ok() && !message->ParseFromString(wire)) return "an answer that is no message";
      if (!status.ok() && status.code() != absl::StatusCode::kInvalidArgument) {
        return absl::StrCat("an answer ends with ", status.ToString());
      }
    }
  }
  return "";
}

std::string CheckRoute(const MethodDescriptor& method, DynamicMessageFactory& factory) {
  const absl::StatusOr<Route> route = Route::Compile(method);
  if (!route.ok()) {
    const bool names_it = absl::StrContains(route.status().message(), method.full_name());
    return names_it ? "" : "a refusal that does not name the RPC";
  }
  std::string broken = CheckAnswers(*route, *factory.GetPrototype(method.output_type()));
  if (!broken.empty() || method.client_streaming()) return broken;
  const std::unique_ptr<Message> message(factory.GetPrototype(method.input_type())->New());
  for (int depth = 0; depth < 4; ++depth) {
    message->Clear();
    if (depth > 0) Fill(*message, depth);
    const absl::StatusOr<RestRequest> request = route->Encode(*message);
    if (!request.ok()) continue;
    broken = CheckRest(*route, *message, *request);
    if (!broken.empty()) return broken;
  }
  return "";
}

}  // namespace

std::string CheckRoute(absl::string_view bytes) {
  DescriptorPool pool(DescriptorPool::generated_pool());
  const FileDescriptor* const file = Build(std::string(bytes), pool);
  if (file == nullptr) return "";
  DynamicMessageFactory factory(&pool);
  factory.SetDelegateToGeneratedFactory(true);
  for (int i = 0; i < file->service_count(); ++i) {
    for (int j = 0; j < file->service(i)->method_count(); ++j) {
      std::string broken = CheckRoute(*file->service(i)->method(j), factory);
      if (!broken.empty()) return broken;
    }
  }
  return "";
}

}  // namespace idv::fuzz
