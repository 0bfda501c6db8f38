#include "upstream/route.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <set>

#include <google/api/annotations.pb.h>

#include "upstream/failure.h"
#include "upstream/field_options.h"
#include "upstream/json_encoder.h"
#include "upstream/parameter.h"

namespace idv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::Reflection;
using kora::idv::gateway::v1::MethodOptions;

// What common servers take as a request line (nginx and Go: 8 kB and more).
constexpr size_t kMaxTargetBytes = 8000;

// A piece of the path: `literal`, or the value of `parameter`.
struct Segment {
  std::string literal;
  std::optional<Parameter> parameter;
};

const kora::idv::gateway::v1::FieldOptions& OptionsOf(const FieldDescriptor& field) {
  return field.options().GetExtension(kora::idv::gateway::v1::field);
}

// Of the field of a message within `type` that the upstream calls `json_path`, an index behind it
// apart; the path itself if there is none.
std::string InnerProtoPath(const Descriptor& type, absl::string_view json_path) {
  const absl::string_view name = json_path.substr(0, json_path.find('['));
  for (int i = 0; i < type.field_count(); ++i) {
    const Descriptor* const inner = type.field(i)->message_type();
    for (int j = 0; inner != nullptr && j < inner->field_count(); ++j) {
      if (inner->field(j)->json_name() != name) continue;
      return absl::StrCat(type.field(i)->name(), ".", inner->field(j)->name());
    }
  }
  return std::string(json_path);
}

// What the path may say in so many words: nothing that has to be encoded, or means another path.
bool IsPlain(absl::string_view segment) {
  std::string encoded;
  AppendPercentEncoded(segment, encoded);
  return encoded == segment && PathFault(segment).empty();
}

}  // namespace

struct Route::Plan {
  explicit Plan(const MethodDescriptor& rpc)
      : method(rpc), options(rpc.options().GetExtension(kora::idv::gateway::v1::method)) {}

  absl::Status Compile();
  absl::Status CompileHttpRule();
  absl::Status CompilePath(absl::string_view path);
  absl::StatusOr<Parameter> CompilePathParameter(absl::string_view field_path);
  absl::Status CompileFields();
  absl::Status CompileAnswer();
  absl::StatusOr<Parameter> MakeParameter(std::vector<const FieldDescriptor*> fields,
                                          std::string name);

  const MethodDescriptor& method;
  const MethodOptions& options;
  std::string verb;
  bool has_body = false;
  Images::Types image_types;
  EnumTable enums;
  std::vector<Segment> path;
  std::vector<Parameter> query;
  std::vector<Parameter> headers;
  std::vector<const FieldDescriptor*> unserved;
  std::unique_ptr<JsonEncoder> encoder;  // of a unary RPC
  std::unique_ptr<JsonDecoder> decoder;
};

absl::Status Route::Plan::Compile() {
  if (options.repeat_safety() == kora::idv::gateway::v1::REPEAT_SAFETY_UNSPECIFIED) {
    return absl::InvalidArgumentError("its option repeat_safety is unset");
  }
  if (method.server_streaming()) {
    return absl::InvalidArgumentError("the upstream streams no answers");
  }
  for (const Descriptor* type : {method.input_type(), method.output_type()}) {
    if (absl::Status status = CheckFieldOptions(*type); !status.ok()) return status;
  }
  Images::FindTypes(*method.input_type(), image_types);
  for (const auto step : {&Plan::CompileHttpRule, &Plan::CompileFields, &Plan::CompileAnswer}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Route::Plan::CompileHttpRule() {
  const google::api::HttpRule& rule = method.options().GetExtension(google::api::http);
  if (rule.pattern_case() == google::api::HttpRule::PATTERN_NOT_SET) {
    return absl::InvalidArgumentError("it has no google.api.http rule");
  }
  if (!rule.body().empty() && rule.body() != "*") {
    return absl::InvalidArgumentError("its google.api.http body must be \"*\" or absent");
  }
  has_body = rule.body() == "*";
  const bool takes_body = rule.pattern_case() != google::api::HttpRule::kGet;
  if (has_body != takes_body) {
    // libcurl by itself repeats a request without body on a fresh connection.
    return absl::InvalidArgumentError("a GET has no body, and every other verb has one");
  }
  if (rule.additional_bindings_size() > 0) {
    return absl::InvalidArgumentError("it has more than one google.api.http binding");
  }
  switch (rule.pattern_case()) {
    case google::api::HttpRule::kGet:
      verb = "GET";
      return CompilePath(rule.get());
    case google::api::HttpRule::kPost:
      verb = "POST";
      return CompilePath(rule.post());
    case google::api::HttpRule::kPut:
      verb = "PUT";
      return CompilePath(rule.put());
    case google::api::HttpRule::kPatch:
      verb = "PATCH";
      return CompilePath(rule.patch());
    case google::api::HttpRule::kDelete:
      verb = "DELETE";
      return CompilePath(rule.delete_());
    default:
      return absl::InvalidArgumentError("its google.api.http rule has a custom verb");
  }
}

absl::Status Route::Plan::CompilePath(absl::string_view text) {
  if (!absl::StartsWith(text, "/")) {
    return absl::InvalidArgumentError("its path does not begin with '/'");
  }
  for (const absl::string_view segment : absl::StrSplit(text.substr(1), '/')) {
    if (absl::StartsWith(segment, "{") && absl::EndsWith(segment, "}")) {
      auto parameter = CompilePathParameter(segment.substr(1, segment.size() - 2));
      if (!parameter.ok()) return parameter.status();
      path.push_back({"", *std::move(parameter)});
    } else if (!IsPlain(segment)) {
      return absl::InvalidArgumentError(absl::StrCat("its path has the segment '", segment,
                                                     "'; a segment is plain text or one {field}"));
    } else {
      path.push_back({std::string(segment), std::nullopt});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Parameter> Route::Plan::CompilePathParameter(absl::string_view field_path) {
  std::vector<const FieldDescriptor*> fields;
  const Descriptor* type = method.input_type();
  for (const absl::string_view name : absl::StrSplit(field_path, '.')) {
    const FieldDescriptor* const field =
        type == nullptr ? nullptr : type->FindFieldByName(std::string(name));
    if (field == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("its path names the field '", field_path, "', which the request has not"));
    }
    fields.push_back(field);
    type = field->message_type();
  }
  if (fields.size() > 1 && has_body && !method.client_streaming()) {
    return absl::InvalidArgumentError(
        absl::StrCat("its path names the nested field '", field_path, "'"));
  }
  return MakeParameter(std::move(fields), "");
}

absl::StatusOr<Parameter> Route::Plan::MakeParameter(std::vector<const FieldDescriptor*> fields,
                                                     std::string name) {
  const FieldDescriptor& field = *fields.back();
  Parameter parameter{.fields = std::move(fields),
                      .name = std::move(name),
                      .required = OptionsOf(field).required()};
  if (field.type() == FieldDescriptor::TYPE_ENUM) {
    const auto spellings = enums.Get(*field.enum_type());
    if (!spellings.ok()) return spellings.status();
    parameter.spellings = *spellings;
    parameter.verbatim = VerbatimOf(field);
  }
  switch (field.is_repeated() ? FieldDescriptor::TYPE_MESSAGE : field.type()) {
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BOOL:
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_ENUM:
      return parameter;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("the field '", field.name(), "' cannot travel outside a body"));
  }
}

absl::Status Route::Plan::CompileFields() {
  std::set<const FieldDescriptor*> elsewhere;
  for (const Segment& segment : path) {
    if (segment.parameter) elsewhere.insert(segment.parameter->fields.front());
  }
  if (method.client_streaming()) return absl::OkStatus();
  const Descriptor& type = *method.input_type();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto& field_options = OptionsOf(field);
    const bool in_header = !field_options.header().empty();
    if (field_options.gateway_only()) {
      unserved.push_back(&field);
      elsewhere.insert(&field);
    }
    if (elsewhere.contains(&field) || !field_options.verbatim_of().empty()) continue;
    if (!in_header && has_body) continue;
    auto parameter =
        MakeParameter({&field}, in_header ? field_options.header() : field.json_name());
    if (!parameter.ok()) return parameter.status();
    (in_header ? headers : query).push_back(*std::move(parameter));
    elsewhere.insert(&field);
  }
  if (!has_body) return absl::OkStatus();
  auto compiled = JsonEncoder::Compile(type, elsewhere);
  if (!compiled.ok()) return compiled.status();
  encoder = std::make_unique<JsonEncoder>(*std::move(compiled));
  return absl::OkStatus();
}

absl::Status Route::Plan::CompileAnswer() {
  const Descriptor& type = *method.output_type();
  const FieldDescriptor* list = nullptr;
  if (!options.list_field().empty()) {
    list = type.FindFieldByName(options.list_field());
    if (list == nullptr || !list->is_repeated()) {
      return absl::InvalidArgumentError(absl::StrCat("its option list_field names '",
                                                     options.list_field(),
                                                     "', which is no list of ", type.full_name()));
    }
  }
  auto compiled = JsonDecoder::Compile(type, list);
  if (!compiled.ok()) return compiled.status();
  decoder = std::make_unique<JsonDecoder>(*std::move(compiled));
  return absl::OkStatus();
}

Route::Route(std::unique_ptr<Plan> plan) : plan_(std::move(plan)) {}
Route::Route(Route&&) noexcept = default;
Route::~Route() = default;

absl::StatusOr<Route> Route::Compile(const MethodDescriptor& method) {
  auto plan = std::make_unique<Plan>(method);
  if (absl::Status status = plan->Compile(); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(method.full_name(), ": ", status.message()));
  }
  return Route(std::move(plan));
}

const MethodDescriptor& Route::method() const { return plan_->method; }
const MethodOptions& Route::options() const { return plan_->options; }
bool Route::takes_images() const { return !plan_->image_types.empty(); }
const Images::Types& Route::image_types() const { return plan_->image_types; }

absl::StatusOr<RestRequest> Route::Encode(const Message& message, const Images* images) const {
  RestRequest request{.verb = plan_->verb, .target = {}, .headers = {}, .body = nullptr};
  std::vector<Failure::Violation> violations;
  const auto text_of = [&](const Parameter& parameter) -> std::string {
    absl::StatusOr<std::string> text = parameter.TextIn(message);
    if (text.ok()) return *std::move(text);
    violations.push_back({parameter.FieldPath(), std::string(text.status().message())});
    return "";
  };
  const auto check = [&](const Parameter& parameter, absl::string_view fault) {
    if (!fault.empty()) violations.push_back({parameter.FieldPath(), std::string(fault)});
  };

  for (const Segment& segment : plan_->path) {
    request.target.push_back('/');
    request.target.append(segment.literal);
    if (!segment.parameter) continue;
    const std::string text = text_of(*segment.parameter);
    check(*segment.parameter, PathFault(text));
    AppendPercentEncoded(text, request.target);
  }
  char separator = '?';
  for (const Parameter& parameter : plan_->query) {
    const std::string text = text_of(parameter);
    if (text.empty() && parameter.required) check(parameter, "required, but unset");
    if (text.empty()) continue;
    request.target.push_back(std::exchange(separator, '&'));
    request.target.append(parameter.name).push_back('=');
    AppendPercentEncoded(text, request.target);
  }
  if (request.target.size() > kMaxTargetBytes) {
    violations.push_back({"", "the fields of path and query are longer than 8000 bytes together"});
  }
  for (const Parameter& parameter : plan_->headers) {
    std::string text = text_of(parameter);
    if (text.empty() && parameter.required) check(parameter, "required, but unset");
    if (text.empty()) continue;
    check(parameter, HeaderFault(text));
    request.headers.emplace_back(parameter.name, std::move(text));
  }
  for (const FieldDescriptor* field : plan_->unserved) {
    if (!message.GetReflection()->HasField(message, field)) continue;
    violations.push_back(
        {field->name(), "this version of the gateway does not serve it: leave it unset"});
  }
  if (plan_->encoder) {
    auto body = std::make_shared<JsonBody>();
    plan_->encoder->Encode(message, *body, violations, images);
    request.body = std::move(body);
  }
  if (!violations.empty()) return InvalidFields(violations);
  return request;
}

absl::Status Route::Decode(const simdjson::dom::element& json, std::string& wire,
                           DriftSink drift) const {
  return plan_->decoder->DecodeToWire(json, wire, drift);
}

std::string Route::ProtoPath(absl::string_view json_path) const {
  for (const Parameter& parameter : plan_->headers) {
    if (absl::EqualsIgnoreCase(parameter.name, json_path)) return parameter.FieldPath();
  }
  for (const Parameter& parameter : plan_->query) {
    if (parameter.name == json_path) return parameter.FieldPath();
  }
  for (const Segment& segment : plan_->path) {
    if (segment.parameter && segment.parameter->fields.back()->json_name() == json_path) {
      return segment.parameter->FieldPath();
    }
  }
  // The body is not one message, but made of those of a stream.
  if (method().client_streaming()) return InnerProtoPath(*method().input_type(), json_path);
  return plan_->encoder ? plan_->encoder->ProtoPath(json_path) : std::string(json_path);
}

}  // namespace idv
