#include "upstream/sandbox/control.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "upstream/sandbox/duration.h"
#include "upstream/sandbox/fault_json.h"
#include "upstream/sandbox/refusals.h"
#include "upstream/sandbox/target.h"

namespace idv::sandbox {
namespace {

constexpr std::string_view kPrefix = "/__sandbox/";

Response Ok(const Json& json) { return {.status = 200, .body = Dump(json)}; }

// {"advance": "24h"}.
std::optional<std::chrono::milliseconds> ParseAdvance(std::string_view body) {
  const Json object = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || object.size() != 1) return std::nullopt;
  const auto found = object.find("advance");
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return ParseDuration(found->get<std::string>());
}

}  // namespace

bool Control::IsControlPath(std::string_view path) {
  return path.substr(0, kPrefix.size()) == kPrefix;
}

Response Control::Handle(const RequestHead& head, std::string_view body) {
  if (head.path == "/__sandbox/faults") return HandleFaults(head, body);
  if (head.path == "/__sandbox/requests") return HandleRequests(head);
  if (head.path == "/__sandbox/clock") return HandleClock(head, body);
  if (head.path == "/__sandbox/reset") return HandleReset(head);
  return Refuse(404, "NOT_FOUND", "There is no such endpoint.");
}

Response Control::HandleFaults(const RequestHead& head, std::string_view body) {
  const auto now = std::chrono::steady_clock::now();
  if (head.method == "POST") {
    auto parsed = ParseFaultText(body);
    if (const auto* const problems = std::get_if<std::string>(&parsed)) {
      return RefuseBinding(*problems);
    }
    return Ok({{"id", faults_.Add(std::move(std::get<Fault>(parsed)), now)}});
  }
  if (head.method == "DELETE") {
    faults_.Clear();
    return Ok(Json::object());
  }
  if (head.method != "GET") return RefuseMethod("GET, POST, DELETE");
  Json list = Json::array();
  for (const Fault& fault : faults_.All(now)) list.push_back(FaultJson(fault));
  return Ok({{"faults", std::move(list)}});
}

Response Control::HandleRequests(const RequestHead& head) {
  if (head.method == "GET") {
    return Ok(log_.ToJson(QueryValue(head.query, "path_prefix").value_or("")));
  }
  if (head.method != "DELETE") return RefuseMethod("GET, DELETE");
  log_.Clear();
  return Ok(Json::object());
}

Response Control::HandleClock(const RequestHead& head, std::string_view body) {
  if (head.method == "POST") {
    const auto advance = ParseAdvance(body);
    if (!advance) {
      return RefuseBinding(R"(the body must be {"advance": D}, D a duration such as 90s or 24h)");
    }
    clock_.Advance(*advance);
  } else if (head.method == "DELETE") {
    clock_.Reset();
  } else if (head.method != "GET") {
    return RefuseMethod("GET, POST, DELETE");
  }
  return Ok({{"now", FormatTime(clock_.Now())}, {"ahead_ms", clock_.ahead().count()}});
}

Response Control::HandleReset(const RequestHead& head) {
  if (head.method != "POST") return RefuseMethod("POST");
  api_.Reset();
  faults_.Reset(std::chrono::steady_clock::now());
  log_.Clear();
  clock_.Reset();
  return Ok(Json::object());
}

}  // namespace idv::sandbox
