#include "upstream/sandbox/fault_json.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>

#include "upstream/sandbox/api.h"
#include "upstream/sandbox/ascii.h"
#include "upstream/sandbox/duration.h"

namespace idv::sandbox {
namespace {

constexpr std::uint64_t kMaxMilliseconds = 24ULL * 60 * 60 * 1000;
constexpr std::uint64_t kMaxBytes = 1ULL << 30;

constexpr std::array<std::pair<const char*, Moment>, 5> kMoments = {{
    {"request_header", Moment::kRequestHeader},
    {"request_body", Moment::kRequestBody},
    {"before_answer", Moment::kBeforeAnswer},
    {"during_answer", Moment::kDuringAnswer},
    {"after_answer", Moment::kAfterAnswer},
}};

// Takes known members out of a JSON object and notes what is wrong with them.
class FaultReader {
 public:
  explicit FaultReader(Json object) : rest_(std::move(object)) {}

  bool Has(const char* key) const { return rest_.contains(key); }

  std::string Text(const char* key) {
    const auto value = Take(key);
    if (value && !value->is_string()) Note(std::string(key) + " must be a text");
    return value && value->is_string() ? value->get<std::string>() : "";
  }

  bool Flag(const char* key) {
    const auto value = Take(key);
    if (value && !value->is_boolean()) Note(std::string(key) + " must be true or false");
    return value && value->is_boolean() && value->get<bool>();
  }

  std::optional<std::uint64_t> Count(const char* key, std::uint64_t min, std::uint64_t max) {
    const auto value = Take(key);
    if (!value) return std::nullopt;
    const bool in_range = value->is_number_unsigned() && value->get<std::uint64_t>() >= min &&
                          value->get<std::uint64_t>() <= max;
    if (in_range) return value->get<std::uint64_t>();
    Note(std::string(key) + " must be a whole number from " + std::to_string(min) + " to " +
         std::to_string(max));
    return std::nullopt;
  }

  std::optional<double> Share(const char* key) {
    const auto value = Take(key);
    if (!value) return std::nullopt;
    const bool in_range =
        value->is_number() && value->get<double>() > 0 && value->get<double>() <= 1;
    if (in_range) return value->get<double>();
    Note(std::string(key) + " must be a number over 0, at most 1");
    return std::nullopt;
  }

  std::optional<std::chrono::milliseconds> Duration(const char* key) {
    if (!Has(key)) return std::nullopt;
    auto duration = ParseDuration(Text(key));
    if (!duration) Note(std::string(key) + " must be a duration such as 500ms or 2m");
    return duration;
  }

  Headers Texts(const char* key) {
    const auto value = Take(key);
    Headers texts;
    if (!value) return texts;
    const auto is_text = [](const Json& item) {
      return item.is_string() && item.get<std::string>().find_first_of("\r\n") == std::string::npos;
    };
    if (!value->is_object() || !std::all_of(value->begin(), value->end(), is_text)) {
      Note(std::string(key) + " must be a map of texts of one line");
      return texts;
    }
    for (const auto& item : value->items()) texts.emplace_back(item.key(), item.value());
    return texts;
  }

  void Note(const std::string& problem) {
    if (!problems_.empty()) problems_ += "; ";
    problems_ += problem;
  }

  std::string Finish() {
    for (const auto& item : rest_.items()) Note("unknown key " + item.key());
    return problems_;
  }

  void Drop(const char* key) { rest_.erase(key); }

 private:
  std::optional<Json> Take(const char* key) {
    const auto found = rest_.find(key);
    if (found == rest_.end()) return std::nullopt;
    Json value = *found;
    rest_.erase(found);
    return value;
  }

  Json rest_;
  std::string problems_;
};

void ReadMoment(FaultReader& reader, Fault& fault) {
  const std::string name = reader.Text("at");
  std::string names;
  for (const auto& [known, moment] : kMoments) {
    if (name == known) {
      fault.at = moment;
      return;
    }
    names += std::string(names.empty() ? "" : ", ") + known;
  }
  reader.Note("at must be one of " + names);
}

Json MomentJson(const Fault& fault) {
  const auto* const known = std::find_if(kMoments.begin(), kMoments.end(), [&](const auto& moment) {
    return moment.second == fault.at;
  });
  return known->first;
}

Json HeadersJson(const Fault& fault) {
  Json json = Json::object();
  for (const auto& [name, value] : fault.headers) json[name] = value;
  return json;
}

// What a kind can be told.
enum ParameterBit : unsigned {
  kMilliseconds = 1,
  kStatus = 2,
  kContentType = 4,
  kHeaders = 8,
  kBody = 16,
  kEarly = 32,
  kUntilKey = 64,
  kAt = 128,
  kBytes = 256,
  kBytesPerSecond = 512,
};

struct Parameter {
  unsigned bit;
  const char* name;
  void (*read)(FaultReader& reader, Fault& fault);
  Json (*write)(const Fault& fault);
};

constexpr std::array<Parameter, 10> kParameters = {{
    {kMilliseconds, "milliseconds",
     [](FaultReader& reader, Fault& fault) {
       fault.delay =
           std::chrono::milliseconds(reader.Count("milliseconds", 0, kMaxMilliseconds).value_or(0));
     },
     [](const Fault& fault) { return Json(fault.delay.count()); }},
    {kStatus, "status",
     [](FaultReader& reader, Fault& fault) {
       fault.status = static_cast<int>(reader.Count("status", 200, 599).value_or(0));
     },
     [](const Fault& fault) { return Json(fault.status); }},
    {kContentType, "content_type",
     [](FaultReader& reader, Fault& fault) { fault.content_type = reader.Text("content_type"); },
     [](const Fault& fault) { return Json(fault.content_type); }},
    {kHeaders, "headers",
     [](FaultReader& reader, Fault& fault) { fault.headers = reader.Texts("headers"); },
     HeadersJson},
    {kBody, "body", [](FaultReader& reader, Fault& fault) { fault.body = reader.Text("body"); },
     [](const Fault& fault) { return Json(fault.body); }},
    {kEarly, "early", [](FaultReader& reader, Fault& fault) { fault.early = reader.Flag("early"); },
     [](const Fault& fault) { return Json(fault.early); }},
    {kUntilKey, "until_key",
     [](FaultReader& reader, Fault& fault) { fault.until_key = reader.Text("until_key"); },
     [](const Fault& fault) { return Json(fault.until_key); }},
    {kAt, "at", ReadMoment, MomentJson},
    {kBytes, "bytes",
     [](FaultReader& reader, Fault& fault) {
       fault.bytes = reader.Count("bytes", 1, kMaxBytes).value_or(0);
     },
     [](const Fault& fault) { return Json(fault.bytes); }},
    {kBytesPerSecond, "bytes_per_second",
     [](FaultReader& reader, Fault& fault) {
       fault.bytes_per_second = reader.Count("bytes_per_second", 1, kMaxBytes).value_or(0);
     },
     [](const Fault& fault) { return Json(fault.bytes_per_second); }},
}};

struct Kind {
  const char* name;
  FaultKind kind;
  unsigned needs;
  unsigned takes;  // besides
};

constexpr std::array<Kind, 17> kKinds = {{
    {"latency", FaultKind::kLatency, kMilliseconds, 0},
    {"hang", FaultKind::kHang, 0, 0},
    {"status", FaultKind::kStatus, kStatus, kContentType | kHeaders | kBody | kEarly},
    {"unauthorized", FaultKind::kUnauthorized, kUntilKey, 0},
    {"length_required", FaultKind::kLengthRequired, 0, 0},
    {"reset", FaultKind::kReset, kAt, 0},
    {"close", FaultKind::kClose, kAt, 0},
    {"half_json", FaultKind::kHalfJson, 0, 0},
    {"html", FaultKind::kHtml, 0, 0},
    {"wrong_types", FaultKind::kWrongTypes, 0, 0},
    {"unknown_keys", FaultKind::kUnknownKeys, 0, 0},
    {"unknown_enums", FaultKind::kUnknownEnums, 0, 0},
    {"large_header", FaultKind::kLargeHeader, kBytes, 0},
    {"gzip_bomb", FaultKind::kGzipBomb, kBytes, 0},
    {"endless", FaultKind::kEndless, 0, kBytesPerSecond},
    {"slow_reading", FaultKind::kSlowReading, kBytesPerSecond, 0},
    {"slow_writing", FaultKind::kSlowWriting, kBytesPerSecond, 0},
}};

const Kind* FindKind(const std::string& name) {
  const auto* const found = std::find_if(kKinds.begin(), kKinds.end(),
                                         [&](const Kind& kind) { return kind.name == name; });
  return found == kKinds.end() ? nullptr : found;
}

const Kind& KindOf(const Fault& fault) {
  return *std::find_if(kKinds.begin(), kKinds.end(),
                       [&](const Kind& kind) { return kind.kind == fault.kind; });
}

std::string KindNames() {
  std::string names;
  for (const Kind& kind : kKinds) names += std::string(names.empty() ? "" : ", ") + kind.name;
  return names;
}

void ReadConditions(FaultReader& reader, Fault& fault) {
  fault.path_prefix = reader.Text("path_prefix");
  fault.endpoint = reader.Text("endpoint");
  if (!fault.endpoint.empty() && !Api::IsEndpoint(fault.endpoint)) {
    reader.Note("endpoint must be a method and a path such as \"POST /verifications/*/selfie\"");
  }
  fault.method = reader.Text("method");
  fault.tenant_id = ToLower(reader.Text("tenant_id"));
  fault.external_id_prefix = reader.Text("external_id_prefix");
  const auto probability = reader.Share("probability");
  const auto seed = reader.Count("seed", 0, UINT64_MAX);
  if (seed && !probability) reader.Note("a seed needs a probability");
  if (probability) {
    fault.probability = *probability;
    fault.seed = seed ? *seed : std::random_device()();
  }
  fault.times = reader.Count("times", 1, UINT64_MAX);
  fault.lifetime = reader.Duration("for");
}

void ReadParameters(FaultReader& reader, Fault& fault, const Kind& kind) {
  for (const Parameter& parameter : kParameters) {
    const bool given = reader.Has(parameter.name);
    const bool needed = (kind.needs & parameter.bit) != 0;
    const bool known = needed || (kind.takes & parameter.bit) != 0;
    if (given && known) {
      parameter.read(reader, fault);
    } else if (given) {
      reader.Note(std::string(kind.name) + " takes no " + parameter.name);
      reader.Drop(parameter.name);
    } else if (needed) {
      reader.Note(std::string(kind.name) + " needs " + parameter.name);
    }
  }
}

// A plain scalar as JSON would read it, if it can; all else is text.
Json ScalarJson(const YAML::Node& node) {
  const bool is_quoted = node.Tag() == "!";
  Json json = Json::parse(is_quoted ? "" : node.Scalar(), nullptr, /*allow_exceptions=*/false);
  if (json.is_number() || json.is_boolean() || json.is_null()) return json;
  return node.Scalar();
}

Json YamlJson(const YAML::Node& node) {
  if (node.IsScalar()) return ScalarJson(node);
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const auto& item : node) list.push_back(YamlJson(item));
    return list;
  }
  if (!node.IsMap()) return nullptr;
  Json map = Json::object();
  for (const auto& member : node) map[member.first.as<std::string>()] = YamlJson(member.second);
  return map;
}

}  // namespace

std::variant<Fault, std::string> ParseFault(const Json& json) {
  if (!json.is_object()) return "a fault must be a JSON object";

  FaultReader reader(json);
  Fault fault;
  const Kind* const kind = FindKind(reader.Text("kind"));
  ReadConditions(reader, fault);
  if (kind == nullptr) return "kind must be one of " + KindNames();
  fault.kind = kind->kind;
  ReadParameters(reader, fault, *kind);
  std::string problems = reader.Finish();
  if (!problems.empty()) return problems;
  return fault;
}

std::variant<Fault, std::string> ParseFaultText(std::string_view json) {
  return ParseFault(Json::parse(json, nullptr, /*allow_exceptions=*/false));
}

std::variant<std::vector<Fault>, std::vector<std::string>> ParseFaultFile(const std::string& yaml) {
  Json json;
  try {
    json = YamlJson(YAML::Load(yaml));
  } catch (const YAML::Exception& error) {
    return std::vector{"line " + std::to_string(error.mark.line + 1) + ": " + error.msg};
  }
  if (!json.is_object() || json.size() != 1 || !json.contains("faults") ||
      !json["faults"].is_array()) {
    return std::vector<std::string>{"the file must be a map of one key, faults, with a list"};
  }
  std::vector<Fault> faults;
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < json["faults"].size(); ++i) {
    auto parsed = ParseFault(json["faults"][i]);
    if (auto* const fault = std::get_if<Fault>(&parsed)) {
      faults.push_back(std::move(*fault));
    } else {
      problems.push_back("faults[" + std::to_string(i) + "]: " + std::get<std::string>(parsed));
    }
  }
  if (!problems.empty()) return problems;
  return faults;
}

Json FaultJson(const Fault& fault) {
  const Kind& kind = KindOf(fault);
  Json json = {{"id", fault.id}, {"kind", kind.name}};
  if (!fault.path_prefix.empty()) json["path_prefix"] = fault.path_prefix;
  if (!fault.endpoint.empty()) json["endpoint"] = fault.endpoint;
  if (!fault.method.empty()) json["method"] = fault.method;
  if (!fault.tenant_id.empty()) json["tenant_id"] = fault.tenant_id;
  if (!fault.external_id_prefix.empty()) json["external_id_prefix"] = fault.external_id_prefix;
  if (fault.probability < 1) {
    json["probability"] = fault.probability;
    json["seed"] = fault.seed;
  }
  const Fault unset;
  for (const Parameter& parameter : kParameters) {
    const bool needed = (kind.needs & parameter.bit) != 0;
    const bool set =
        (kind.takes & parameter.bit) != 0 && parameter.write(fault) != parameter.write(unset);
    if (needed || set) json[parameter.name] = parameter.write(fault);
  }
  if (fault.times) json["times"] = *fault.times;
  if (fault.lifetime) json["for"] = std::to_string(fault.lifetime->count()) + "ms";
  return json;
}

}  // namespace idv::sandbox
