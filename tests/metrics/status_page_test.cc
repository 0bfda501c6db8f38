#include "metrics/status_page.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace idv {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

json Sample(const std::string& name) {
  return json::parse(std::ifstream("tests/metrics/status_page_samples/" + name + ".json"));
}

// What is read on the page, without tags, with plain spaces.
std::string TextOn(const std::string& page) {
  const std::string body = page.substr(page.find("<body>"));
  const std::string text = std::regex_replace(body, std::regex("<[^>]*>"), "");
  return absl::StrReplaceAll(text, {{"\u00a0", " "}});
}

std::string TextOf(const json& status) { return TextOn(StatusPage(status)); }

// Each text and number in `value` by its path, set to one that occurs nowhere else.
void MakeDistinct(json& value, const std::string& path, int& next, json& made) {
  if (value.is_structured()) {
    for (auto& [key, member] : value.items()) {
      MakeDistinct(member, absl::StrCat(path, "/", key), next, made);
    }
    return;
  }
  if (value.is_boolean()) return;
  ++next;
  value = value.is_number() ? json(700 + next) : json(absl::StrCat("text", 700 + next, "x"));
  made[path] = value.is_number() ? absl::StrCat(700 + next) : value.get<std::string>();
}

TEST(StatusPageTest, ShowsEachValueOfTheDocument) {
  json status = Sample("well");
  for (json& tenant : status["tenants"]) {
    tenant["breakers"] = {{"read", "a"}, {"write", "b"}, {"upload", "c"}};
    tenant["budget"] = {{"limit", 1}, {"remaining", 1}, {"waiting", 1}};
    tenant["key"]["refresh_failures"] = 1;
    tenant["cache"]["reference"]["stale"] = 1;
  }
  status["reasons"] = {"r"};
  json made;
  int next = 0;
  MakeDistinct(status, "", next, made);
  // Shown as durations and sizes.
  made.erase("/uptime_seconds");
  for (const int shard : {0, 1}) made.erase(absl::StrCat("/shards/", shard, "/lag_seconds"));

  const std::string text = TextOf(status);

  for (const auto& [path, value] : made.items()) {
    EXPECT_THAT(text, HasSubstr(value.get<std::string>())) << path;
  }
}

TEST(StatusPageTest, SaysDurationsSizesAndTimesForPeople) {
  const std::string page = StatusPage(Sample("well"));
  const std::string text = TextOn(page);

  EXPECT_THAT(text, HasSubstr("idv-gateway 0.1.0, up 1 d 2 h, as of 2026-03-01 03:12:45 UTC"));
  EXPECT_THAT(text, HasSubstr("256 KiB of 256 MiB"));
  EXPECT_THAT(text, HasSubstr("0.1 ms"));
  EXPECT_THAT(text, HasSubstr("8,214"));
  EXPECT_THAT(page, HasSubstr("datetime=\"2026-02-28T23:40:12+00:00\" "
                              "title=\"2026-02-28 23:40:12 UTC\">3\u00a0h 32\u00a0min\u00a0ago<"));
}

TEST(StatusPageTest, AnswersFirstWhetherItIsReadyAndWhoseTroubleItIs) {
  struct Row {
    const char* sample;
    const char* ready;
    const char* verdict;
  };
  for (const Row& row :
       {Row{"well", "✓ Ready",
            "Nothing is broken, and no call has failed in the last five minutes."},
        Row{"vendor_fails", "✓ Ready", "There is trouble with the vendor."},
        Row{"ours_to_mend", "✕ Not ready", "There is trouble with us and callers."},
        Row{"just_started", "✕ Not ready", "There is trouble with us."}}) {
    const std::string text = TextOf(Sample(row.sample));
    EXPECT_THAT(text, HasSubstr(row.ready)) << row.sample;
    EXPECT_THAT(text, HasSubstr(row.verdict)) << row.sample;
  }
  json draining = Sample("well");
  draining["draining"] = true;
  EXPECT_THAT(TextOf(draining), HasSubstr("✕ Draining\nIt shuts down"));
  json chance = Sample("well");
  chance["errors"][1]["last_at"] = chance["now"];
  EXPECT_THAT(TextOf(chance),
              HasSubstr("What failed in the last five minutes is the vendor’s doing."));
}

TEST(StatusPageTest, NeedsNothingFromElsewhere) {
  const std::string page = StatusPage(Sample("ours_to_mend"));
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>\n<html lang=\"en\">"));
  for (const char* const absent : {"<script", "<link", "<img", "src=", "url(", "@import", " on"}) {
    const std::string markup = std::regex_replace(page, std::regex(">[^<]*<"), "><");
    EXPECT_THAT(markup, Not(HasSubstr(absent))) << absent;
  }
  for (const char* const link : {"\"?format=json\"", "\"metrics\"", "\"readyz\"", "\"livez\""}) {
    EXPECT_THAT(page, HasSubstr(absl::StrCat("<a href=", link))) << link;
  }
}

// Replaces each text in `value`.
void Poison(json& value, const std::string& text) {
  if (value.is_string()) value = text;
  if (!value.is_structured()) return;
  for (json& member : value) Poison(member, text);
}

TEST(StatusPageTest, EscapesEveryText) {
  for (const char* const name : {"well", "vendor_fails", "ours_to_mend", "just_started"}) {
    json status = Sample(name);
    Poison(status, "<i a=\"b\" c='d'>&");

    const std::string page = StatusPage(status);

    EXPECT_THAT(page, HasSubstr("&lt;i a=&quot;b&quot; c=&#39;d&#39;&gt;&amp;")) << name;
    EXPECT_THAT(page, Not(HasSubstr("<i a"))) << name;
    EXPECT_THAT(page, Not(HasSubstr("c='d'"))) << name;
    EXPECT_THAT(page, Not(HasSubstr("a=\"b\""))) << name;
  }
}

// Calls `try_it` with the document in which each member in turn, at any depth, is `instead`, or
// is not there if that is discarded.
template <typename TryIt>
void WithEachReplaced(const json& whole, const json& instead, const TryIt& try_it) {
  const json flat = whole.flatten();
  for (const auto& [path, value] : flat.items()) {
    for (json::json_pointer place(path); !place.empty(); place = place.parent_pointer()) {
      json changed = whole;
      if (!instead.is_discarded()) {
        changed[place] = instead;
      } else if (changed[place.parent_pointer()].is_object()) {
        changed[place.parent_pointer()].erase(place.back());
      }
      try_it(changed);
    }
  }
}

TEST(StatusPageTest, DoesWithoutWhatIsMissing) {
  for (const json& nothing :
       {json(), json::object(), json::array(), json(json::value_t::discarded)}) {
    const std::string text = TextOf(nothing);
    EXPECT_THAT(text, HasSubstr("Readiness unknown"));
    EXPECT_THAT(text, HasSubstr("Nothing is known to be broken."));
    EXPECT_THAT(text, HasSubstr("–"));
  }
  const auto is_whole = [](const json& status) {
    EXPECT_THAT(StatusPage(status), testing::EndsWith("</html>\n")) << status;
  };
  for (const json& instead : {json(json::value_t::discarded), json(), json("x"), json(-1.5e300),
                              json(true), json::array({1}), json({{"a", "b"}})}) {
    WithEachReplaced(Sample("ours_to_mend"), instead, is_whole);
  }
}

// The names in the rows' heads, in order.
std::vector<std::string> TenantsOn(const std::string& page) {
  std::vector<std::string> names;
  const std::regex head("<th scope=\"row\">(t[0-9]+)<");
  for (std::sregex_iterator found(page.begin(), page.end(), head), end; found != end; ++found) {
    names.push_back((*found)[1]);
  }
  return names;
}

json Tenants(int count, const std::set<int>& troubled) {
  json status = Sample("well");
  const json one = status["tenants"][0];
  status["tenants"] = json::array();
  for (int i = 0; i < count; ++i) {
    status["tenants"].push_back(one);
    status["tenants"].back()["name"] = absl::StrCat("t", i);
    if (troubled.contains(i)) status["tenants"].back()["breakers"]["write"] = "open";
  }
  return status;
}

TEST(StatusPageTest, ShowsTenantsInTroubleFirst) {
  const std::string page = StatusPage(Tenants(4, {1, 3}));
  EXPECT_THAT(TenantsOn(page), testing::ElementsAre("t1", "t3", "t0", "t2"));
  EXPECT_THAT(page, HasSubstr("<h2>Tenants, 2 in trouble</h2>"));
  EXPECT_THAT(page, Not(HasSubstr("<details>")));
}

TEST(StatusPageTest, FoldsTheRestOfManyTenants) {
  std::set<int> many;
  for (int i = 0; i < 30; ++i) many.insert(i * 3);
  const auto shown_and_folded = [](const std::string& page) {
    const size_t fold = page.find("<details>");
    return std::pair(TenantsOn(page.substr(0, fold)).size(), TenantsOn(page.substr(fold)).size());
  };

  const std::string well = StatusPage(Tenants(40, {}));
  const std::string some = StatusPage(Tenants(40, {7}));
  const std::string most = StatusPage(Tenants(1000, many));

  EXPECT_EQ(shown_and_folded(well), std::pair(size_t{0}, size_t{40}));
  EXPECT_THAT(well, HasSubstr("<summary>All 40, nothing wrong</summary>"));
  EXPECT_EQ(shown_and_folded(some), std::pair(size_t{1}, size_t{39}));
  EXPECT_THAT(some, HasSubstr("<summary>39 more, nothing wrong</summary>"));
  EXPECT_EQ(shown_and_folded(most), std::pair(size_t{20}, size_t{980}));
  EXPECT_THAT(most, HasSubstr("<summary>980 more, 10 of them in trouble</summary>"));
}

// 20 ms of a processor; the limit leaves room for instrumented builds.
TEST(StatusPageTest, IsQuickWithAThousandTenants) {
  const json status = Tenants(1000, {5});
  const std::clock_t begin = std::clock();

  const std::string page = StatusPage(status);

  EXPECT_LT(std::clock() - begin, CLOCKS_PER_SEC);
  EXPECT_EQ(TenantsOn(page).size(), 1000);
}

}  // namespace
}  // namespace idv
