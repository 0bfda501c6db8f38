#include "upstream/sandbox/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/upstream/sandbox/caller.h"

namespace idv::sandbox {
namespace {

using testing::HasSubstr;

struct Endpoint {
  const char* method;
  const char* path;
  const char* body;
};

// All 18, with bodies that pass.
const std::vector<Endpoint> kEndpoints = {
    {"POST", "/verifications", R"({"externalId":"x"})"},
    {"GET", "/verifications/nobody", ""},
    {"GET", "/subjects/nobody/verifications", ""},
    {"POST", "/verifications/nobody/complete", ""},
    {"POST", "/verifications/nobody/review", R"({"decision":"approve"})"},
    {"POST", "/verifications/nobody/document", R"({"documentType":"t","imageBase64":"AA=="})"},
    {"POST", "/verifications/nobody/document/back", R"({"imageBase64":"AA=="})"},
    {"POST", "/verifications/nobody/selfie", R"({"imageBase64":"AA=="})"},
    {"POST", "/verifications/nobody/liveness/session", ""},
    {"POST", "/verifications/nobody/liveness/challenge",
     R"({"challengeType":"blink","imageBase64":"AA=="})"},
    {"POST", "/verifications/nobody/liveness/frames", R"({"frames":["AA=="]})"},
    {"GET", "/verifications/nobody/liveness", ""},
    {"GET", "/verifications/nobody/images", ""},
    {"GET", "/verifications/nobody/images/selfie", ""},
    {"GET", "/alerts", ""},
    {"POST", "/alerts/nobody/resolve", R"({"status":"dismissed"})"},
    {"GET", "/document-types", ""},
    {"GET", "/health", ""},
};

bool IsHealth(const Endpoint& endpoint) { return std::string(endpoint.path) == "/health"; }

std::string Name(const Endpoint& endpoint) {
  return std::string(endpoint.method) + " " + endpoint.path;
}

TEST(ApiTest, AnswersEveryEndpointOfTheDocumentation) {
  for (const Endpoint& endpoint : kEndpoints) {
    Caller caller;

    const Reply reply = caller.Send(endpoint.method, endpoint.path, endpoint.body);

    if (Name(endpoint).find("nobody") == std::string::npos) {
      EXPECT_EQ(reply.status / 100, 2) << Name(endpoint);
    } else if (std::string(endpoint.path).find("/subjects/") == 0) {
      EXPECT_EQ(reply.json, Json::parse(R"({"verifications":[],"total":0})"));
    } else {
      EXPECT_EQ(reply.status, 404) << Name(endpoint);
      EXPECT_THAT(std::string(reply.json["code"]), testing::EndsWith("_NOT_FOUND"));
    }
  }
}

TEST(ApiTest, RefusesWhoHasNoGoodKeyEverywhereButOnHealth) {
  for (const char* const header : {"", "Bearer ", "Bearer unknown", "all", "Basic all"}) {
    for (const Endpoint& endpoint : kEndpoints) {
      Caller caller;
      caller.SetHeader("authorization", header);
      if (std::string(header).empty()) caller.RemoveHeader("authorization");

      const Reply reply = caller.Send(endpoint.method, endpoint.path, endpoint.body);

      EXPECT_EQ(reply.status, IsHealth(endpoint) ? 200 : 401) << Name(endpoint) << " " << header;
    }
  }
}

TEST(ApiTest, DemandsTheTenantHeaderEverywhereButOnHealth) {
  for (const Endpoint& endpoint : kEndpoints) {
    Caller caller;
    caller.RemoveHeader("x-tenant-id");

    const Reply reply = caller.Send(endpoint.method, endpoint.path, endpoint.body);

    EXPECT_EQ(reply.status, IsHealth(endpoint) ? 200 : 400) << Name(endpoint);
    if (IsHealth(endpoint)) continue;
    EXPECT_EQ(reply.json["code"], "VALIDATION_ERROR");
    EXPECT_EQ(reply.json["details"]["field"], "X-Tenant-ID");
  }
}

TEST(ApiTest, ForbidsAKeyOfAnotherTenant) {
  for (const Endpoint& endpoint : kEndpoints) {
    Caller caller;
    caller.SetHeader("x-tenant-id", kOtherTenant);

    const Reply reply = caller.Send(endpoint.method, endpoint.path, endpoint.body);

    EXPECT_EQ(reply.status, IsHealth(endpoint) ? 200 : 403) << Name(endpoint);
  }
}

TEST(ApiTest, AcceptsATenantInCapitals) {
  Caller caller;
  caller.SetHeader("x-tenant-id", "550E8400-E29B-41D4-A716-446655440000");

  EXPECT_EQ(caller.Get("/alerts").status, 200);
}

TEST(ApiTest, LetsAKeyDoOnlyWhatItsScopesAllow) {
  for (const Endpoint& endpoint : kEndpoints) {
    Caller reader;
    reader.SetHeader("authorization", "Bearer reader");
    Caller writer;
    writer.SetHeader("authorization", "Bearer writer");
    const std::string name = Name(endpoint);
    const bool is_get = std::string(endpoint.method) == "GET";
    const bool is_write = !is_get && name.find("review") == std::string::npos &&
                          name.find("alerts") == std::string::npos;

    const int read = reader.Send(endpoint.method, endpoint.path, endpoint.body).status;
    const int written = writer.Send(endpoint.method, endpoint.path, endpoint.body).status;

    EXPECT_EQ(read != 403, is_get) << name;
    EXPECT_EQ(written != 403, is_write || IsHealth(endpoint)) << name;
  }
}

TEST(ApiTest, HidesAVerificationFromAnotherTenant) {
  Caller caller;
  const std::string id = caller.Create("x");
  caller.SetHeader("authorization", "Bearer other");
  caller.SetHeader("x-tenant-id", kOtherTenant);

  const Reply reply = caller.Get("/verifications/" + id);

  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.json["code"], "VERIFICATION_NOT_FOUND");
  EXPECT_EQ(caller.Get("/subjects/x/verifications").json["total"], 0);
}

TEST(ApiTest, DemandsAReviewerForReviewsAndResolutions) {
  for (const Endpoint& endpoint : kEndpoints) {
    const std::string name = Name(endpoint);
    const bool needed =
        name.find("review") != std::string::npos || name.find("resolve") != std::string::npos;
    if (!needed) continue;
    Caller caller;
    caller.RemoveHeader("x-reviewer-id");

    const Reply reply = caller.Send(endpoint.method, endpoint.path, endpoint.body);

    EXPECT_EQ(reply.status, 400) << name;
    EXPECT_EQ(reply.json["code"], "VALIDATION_ERROR") << name;
    EXPECT_EQ(reply.json["details"]["field"], "X-Reviewer-ID") << name;
  }
}

TEST(ApiTest, ServesBelowBothBasesAndHealthOnTheRoot) {
  struct Row {
    const char* target;
    int status;
  };
  const std::vector<Row> rows = {
      {"/api/v1/idv/document-types", 200},
      {"/api/v1/document-types", 200},
      {"/document-types", 404},
      {"/api/v1/idv/health", 200},
      {"/api/v1/health", 200},
      {"/health", 200},
      {"/api/v1idv/health", 404},
      {"/", 404},
      {"/api/v1/idv", 404},
      {"/api/v1/idv/", 404},
      {"/api/v1/idv/verifications/", 404},
      {"/api/v1/idv/verifications//images", 404},
      {"/api/v1/idv/health/", 404},
      {"/api/v1/idv/verifications/%zz", 404},
  };
  for (const Row& row : rows) {
    Caller caller;
    EXPECT_EQ(caller.SendRaw("GET", row.target, "").status, row.status) << row.target;
  }
}

TEST(ApiTest, NamesTheRightMethodInA405) {
  Caller caller;

  EXPECT_EQ(caller.Send("DELETE", "/verifications/x", "").status, 405);
  EXPECT_EQ(*caller.last.Header("Allow"), "GET");
  EXPECT_EQ(caller.Get("/verifications").status, 405);
  EXPECT_EQ(*caller.last.Header("Allow"), "POST");
  EXPECT_EQ(caller.Send("HEAD", "/health", "").status, 405);
}

class LimitTest : public testing::Test {
 protected:
  LimitTest() {
    caller_.SetHeader("authorization", "Bearer limited");
    caller_.SetHeader("x-tenant-id", kLimitedTenant);
  }

  std::string Header(const std::string& name) const {
    const std::string* const value = caller_.last.Header(name);
    return value == nullptr ? "none" : *value;
  }

  Caller caller_;
};

TEST_F(LimitTest, IsInTheHeadersOfEveryAnswer) {
  EXPECT_EQ(caller_.Get("/alerts").status, 200);
  EXPECT_EQ(Header("X-RateLimit-Limit"), "10");
  EXPECT_EQ(Header("X-RateLimit-Remaining"), "9");
  EXPECT_EQ(Header("X-RateLimit-Reset"), "1767323105");
  EXPECT_EQ(Header("Retry-After"), "none");

  EXPECT_EQ(caller_.Get("/verifications/nobody").status, 404);
  EXPECT_EQ(Header("X-RateLimit-Remaining"), "8");
  EXPECT_EQ(caller_.Post("/verifications", "nonsense").status, 400);
  EXPECT_EQ(Header("X-RateLimit-Remaining"), "7");
}

TEST_F(LimitTest, CountsOverAllKeysOfTheTenantAndWhatTheyMayNot) {
  caller_.Get("/alerts");
  caller_.SetHeader("authorization", "Bearer limited-reader");

  EXPECT_EQ(caller_.Get("/document-types").status, 403);

  EXPECT_EQ(Header("X-RateLimit-Remaining"), "8");
}

TEST_F(LimitTest, RefusesWhatIsOverItAndDoesNothing) {
  for (int i = 0; i < 10; ++i) caller_.Get("/alerts");
  caller_.now += std::chrono::milliseconds(20'001);

  const Reply refused = caller_.Post("/verifications", R"({"externalId":"x"})");

  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.json["code"], "RATE_LIMIT_EXCEEDED");
  EXPECT_EQ(refused.json["details"], Json::parse(R"({"retryAfter":40})"));
  EXPECT_EQ(Header("Retry-After"), "40");
  EXPECT_EQ(Header("X-RateLimit-Remaining"), "0");
  caller_.now += std::chrono::seconds(40);
  EXPECT_EQ(caller_.Get("/subjects/x/verifications").json["total"], 0);
}

TEST_F(LimitTest, TellsASubjectsDailyCapFromTheRateOfRequests) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(caller_.Post("/verifications", R"({"externalId":"x"})").status, 201);

  const Reply refused = caller_.Post("/verifications", R"({"externalId":"x"})");

  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.json["code"], "RATE_LIMIT_EXCEEDED");
  EXPECT_EQ(refused.json["details"], Json::parse(R"({"maxAttemptsPerDay":5})"));
  EXPECT_EQ(Header("Retry-After"), "none");
  EXPECT_EQ(Header("X-RateLimit-Remaining"), "4");
}

TEST_F(LimitTest, SparesStrangersHealthAndTenantsWithoutAPlan) {
  EXPECT_EQ(caller_.Get("/health").status, 200);
  EXPECT_EQ(Header("X-RateLimit-Limit"), "none");
  caller_.SetHeader("x-tenant-id", kTenant);
  EXPECT_EQ(caller_.Get("/alerts").status, 403);
  EXPECT_EQ(Header("X-RateLimit-Limit"), "none");
  caller_.SetHeader("authorization", "Bearer all");
  EXPECT_EQ(caller_.Get("/alerts").status, 200);
  EXPECT_EQ(Header("X-RateLimit-Limit"), "none");
}

TEST(ApiTest, DecodesPathSegmentsAfterSplitting) {
  Caller caller;
  caller.Post("/verifications", R"({"externalId":"a/b ü?"})");

  EXPECT_EQ(caller.Get("/subjects/a%2Fb%20%C3%BC%3F/verifications").json["total"], 1);
}

struct BadBody {
  const char* path;  // "ID" stands for a verification with a document and a session
  const char* body;
  const char* field;  // nullptr: a binding error
  const char* constraint;
};

TEST(ApiTest, SaysWhatIsWrongWithABody) {
  const std::vector<BadBody> rows = {
      {"/verifications", "", nullptr, nullptr},
      {"/verifications", "{", nullptr, nullptr},
      {"/verifications", "[]", nullptr, nullptr},
      {"/verifications", "\"x\"", nullptr, nullptr},
      {"/verifications", "{}", "externalId", "required"},
      {"/verifications", R"({"externalId":""})", "externalId", "required"},
      {"/verifications", R"({"externalId":null})", "externalId", "required"},
      {"/verifications", R"({"externalId":7})", nullptr, nullptr},
      {"/verifications", R"({"external_id":"x"})", "external_id", "camelCase"},
      {"/verifications", R"({"externalId":"x","callback_url":"x"})", "callback_url", "camelCase"},
      {"/verifications", R"({"externalId":"x","tier":"gold"})", "tier",
       "oneof=basic standard enhanced"},
      {"/verifications", R"({"externalId":"x","callbackUrl":"ftp://x"})", "callbackUrl", "url"},
      {"/verifications", R"({"externalId":"x","metadata":[]})", nullptr, nullptr},
      {"/verifications", R"({"externalId":"x","expectedFirstName":{}})", nullptr, nullptr},
      {"/verifications/ID/document", R"({"imageBase64":"AA=="})", "documentType", "required"},
      {"/verifications/ID/document", R"({"documentType":"t"})", "imageBase64", "required"},
      {"/verifications/ID/document", R"({"documentType":"t","imageBase64":""})", "imageBase64",
       "required"},
      {"/verifications/ID/document", R"({"documentType":"t","imageBase64":"A"})", "imageBase64",
       "base64"},
      {"/verifications/ID/document",
       R"({"documentType":"t","imageBase64":"data:image/jpeg;base64,AA=="})", "imageBase64",
       "base64"},
      {"/verifications/ID/document", R"({"documentType":"t","imageBase64":"AA==","country":"GHA"})",
       "country", "iso3166_1_alpha2"},
      {"/verifications/ID/document/back", R"({"imageBase64":"AA==","decodedBarcodePayload":1})",
       nullptr, nullptr},
      {"/verifications/ID/document/back", R"({})", "imageBase64", "required"},
      {"/verifications/ID/selfie", R"({"image_base64":"AA=="})", "image_base64", "camelCase"},
      {"/verifications/ID/liveness/challenge", R"({"imageBase64":"AA=="})", "challengeType",
       "required"},
      {"/verifications/ID/liveness/challenge", R"({"challengeType":"jump","imageBase64":"AA=="})",
       "challengeType", "oneof"},
      {"/verifications/ID/liveness/challenge", R"({"challengeType":"smile","imageBase64":"AA=="})",
       "challengeType", "in_session"},
      {"/verifications/ID/liveness/challenge", R"({"challengeType":"blink","imageBase64":""})",
       "imageBase64", "required"},
      {"/verifications/ID/liveness/frames", R"({})", "frames", "required"},
      {"/verifications/ID/liveness/frames", R"({"frames":[]})", "frames", "required"},
      {"/verifications/ID/liveness/frames", R"({"frames":["AA==","?"]})", "frames[1]", "base64"},
      {"/verifications/ID/liveness/frames", R"({"frames":["AA==",1]})", nullptr, nullptr},
      {"/verifications/ID/liveness/frames", R"({"frames":["AA=="],"fps":0})", "fps", "gt=0"},
      {"/verifications/ID/liveness/frames", R"({"frames":["AA=="],"timestamps":[1,2]})",
       "timestamps", "len=frames"},
      {"/verifications/ID/liveness/frames", R"({"frames":["AA=="],"challengeType":"jump"})",
       "challengeType", "oneof"},
      {"/verifications/ID/complete", R"({"liveness":[]})", nullptr, nullptr},
      {"/verifications/ID/complete", R"({"liveness":{"challenges":[1]}})", nullptr, nullptr},
      {"/verifications/ID/complete", R"({"liveness":{"challenges":[{"passed":true}]}})",
       "liveness.challenges[0].type", "required"},
      {"/verifications/ID/complete", R"({"liveness":{"challenges":[{"type":"blink"}]}})",
       "liveness.challenges[0].passed", "required"},
      {"/verifications/ID/complete",
       R"({"liveness":{"challenges":[{"type":"blink","passed":true,"frameImages":["?"]}]}})",
       "liveness.challenges[0].frameImages[0]", "base64"},
      {"/verifications/ID/complete",
       R"({"liveness":{"challenges":[{"type":"blink","passed":true,"frame_images":[]}]}})",
       "liveness.challenges[0].frame_images", "camelCase"},
      {"/verifications/ID/review", R"({})", "decision", "required"},
      {"/verifications/ID/review", R"({"decision":"maybe"})", "decision", "oneof=approve reject"},
      {"/alerts/x/resolve", R"({})", "status", "required"},
      {"/alerts/x/resolve", R"({"status":"open"})", "status", "ne=open"},
  };
  for (const BadBody& row : rows) {
    Caller caller;
    const std::string id = caller.CreateWithDocument("x");
    caller.Post("/verifications/" + id + "/liveness/session");
    std::string path = row.path;
    if (const auto at = path.find("ID"); at != std::string::npos) path.replace(at, 2, id);

    const Reply reply = caller.Post(path, row.body);

    const std::string where = path + " " + row.body;
    EXPECT_EQ(reply.status, 400) << where;
    if (row.field == nullptr) {
      EXPECT_EQ(reply.json.size(), 1U) << where << reply.json;
      EXPECT_TRUE(reply.json.contains("error")) << where;
    } else {
      EXPECT_EQ(reply.json["code"], "VALIDATION_ERROR") << where;
      EXPECT_EQ(reply.json["details"]["field"], row.field) << where;
      EXPECT_EQ(reply.json["details"]["constraint"], row.constraint) << where;
      EXPECT_THAT(std::string(reply.json["error"]), HasSubstr(row.field)) << where;
    }
  }
}

TEST(ApiTest, RefusesMultipart) {
  Caller caller;
  caller.headers.emplace_back("content-type", "multipart/form-data; boundary=x");

  const Reply reply = caller.Post("/verifications", R"({"externalId":"x"})");

  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.json.size(), 1U);
}

TEST(ApiTest, IgnoresUnknownMembersAndNulls) {
  Caller caller;

  const Reply reply = caller.Post(
      "/verifications",
      R"({"externalId":"x","brandNew":1,"tier":null,"callbackUrl":null,"metadata":{"a_b":1}})");

  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.json["tier"], "standard");
  EXPECT_FALSE(reply.json.contains("callbackUrl"));
  EXPECT_EQ(reply.json["metadata"]["a_b"], 1);
}

TEST(ApiTest, TakesNoBodyOrAnEmptyObjectWhereNothingIsDemanded) {
  for (const char* const body : {"", "{}", " \r\n"}) {
    Caller caller;
    const std::string id = caller.CreateWithDocument("x");

    EXPECT_EQ(caller.Post("/verifications/" + id + "/liveness/session", body).status, 200) << body;
    EXPECT_EQ(caller.Post("/verifications/" + id + "/complete", body).status, 200) << body;
  }
}

TEST(ApiTest, KnowsWhichRoutesCarryImages) {
  for (const Endpoint& endpoint : kEndpoints) {
    const RequestHead head{endpoint.method, std::string("/api/v1") + endpoint.path, "", {}};
    const std::string body = endpoint.body;
    const bool expected = body.find("AA==") != std::string::npos ||
                          std::string(endpoint.path).find("complete") != std::string::npos;

    EXPECT_EQ(Api::CarriesImages(head), expected) << Name(endpoint);
  }
}

TEST(ApiTest, KnowsWhomARequestIsAbout) {
  Caller caller;
  const std::string id = caller.CreateWithDocument("test-fraud-1");
  caller.Post("/verifications/" + id + "/complete");
  const std::string alert = caller.Get("/alerts").json["alerts"][0]["id"];
  const auto about = [&](const std::string& method, const std::string& path,
                         const std::string& body) {
    return caller.api().ExternalIdOf({method, "/api/v1/idv" + path, "", {}}, body);
  };

  EXPECT_EQ(about("POST", "/verifications", R"({"externalId":"a"})"), "a");
  EXPECT_EQ(about("POST", "/verifications", "{"), "");
  EXPECT_EQ(about("GET", "/subjects/b%20c/verifications", ""), "b c");
  EXPECT_EQ(about("GET", "/verifications/" + id, ""), "test-fraud-1");
  EXPECT_EQ(about("POST", "/alerts/" + alert + "/resolve", ""), "test-fraud-1");
  EXPECT_EQ(about("GET", "/verifications/unknown", ""), "");
  EXPECT_EQ(about("GET", "/health", ""), "");
  EXPECT_EQ(about("GET", "/nowhere", ""), "");
}

TEST(ApiTest, AnswersAHeaderThatIsNoUtf8) {
  Caller caller;
  const std::string id = caller.CreateWithDocument("test-review-1");
  caller.Post("/verifications/" + id + "/complete");
  caller.SetHeader("x-reviewer-id", "rev\xff");

  EXPECT_EQ(caller.Post("/verifications/" + id + "/review", R"({"decision":"approve"})").status,
            200);
}

}  // namespace
}  // namespace idv::sandbox
