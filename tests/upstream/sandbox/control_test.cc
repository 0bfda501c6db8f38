#include "upstream/sandbox/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace idv::sandbox {
namespace {

class ControlTest : public testing::Test {
 protected:
  Json Call(const std::string& method, const std::string& path, const std::string& body = "",
            const std::string& query = "") {
    last_ = control_.Handle({method, path, query, {}}, body);
    return Json::parse(last_.body);
  }

  const Tenants tenants_ = Tenants::Default(nullptr);
  Store store_{[] { return std::string("id"); }};
  const ImageStorage images_{"http", "key"};
  Api api_{tenants_, store_, images_};
  Faults faults_;
  RequestLog log_;
  Clock clock_;
  boost::asio::io_context io_;
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_client};
  Agenda agenda_{io_, clock_};
  Courier courier_{io_, tls_, clock_, agenda_};
  Journal journal_;
  Publisher publisher_{{tenants_, store_, journal_, courier_, agenda_, clock_},
                       [] { return std::string("id"); }};
  Control control_{{api_, faults_, log_, clock_, courier_, publisher_}};
  Response last_;
};

TEST_F(ControlTest, OwnsThePathsBelowItsPrefixOnly) {
  EXPECT_TRUE(Control::IsControlPath("/__sandbox/faults"));
  EXPECT_FALSE(Control::IsControlPath("/__sandbox"));
  EXPECT_FALSE(Control::IsControlPath("/api/v1/__sandbox/faults"));
}

TEST_F(ControlTest, SetsListsAndClearsFaults) {
  EXPECT_EQ(Call("POST", "/__sandbox/faults", R"({"kind":"hang"})"), Json::parse(R"({"id":1})"));
  EXPECT_EQ(Call("POST", "/__sandbox/faults", R"({"kind":"latency","milliseconds":5})")["id"], 2);
  EXPECT_EQ(Call("GET", "/__sandbox/faults"), Json::parse(R"({"faults":[{"id":1,"kind":"hang"},
                                      {"id":2,"kind":"latency","milliseconds":5}]})"));
  EXPECT_EQ(Call("DELETE", "/__sandbox/faults"), Json::object());
  EXPECT_EQ(Call("GET", "/__sandbox/faults"), Json::parse(R"({"faults":[]})"));
}

TEST_F(ControlTest, RefusesAFaultItDoesNotUnderstand) {
  const Json json = Call("POST", "/__sandbox/faults", R"({"kind":"hang","colour":"red"})");

  EXPECT_EQ(last_.status, 400);
  EXPECT_THAT(std::string(json["error"]), testing::HasSubstr("colour"));
  EXPECT_FALSE(faults_.Any());
}

TEST_F(ControlTest, ListsAndClearsRequests) {
  log_.Begin(std::make_shared<RequestHead>(RequestHead{"GET", "/a/b", "", {}}), Time());
  log_.Begin(std::make_shared<RequestHead>(RequestHead{"GET", "/c", "", {}}), Time());

  EXPECT_EQ(Call("GET", "/__sandbox/requests")["requests"].size(), 2U);
  EXPECT_EQ(Call("GET", "/__sandbox/requests", "", "path_prefix=%2Fa")["requests"].size(), 1U);
  Call("DELETE", "/__sandbox/requests");
  EXPECT_EQ(Call("GET", "/__sandbox/requests"), Json::parse(R"({"requests":[]})"));
}

TEST_F(ControlTest, MovesTheClockAndSetsItBack) {
  const Time before = std::chrono::system_clock::now();

  EXPECT_EQ(Call("POST", "/__sandbox/clock", R"({"advance":"24h"})")["ahead_ms"], 86'400'000);
  EXPECT_EQ(Call("POST", "/__sandbox/clock", R"({"advance":"1ms"})")["ahead_ms"], 86'400'001);

  const Time moved = clock_.Now();
  EXPECT_GE(moved, before + std::chrono::milliseconds(86'400'001));
  EXPECT_GE(std::string(Call("GET", "/__sandbox/clock")["now"]), FormatTime(moved));
  EXPECT_EQ(Call("DELETE", "/__sandbox/clock")["ahead_ms"], 0);
  EXPECT_LT(clock_.Now(), before + std::chrono::hours(24));
}

TEST_F(ControlTest, RefusesToMoveTheClockByNoDuration) {
  for (const char* const body :
       {"", "7", "{}", R"({"advance":5})", R"({"advance":"soon"})", R"({"advance":"-1s"})",
        R"({"advance":"25h"})", R"({"advance":"1s","by":"2s"})"}) {
    EXPECT_THAT(std::string(Call("POST", "/__sandbox/clock", body)["error"]),
                testing::HasSubstr("advance"))
        << body;
    EXPECT_EQ(last_.status, 400) << body;
  }
  EXPECT_EQ(clock_.ahead(), std::chrono::milliseconds(0));
}

TEST_F(ControlTest, RefusesOtherPathsAndMethods) {
  Call("GET", "/__sandbox/nothing");
  EXPECT_EQ(last_.status, 404);
  Call("PUT", "/__sandbox/clock");
  EXPECT_EQ(last_.status, 405);
  Call("GET", "/__sandbox/reset");
  EXPECT_EQ(last_.status, 405);
  Call("PUT", "/__sandbox/faults");
  EXPECT_EQ(last_.status, 405);
  Call("POST", "/__sandbox/requests");
  EXPECT_EQ(last_.status, 405);
  EXPECT_EQ(*last_.Header("Allow"), "GET, DELETE");
}

}  // namespace
}  // namespace idv::sandbox
