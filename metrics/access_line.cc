#include "metrics/access_line.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "metrics/code_name.h"

namespace idv {
namespace {

using Kind = CallRecord::Stretch::Kind;

// JSON of a text that is known to need no escapes: our own.
void AddKnown(std::string& line, absl::string_view name, absl::string_view text) {
  if (!text.empty()) absl::StrAppend(&line, ",\"", name, "\":\"", text, "\"");
}

void AddText(std::string& line, absl::string_view name, absl::string_view text) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (is_plain) return AddKnown(line, name, text);
  const nlohmann::json value = std::string(text);
  absl::StrAppend(&line, ",\"", name,
                  "\":", value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// With three decimals.
void AddMilliseconds(std::string& line, absl::string_view name, std::chrono::nanoseconds time) {
  const int64_t micros =
      std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(time).count());
  absl::StrAppend(&line, ",\"", name, "\":", micros / 1000, ".",
                  absl::Dec(micros % 1000, absl::kZeroPad3));
}

void AddStretch(std::string& line, absl::string_view name, std::chrono::nanoseconds time) {
  if (time > std::chrono::nanoseconds(0)) AddMilliseconds(line, name, time);
}

void AddNumber(std::string& line, absl::string_view name, uint64_t number) {
  if (number > 0) absl::StrAppend(&line, ",\"", name, "\":", number);
}

}  // namespace

std::string LogTime(std::chrono::system_clock::time_point time) {
  using std::chrono::milliseconds;
  // The seconds' text is the dear part, and many lines share it.
  thread_local std::time_t last_second = -1;
  thread_local std::array<char, sizeof "2026-01-02T03:04:05"> text{};
  const auto since = std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
  const std::time_t second = since / 1000;
  if (second != last_second) {
    std::tm utc{};
    gmtime_r(&second, &utc);
    std::strftime(text.data(), text.size(), "%FT%T", &utc);
    last_second = second;
  }
  return absl::StrCat(text.data(), ".", absl::Dec(since % 1000, absl::kZeroPad3), "Z");
}

std::string AccessLine(const CallRecord& record, absl::string_view method,
                       absl::string_view trace_id, std::chrono::system_clock::time_point now) {
  constexpr size_t kUsual = 512;
  std::string line;
  line.reserve(kUsual);
  absl::StrAppend(&line, R"({"time":")", LogTime(now), R"(","level":"info","message":"call")");
  AddText(line, "request_id", record.request_id);
  AddKnown(line, "trace_id", trace_id);
  AddText(line, "caller", record.caller);
  AddText(line, "tenant", record.tenant);
  AddKnown(line, "priority", record.priority);
  AddKnown(line, "method", method);
  AddKnown(line, "code", kCodeNames[PlaceOfCode(record.code)]);
  AddKnown(line, "reason", record.reason);
  AddKnown(line, "blame", record.blame);
  AddNumber(line, "http_status", static_cast<uint64_t>(record.http_status));
  const std::chrono::nanoseconds receive = record.TimeOf(Kind::kReceive);
  const std::chrono::nanoseconds wait = record.TimeOf(Kind::kWait);
  const std::chrono::nanoseconds upstream = record.TimeOf(Kind::kUpstream);
  const std::chrono::nanoseconds total = record.ended - record.began;
  AddMilliseconds(line, "duration_ms", total);
  AddMilliseconds(line, "gateway_ms", total - receive - wait - upstream);
  AddStretch(line, "receive_ms", receive);
  AddStretch(line, "wait_ms", wait);
  AddStretch(line, "upstream_ms", upstream);
  absl::StrAppend(&line, ",\"attempts\":", record.attempts);
  AddKnown(line, "cache", record.cache);
  AddNumber(line, "received_messages", record.received_messages);
  AddNumber(line, "received_bytes", record.received_bytes);
  AddNumber(line, "sent_bytes", record.sent_bytes);
  line.push_back('}');
  return line;
}

}  // namespace idv
