#include "tests/e2e/watch.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "auth/fetch.h"
#include "metrics/code_name.h"

namespace idv::e2e {
namespace {

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<Json> CallLinesSoFar(const Gateway& gateway) {
  std::vector<Json> calls;
  for (const std::string& line : LinesOf(gateway.process().Err())) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.value("message", "") == "call") calls.push_back(json);
  }
  return calls;
}

std::string TextOf(const Json& call, const char* member) { return call.value(member, ""); }

}  // namespace

std::string PageOf(const Gateway& gateway, const std::string& path, int status) {
  const auto page = Fetcher().Fetch({.url = "http://" + gateway.admin_address() + path,
                                     .headers = {},
                                     .json = {},
                                     .ca_file = ""});
  EXPECT_TRUE(page.ok()) << path << ": " << page.status();
  if (!page.ok()) return "";
  EXPECT_EQ(page->status, status) << path << ": " << page->body;
  return page->body;
}

std::map<std::string, double> SeriesOf(const Gateway& gateway) {
  std::map<std::string, double> series;
  for (const std::string& line : LinesOf(PageOf(gateway, "/metrics"))) {
    if (line.empty() || line[0] == '#') continue;
    const size_t blank = line.rfind(' ');
    series[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
  }
  return series;
}

double SumOf(const std::map<std::string, double>& series, const std::string& name,
             const std::vector<std::string>& labels) {
  double sum = 0;
  for (const auto& [text, value] : series) {
    const bool has_name = text == name || text.rfind(name + "{", 0) == 0;
    const bool has_labels =
        std::all_of(labels.begin(), labels.end(), [&whole = text](const std::string& label) {
          return whole.find(label) != std::string::npos;
        });
    if (has_name && has_labels) sum += value;
  }
  return sum;
}

std::vector<Json> CallLinesOf(const Gateway& gateway, size_t count) {
  WaitUntil([&] { return CallLinesSoFar(gateway).size() >= count; });
  return CallLinesSoFar(gateway);
}

void Witness::Keep(const Outcome& outcome) {
  const auto id = outcome.Trailer("x-request-id");
  ASSERT_TRUE(id) << testing::PrintToString(outcome);
  const auto& metadata = outcome.info.metadata();
  const auto blame = metadata.find("blame");
  told_[*id] = {{"code", kCodeNames[PlaceOfCode(outcome.status.error_code())]},
                {"reason", outcome.reason()},
                {"blame", blame == metadata.end() ? "" : blame->second}};
}

void Witness::ExpectTheSameSeen() const {
  std::map<std::string, Json> logged;
  for (const Json& call : CallLinesOf(gateway_, told_.size())) {
    logged[call.at("request_id")] = {{"code", TextOf(call, "code")},
                                     {"reason", TextOf(call, "reason")},
                                     {"blame", TextOf(call, "blame")}};
  }
  EXPECT_EQ(logged, told_);

  std::map<std::string, double> expected;  // series
  for (const auto& [id, told] : told_) {
    ++expected["grpc_server_handled_total " + TextOf(told, "code")];
    if (TextOf(told, "reason").empty()) continue;
    ++expected["idv_gateway_errors_total " + TextOf(told, "reason") + " " + TextOf(told, "blame")];
  }
  const std::map<std::string, double> series = SeriesOf(gateway_);
  std::map<std::string, double> counted;
  for (const auto& [name, count] : expected) {
    std::istringstream words(name);
    std::string family;
    std::string first;
    std::string second;
    words >> family >> first >> second;
    const bool is_error = family == "idv_gateway_errors_total";
    counted[name] = SumOf(
        series, family,
        is_error ? std::vector<std::string>{"reason=\"" + first + "\"", "blame=\"" + second + "\""}
                 : std::vector<std::string>{"grpc_code=\"" + first + "\""});
  }
  EXPECT_EQ(counted, expected);
  const auto calls = static_cast<double>(told_.size());
  EXPECT_EQ(SumOf(series, "grpc_server_handled_total"), calls);
  EXPECT_EQ(SumOf(series, "grpc_server_started_total"), calls);
  EXPECT_EQ(SumOf(series, "grpc_server_handling_seconds_count"), calls);
}

}  // namespace idv::e2e
