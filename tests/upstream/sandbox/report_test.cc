#include "upstream/sandbox/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/upstream/sandbox/caller.h"

namespace idv::sandbox {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ReportTest : public testing::Test {
 protected:
  std::string Decided(const std::string& external_id) {
    std::string id = caller_.CreateWithDocument(external_id);
    caller_.Post("/verifications/" + id + "/complete");
    return id;
  }

  Response Get(const std::string& path) { return caller_.Exchange("GET", "/api/v1" + path); }
  Response Bulk(const Json& ids) {
    return caller_.Exchange("POST", "/api/v1/reports/bulk", Json{{"verificationIds", ids}}.dump());
  }

  Caller caller_;
};

TEST_F(ReportTest, IsAPdfWithTheDecision) {
  const Response report = Get("/verifications/" + Decided("test-reject-(1)") + "/report");

  EXPECT_EQ(report.status, 200);
  EXPECT_EQ(report.content_type, "application/pdf");
  EXPECT_THAT(report.body, StartsWith("%PDF-1.4\n"));
  EXPECT_THAT(report.body, HasSubstr(R"((Subject test-reject-\(1\)))"));
  EXPECT_THAT(report.body, HasSubstr("(Decision auto_reject: "));
  // Every reader begins at the end.
  const std::size_t at = report.body.rfind("startxref\n") + 10;
  EXPECT_EQ(report.body.substr(std::stoul(report.body.substr(at)), 5), "xref\n");
  EXPECT_THAT(report.body, HasSubstr("\n0000000009 00000 n \n"));
  EXPECT_EQ(report.body.substr(9, 7), "1 0 obj");
}

TEST_F(ReportTest, IsThereOfDecidedVerificationsOfTheTenantOnly) {
  const std::string pending = caller_.CreateWithDocument("x");
  const std::string decided = Decided("y");

  EXPECT_EQ(Get("/verifications/" + pending + "/report").status, 409);
  EXPECT_EQ(Get("/verifications/unknown/report").status, 404);
  EXPECT_EQ(Bulk({decided, pending}).status, 409);
  EXPECT_EQ(Bulk({decided, "unknown"}).status, 404);
}

TEST_F(ReportTest, ComesInAnArchiveForSeveral) {
  const std::string first = Decided("x");
  const std::string second = Decided("y");

  const Response archive = Bulk({first, second});

  EXPECT_EQ(archive.status, 200);
  EXPECT_EQ(archive.content_type, "application/zip");
  EXPECT_THAT(archive.body, StartsWith("PK\x03\x04"));
  EXPECT_THAT(archive.body, HasSubstr(first + ".pdf%PDF-1.4"));
  EXPECT_THAT(archive.body, HasSubstr(second + ".pdf%PDF-1.4"));
}

TEST_F(ReportTest, TakesAListOfOneToAHundredIds) {
  const std::string id = Decided("x");

  EXPECT_EQ(Bulk(Json::array()).status, 400);
  EXPECT_EQ(Bulk("one").status, 400);
  EXPECT_EQ(Bulk({1}).status, 400);
  EXPECT_EQ(Bulk({""}).status, 400);
  EXPECT_EQ(Bulk(Json(std::vector<std::string>(100, id))).status, 200);
  EXPECT_EQ(Bulk(Json(std::vector<std::string>(101, id))).status, 400);
}

TEST_F(ReportTest, HasALimitOfItsOwn) {
  caller_.SetHeader("authorization", "Bearer limited");
  caller_.SetHeader("x-tenant-id", kLimitedTenant);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Get("/verifications/unknown/report").status, 404);

  EXPECT_EQ(Get("/verifications/unknown/report").status, 429);
  EXPECT_EQ(Get("/alerts").status, 200);
}

}  // namespace
}  // namespace idv::sandbox
