// Runs idv-verify itself against a gateway that answers as scripted.

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/gateway/verify/lines.h"
#include "tests/gateway/verify/program.h"
#include "tests/gateway/verify/scripted_gateway.h"

namespace idv::verify {
namespace {

namespace v1 = kora::idv::v1;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

constexpr int kVerified = 0;
constexpr int kOtherDecision = 1;
constexpr int kNoDecision = 2;

v1::Verification Standing(v1::VerificationStatus status) {
  v1::Verification verification;
  verification.set_id("ver-1");
  verification.set_status(status);
  return verification;
}

// A directory of its own, gone after the test.
class VerifyTest : public testing::Test {
 protected:
  VerifyTest() {
    std::string name = testing::TempDir() + "/idv-verify-XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~VerifyTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ / name; }
  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
    return Path(name);
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(VerifyTest, GoesThroughAllStepsAndSaysVerified) {
  const ScriptedGateway gateway;

  const auto outcome = Verify({"--target", gateway.Address()});

  EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(gateway.Methods(),
              ElementsAre("CreateVerification", "ListDocumentTypes", "UploadDocument",
                          "UploadSelfie", "CreateLivenessSession", "SubmitLivenessChallenge",
                          "SubmitLivenessChallenge", "CompleteVerification"));
  EXPECT_THAT(
      Lines(outcome.out),
      ElementsAre(AllOf(StartsWith("create "), EndsWith(" ms  ver-1 PENDING")),
                  AllOf(StartsWith("document type "), HasSubstr("international_passport")),
                  AllOf(StartsWith("document "), EndsWith(" ms  quality 92.0")),
                  AllOf(StartsWith("selfie "), EndsWith(" ms  face detected, match 80.1")),
                  AllOf(StartsWith("liveness "), EndsWith(" ms  blink, wink")),
                  AllOf(StartsWith("challenge "), EndsWith(" ms  blink passed, score 75.0")),
                  AllOf(StartsWith("challenge "), EndsWith(" ms  wink passed, score 75.0")),
                  AllOf(StartsWith("complete "), EndsWith(" ms  VERIFIED")),
                  AllOf(StartsWith("VERIFIED  in "),
                        EndsWith(" ms  (decision auto_approve, overall 96.3)"))));
}

TEST_F(VerifyTest, PrintsNoColoursIntoAFile) {
  const ScriptedGateway gateway;

  const auto outcome = Verify({"--target", gateway.Address()});

  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b")));
}

TEST_F(VerifyTest, UploadsTheBackOfADocumentThatHasOne) {
  const ScriptedGateway gateway;

  const auto outcome =
      Verify({"--target", gateway.Address(), "--document-type", "us_drivers_license"});

  EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
  EXPECT_THAT(gateway.Methods(), Contains("UploadDocumentBack").Times(1));
  EXPECT_THAT(outcome.out, HasSubstr("quality 91.0, warnings slight_blur"));
}

TEST_F(VerifyTest, SendsWhatTheFlagsSay) {
  const ScriptedGateway gateway;
  const auto token = Write("token", "secret-token\n");
  const auto image = Write("image", "my-picture");

  const auto outcome = Verify({"--target", gateway.Address(), "--tenant", "acme", "--token-file",
                               token, "--external-id", "customer-7", "--image", image,
                               "--document-type", "us_drivers_license", "--country", "US"});

  EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
  std::size_t pictures = 0;
  for (const auto& call : gateway.Calls()) {
    EXPECT_THAT(call.metadata, Contains(Pair("x-idv-tenant", "acme"))) << call.method;
    EXPECT_THAT(call.metadata, Contains(Pair("authorization", "Bearer secret-token")))
        << call.method;
    if (call.request.find("image: \"my-picture\"") != std::string::npos) ++pictures;
    if (call.method == "CreateVerification") {
      EXPECT_THAT(call.request, AllOf(HasSubstr("external_id: \"customer-7\""),
                                      HasSubstr("document_type: \"us_drivers_license\"")));
    }
    if (call.method == "UploadDocument") {
      EXPECT_THAT(call.request, AllOf(HasSubstr("country: \"US\""),
                                      HasSubstr("document_type: \"us_drivers_license\"")));
    }
  }
  EXPECT_EQ(pictures, 5U) << "front, back, selfie and two challenges";
  EXPECT_THAT(outcome.out, Not(HasSubstr("secret-token")));
}

TEST_F(VerifyTest, SendsNoTenantTokenOrCountryUnlessTold) {
  const ScriptedGateway gateway;

  const auto outcome = Verify({"--target", gateway.Address()});

  EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
  for (const auto& call : gateway.Calls()) {
    EXPECT_EQ(call.metadata.count("x-idv-tenant"), 0U) << call.method;
    EXPECT_EQ(call.metadata.count("authorization"), 0U) << call.method;
    EXPECT_THAT(call.request, Not(HasSubstr("country"))) << call.method;
  }
}

TEST_F(VerifyTest, MakesUpAnotherSubjectEachTime) {
  const ScriptedGateway gateway;

  Verify({"--target", gateway.Address()});
  Verify({"--target", gateway.Address()});

  std::vector<std::string> created;
  for (const auto& call : gateway.Calls()) {
    if (call.method == "CreateVerification") created.push_back(call.request);
  }
  ASSERT_EQ(created.size(), 2U);
  EXPECT_THAT(created[0], HasSubstr("external_id: \"test-approve-"));
  EXPECT_NE(created[0], created[1]);
}

TEST_F(VerifyTest, UploadsACompleteJpegByDefault) {
  const ScriptedGateway gateway;

  Verify({"--target", gateway.Address()});

  for (const auto& call : gateway.Calls()) {
    if (call.method != "UploadSelfie") continue;
    EXPECT_THAT(call.request, HasSubstr("image: \"\\377\\330\\377\\340"));
    EXPECT_THAT(call.request, HasSubstr("\\377\\331\""));
  }
}

TEST_F(VerifyTest, ExitsWithOneForEveryOtherDecision) {
  struct Row {
    v1::VerificationStatus status;
    const char* name;
  };
  for (const auto& row : {Row{v1::VERIFICATION_STATUS_REJECTED, "REJECTED"},
                          Row{v1::VERIFICATION_STATUS_MANUAL_REVIEW, "MANUAL_REVIEW"},
                          Row{v1::VERIFICATION_STATUS_FAILED, "FAILED"},
                          Row{v1::VERIFICATION_STATUS_EXPIRED, "EXPIRED"},
                          Row{v1::VERIFICATION_STATUS_PENDING, "PENDING"}}) {
    ScriptedGateway gateway;
    auto answer = Standing(row.status);
    answer.set_decision(v1::VERIFICATION_DECISION_AUTO_REJECT);
    answer.mutable_scores()->set_overall(12);
    answer.add_decision_codes("FACE_MISMATCH");
    gateway.Decide({answer});

    const auto outcome = Verify({"--target", gateway.Address()});

    EXPECT_EQ(outcome.exit_code, kOtherDecision) << row.name;
    EXPECT_THAT(Lines(outcome.out).back(),
                AllOf(StartsWith(std::string(row.name) + "  in "),
                      EndsWith("(decision auto_reject, overall 12.0, codes FACE_MISMATCH)")));
    EXPECT_THAT(outcome.out, Not(HasSubstr("VERIFIED"))) << row.name;
  }
}

TEST_F(VerifyTest, DoesNotTakeAnUnknownStatusForVerified) {
  ScriptedGateway gateway;
  auto answer = Standing(v1::VERIFICATION_STATUS_UNSPECIFIED);
  answer.set_status_raw("half_\x1b[31mverified");
  gateway.Decide({answer});

  const auto outcome = Verify({"--target", gateway.Address()});

  EXPECT_EQ(outcome.exit_code, kOtherDecision);
  EXPECT_THAT(Lines(outcome.out).back(), StartsWith("UNKNOWN  in "));
  EXPECT_THAT(outcome.out, HasSubstr("UNKNOWN (the upstream says 'half_\\x1b[31mverified')"));
}

TEST_F(VerifyTest, AsksAgainWhileItIsProcessing) {
  ScriptedGateway gateway;
  const auto processing = Standing(v1::VERIFICATION_STATUS_PROCESSING);
  gateway.Decide({processing, processing, Standing(v1::VERIFICATION_STATUS_VERIFIED)});

  const auto outcome = Verify({"--target", gateway.Address()});

  EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
  EXPECT_THAT(gateway.Methods(), Contains("GetVerification").Times(2));
  EXPECT_GE(outcome.took, seconds(2));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(" ms  PROCESSING\n"), HasSubstr("\npoll ")));
}

TEST_F(VerifyTest, GivesUpProcessingWhenTheTimeIsOver) {
  ScriptedGateway gateway;
  gateway.Decide({20, Standing(v1::VERIFICATION_STATUS_PROCESSING)});

  const auto outcome = Verify({"--target", gateway.Address(), "--timeout", "1500ms"});

  EXPECT_EQ(outcome.exit_code, kNoDecision);
  EXPECT_LT(outcome.took, seconds(5));
  EXPECT_THAT(outcome.err,
              HasSubstr("the verification was still PROCESSING when --timeout 1500ms was over"));
}

TEST_F(VerifyTest, GivesUpACallWhenTheTimeIsOver) {
  ScriptedGateway gateway;
  gateway.Delay(seconds(1));

  const auto outcome = Verify({"--target", gateway.Address(), "--timeout", "300ms"});

  EXPECT_EQ(outcome.exit_code, kNoDecision);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("create failed"), HasSubstr("DEADLINE_EXCEEDED"),
                                 HasSubstr("when --timeout 300ms was over")));
}

grpc::Status DetailedError() {
  google::rpc::ErrorInfo info;
  info.set_reason("UPSTREAM_INVALID_REQUEST");
  info.set_domain("idv-gateway");
  (*info.mutable_metadata())["http_status"] = "422";
  (*info.mutable_metadata())["request_id"] = "req-from-info";
  google::rpc::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field("image");
  violation->set_description("no picture");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500'000'000);
  google::rpc::Status details;
  details.set_code(grpc::StatusCode::INVALID_ARGUMENT);
  details.add_details()->PackFrom(info);
  details.add_details()->PackFrom(bad);
  details.add_details()->PackFrom(retry);
  return {grpc::StatusCode::INVALID_ARGUMENT, "the upstream refused it",
          details.SerializeAsString()};
}

TEST_F(VerifyTest, PrintsEverythingThatAFailureSays) {
  ScriptedGateway gateway;
  gateway.Fail("UploadSelfie", DetailedError());

  const auto outcome = Verify({"--target", gateway.Address()});

  EXPECT_EQ(outcome.exit_code, kNoDecision);
  EXPECT_THAT(gateway.Methods().back(), "UploadSelfie");
  EXPECT_THAT(Lines(outcome.out).back(),
              AllOf(StartsWith("selfie "), EndsWith("INVALID_ARGUMENT")));
  for (const auto* text :
       {"selfie failed", "status         INVALID_ARGUMENT",
        "message        the upstream refused it", "reason         UPSTREAM_INVALID_REQUEST",
        "domain         idv-gateway", "http_status    422", "field          image: no picture",
        "retry after    1500 ms", "request id     req-from-info"}) {
    EXPECT_THAT(outcome.err, HasSubstr(text));
  }
}

TEST_F(VerifyTest, FindsTheRequestIdInTheTrailers) {
  ScriptedGateway gateway;
  gateway.Fail("CompleteVerification", {grpc::StatusCode::UNAVAILABLE, "gone"},
               {{"x-request-id", "req-from-trailer"}});

  const auto outcome = Verify({"--target", gateway.Address()});

  EXPECT_EQ(outcome.exit_code, kNoDecision);
  EXPECT_THAT(outcome.err, HasSubstr("request id     req-from-trailer"));
}

TEST_F(VerifyTest, WritesOneJsonObjectALine) {
  const ScriptedGateway gateway;

  const auto outcome =
      Verify({"--target", gateway.Address(), "--json", "--external-id", "customer-7"});

  EXPECT_EQ(outcome.exit_code, kVerified);
  const auto lines = JsonLines(outcome.out);
  ASSERT_EQ(lines.size(), 9U);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    EXPECT_EQ(lines[i].at("ok"), true);
    EXPECT_TRUE(lines[i].at("ms").is_number());
  }
  EXPECT_EQ(lines[0].at("step"), "create");
  EXPECT_EQ(lines[0].at("verification_id"), "ver-1");
  EXPECT_EQ(lines[0].at("external_id"), "customer-7");
  EXPECT_EQ(lines[2].at("quality_score"), 92.0);
  EXPECT_EQ(lines[8].at("result"), "VERIFIED");
  EXPECT_EQ(lines[8].at("verified"), true);
  EXPECT_EQ(lines[8].at("decision"), "auto_approve");
  EXPECT_EQ(lines[8].at("overall_score"), 96.3);
}

TEST_F(VerifyTest, WritesAFailureAsJsonToo) {
  ScriptedGateway gateway;
  gateway.Fail("CreateVerification", DetailedError());

  const auto outcome = Verify({"--target", gateway.Address(), "--json"});

  EXPECT_EQ(outcome.exit_code, kNoDecision);
  EXPECT_EQ(outcome.err, "");
  const auto lines = JsonLines(outcome.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("ok"), false);
  const auto& error = lines[1].at("error");
  EXPECT_EQ(lines[1].at("result"), "ERROR");
  EXPECT_EQ(lines[1].at("step"), "create");
  EXPECT_EQ(error.at("code"), "INVALID_ARGUMENT");
  EXPECT_EQ(error.at("reason"), "UPSTREAM_INVALID_REQUEST");
  EXPECT_EQ(error.at("metadata").at("http_status"), "422");
  EXPECT_EQ(error.at("field_violations").at(0).at("field"), "image");
  EXPECT_EQ(error.at("retry_after_ms"), 1500);
  EXPECT_EQ(error.at("request_id"), "req-from-info");
}

TEST_F(VerifyTest, SaysPlainlyThatNobodyIsThere) {
  const auto address = ScriptedGateway().Address();  // free again

  const auto outcome = Verify({"--target", address, "--timeout", "1s"});

  EXPECT_EQ(outcome.exit_code, kNoDecision);
  EXPECT_LT(outcome.took, seconds(5));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot reach the gateway at " + address),
                                 HasSubstr("Connection refused")));
}

TEST_F(VerifyTest, ReachesAUnixSocket) {
  const auto socket = "unix:" + Path("gateway.sock");
  const ScriptedGateway gateway(grpc::InsecureServerCredentials(), socket);

  EXPECT_EQ(Verify({"--target", socket}).exit_code, kVerified);
}

TEST_F(VerifyTest, SpeaksTlsAndShowsItsCertificate) {
  ASSERT_EQ(RunProgram("openssl",
                       {"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", Path("key.pem"), "-out", Path("cert.pem")})
                .exit_code,
            0);
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = Read("cert.pem");
  options.pem_key_cert_pairs.push_back({Read("key.pem"), Read("cert.pem")});
  const ScriptedGateway gateway(grpc::SslServerCredentials(options));
  const std::vector<std::string> trusting{"--target", gateway.Address(), "--timeout",
                                          "2s",       "--tls-ca",        Path("cert.pem")};
  auto proving = trusting;
  proving.insert(proving.end(), {"--tls-cert", Path("cert.pem"), "--tls-key", Path("key.pem")});

  EXPECT_EQ(Verify(proving).exit_code, kVerified);
  EXPECT_EQ(Verify(trusting).exit_code, kNoDecision) << "no certificate shown";
  EXPECT_EQ(Verify({"--target", gateway.Address(), "--timeout", "1s"}).exit_code, kNoDecision)
      << "plaintext";
}

TEST_F(VerifyTest, SaysThatTlsFilesAreUnusable) {
  const ScriptedGateway gateway;
  const auto junk = Write("junk.pem", "junk");

  const auto outcome = Verify({"--target", gateway.Address(), "--tls-ca", junk, "--timeout", "1s"});

  EXPECT_EQ(outcome.exit_code, kNoDecision);
  EXPECT_THAT(outcome.err, HasSubstr("the TLS files are unusable"));
}

TEST_F(VerifyTest, RefusesMistakesInOneLine) {
  const auto empty = Write("empty", "");
  const auto newline = Write("newline", "\n");
  const auto text = Write("text", "text");
  struct Row {
    std::vector<std::string> arguments;
    const char* says;
  };
  for (const auto& row : std::vector<Row>{
           {{"--unknown"}, "--unknown"},
           {{"stray"}, "stray"},
           {{"--target"}, "--target"},
           {{"--target", ""}, "--target"},
           {{"--timeout", "60"}, "--timeout: '60' is no duration"},
           {{"--timeout", "-1s"}, "--timeout: '-1s' is not between"},
           {{"--timeout", "inf"}, "--timeout: 'inf' is not between"},
           {{"--tenant", "a\nb"}, "--tenant"},
           {{"--image", Path("none")}, "--image: cannot read"},
           {{"--image", empty}, "it is empty"},
           {{"--image", testing::TempDir()}, "Is a directory"},
           {{"--token-file", newline}, "--token-file: holds no token"},
           {{"--tls-ca", Path("none")}, "--tls-ca: cannot read"},
           {{"--tls-cert", text}, "--tls-cert and --tls-key go together"},
           {{"--tls-key", text}, "--tls-cert and --tls-key go together"},
       }) {
    const auto outcome = Verify(row.arguments);

    EXPECT_EQ(outcome.exit_code, kNoDecision) << row.says;
    EXPECT_EQ(outcome.out, "") << row.says;
    EXPECT_THAT(Lines(outcome.err),
                ElementsAre(AllOf(StartsWith("idv-verify: "), HasSubstr(row.says))));
  }
}

TEST_F(VerifyTest, ExplainsItself) {
  const auto help = Verify({"--help"});
  const auto version = Verify({"--version"});

  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out,
              AllOf(HasSubstr("--external-id"), HasSubstr("--timeout"), HasSubstr("Exit code")));
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, StartsWith("idv-verify "));
}

}  // namespace
}  // namespace idv::verify
