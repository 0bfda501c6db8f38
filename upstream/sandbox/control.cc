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
  if (head.path == "/__sandbox/webhooks") return HandleWebhooks(head);
  const auto segments = Segments(head.path);
  if (segments && segments->size() == 4 && (*segments)[1] == "webhooks" &&
      (*segments)[3] == "redeliver") {
    return HandleRedelivery(head, (*segments)[2]);
  }
  return Refuse(404, "NOT_FOUND", "There is no such endpoint.");
}

Response Control::HandleFaults(const RequestHead& head, std::string_view body) {
  const auto now = std::chrono::steady_clock::now();
  if (head.method == "POST") {
    auto parsed = ParseFaultText(body);
    if (const auto* const problems = std::get_if<std::string>(&parsed)) {
      return RefuseBinding(*problems);
    }
    return Ok({{"id", parts_.faults.Add(std::move(std::get<Fault>(parsed)), now)}});
  }
  if (head.method == "DELETE") {
    parts_.faults.Clear();
    return Ok(Json::object());
  }
  if (head.method != "GET") return RefuseMethod("GET, POST, DELETE");
  Json list = Json::array();
  for (const Fault& fault : parts_.faults.All(now)) list.push_back(FaultJson(fault));
  return Ok({{"faults", std::move(list)}});
}

Response Control::HandleRequests(const RequestHead& head) {
  if (head.method == "GET") {
    return Ok(parts_.log.ToJson(QueryValue(head.query, "path_prefix").value_or("")));
  }
  if (head.method != "DELETE") return RefuseMethod("GET, DELETE");
  parts_.log.Clear();
  return Ok(Json::object());
}

Response Control::HandleClock(const RequestHead& head, std::string_view body) {
  if (head.method == "POST") {
    const auto advance = ParseAdvance(body);
    if (!advance) {
      return RefuseBinding(R"(the body must be {"advance": D}, D a duration such as 90s or 24h)");
    }
    parts_.clock.Advance(*advance);
  } else if (head.method == "DELETE") {
    parts_.clock.Reset();
  } else if (head.method != "GET") {
    return RefuseMethod("GET, POST, DELETE");
  }
  return Ok({{"now", FormatTime(parts_.clock.Now())}, {"ahead_ms", parts_.clock.ahead().count()}});
}

Response Control::HandleWebhooks(const RequestHead& head) {
  if (head.method == "GET") return Ok(parts_.courier.ToJson());
  if (head.method != "DELETE") return RefuseMethod("GET, DELETE");
  parts_.courier.Clear();
  return Ok(Json::object());
}

Response Control::HandleRedelivery(const RequestHead& head, const std::string& id) {
  if (head.method != "POST") return RefuseMethod("POST");
  const std::size_t urls = parts_.courier.Redeliver(id);
  if (urls == 0) return Refuse(404, "WEBHOOK_NOT_FOUND", "There is no such webhook.");
  return Ok({{"urls", urls}});
}

Response Control::HandleReset(const RequestHead& head) {
  if (head.method != "POST") return RefuseMethod("POST");
  parts_.api.Reset();
  parts_.publisher.Reset();
  parts_.faults.Reset(std::chrono::steady_clock::now());
  parts_.log.Clear();
  parts_.clock.Reset();
  return Ok(Json::object());
}

}  // namespace idv::sandbox
