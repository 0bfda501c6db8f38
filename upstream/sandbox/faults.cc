#include "upstream/sandbox/faults.h"

#include <algorithm>
#include <utility>

namespace idv::sandbox {
namespace {

constexpr std::uint64_t kMaxMilliseconds = 24ULL * 60 * 60 * 1000;

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool Fits(const Fault& fault, const FaultTarget& target) {
  return StartsWith(target.path, fault.path_prefix) &&
         (fault.method.empty() || fault.method == target.method) &&
         StartsWith(target.external_id, fault.external_id_prefix);
}

// Takes known members out of a JSON object and notes what is wrong with them.
class FaultReader {
 public:
  explicit FaultReader(Json object) : rest_(std::move(object)) {}

  std::string Text(const char* key) {
    const auto value = Take(key);
    if (value && !value->is_string()) Note(std::string(key) + " must be a text");
    return value && value->is_string() ? value->get<std::string>() : "";
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

  void Note(const std::string& problem) {
    if (!problems_.empty()) problems_ += "; ";
    problems_ += problem;
  }

  std::string Finish() {
    for (const auto& item : rest_.items()) Note("unknown key " + item.key());
    return problems_;
  }

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

}  // namespace

std::uint64_t Faults::Add(Fault fault) {
  fault.id = ++last_id_;
  faults_.push_back(std::move(fault));
  return last_id_;
}

bool Faults::AskForExternalId() const {
  return std::any_of(faults_.begin(), faults_.end(),
                     [](const Fault& fault) { return !fault.external_id_prefix.empty(); });
}

FaultPlan Faults::Take(const FaultTarget& target) {
  FaultPlan plan;
  for (Fault& fault : faults_) {
    if (!Fits(fault, target)) continue;
    plan.delay += fault.delay;
    plan.hang |= fault.kind == FaultKind::kHang;
    if (fault.times) --*fault.times;
  }
  std::erase_if(faults_, [](const Fault& fault) { return fault.times == 0U; });
  return plan;
}

ParsedFault ParseFault(std::string_view json) {
  Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return {{}, "the body must be a JSON object"};

  FaultReader reader(std::move(object));
  Fault fault;
  const std::string kind = reader.Text("kind");
  fault.kind = kind == "hang" ? FaultKind::kHang : FaultKind::kLatency;
  if (kind != "hang" && kind != "latency") reader.Note("kind must be latency or hang");
  fault.path_prefix = reader.Text("path_prefix");
  fault.method = reader.Text("method");
  fault.external_id_prefix = reader.Text("external_id_prefix");
  fault.times = reader.Count("times", 1, UINT64_MAX);
  const auto milliseconds = reader.Count("milliseconds", 0, kMaxMilliseconds);
  fault.delay = std::chrono::milliseconds(milliseconds.value_or(0));
  if (kind == "latency" && !milliseconds) reader.Note("latency needs milliseconds");
  if (kind == "hang" && milliseconds) reader.Note("hang takes no milliseconds");
  return {std::move(fault), reader.Finish()};
}

Json FaultJson(const Fault& fault) {
  Json json = {{"id", fault.id}, {"kind", fault.kind == FaultKind::kHang ? "hang" : "latency"}};
  if (!fault.path_prefix.empty()) json["path_prefix"] = fault.path_prefix;
  if (!fault.method.empty()) json["method"] = fault.method;
  if (!fault.external_id_prefix.empty()) json["external_id_prefix"] = fault.external_id_prefix;
  if (fault.kind == FaultKind::kLatency) json["milliseconds"] = fault.delay.count();
  if (fault.times) json["times"] = *fault.times;
  return json;
}

}  // namespace idv::sandbox
