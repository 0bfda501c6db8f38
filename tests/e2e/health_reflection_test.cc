// What tools ask a gRPC server: is it well, and what does it serve.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "kora/idv/v1/biometric_service.grpc.pb.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/call.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"

namespace idv::e2e {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using testing::Contains;
using testing::UnorderedElementsAreArray;

const std::vector<std::string>& Services() {
  static const std::vector<std::string> services = {
      "kora.idv.v1.VerificationService", "kora.idv.v1.DocumentService",
      "kora.idv.v1.BiometricService",    "kora.idv.v1.LivenessService",
      "kora.idv.v1.ImageService",        "kora.idv.v1.FraudAlertService",
      "kora.idv.v1.ReferenceService"};
  return services;
}

HealthCheckRequest Of(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return request;
}

class HealthTest : public testing::Test {
 protected:
  const Sandbox sandbox_;
  Gateway gateway_{sandbox_};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(HealthTest, CheckSaysThatTheServerAndEachServiceServe) {
  std::vector<std::string> services = Services();
  services.emplace_back("");
  for (const std::string& service : services) {
    const auto reply = client_.Call(&Health::Stub::Check, Of(service));

    EXPECT_EQ(reply.response.status(), HealthCheckResponse::SERVING)
        << service << ": " << testing::PrintToString<Outcome>(reply);
  }
}

TEST_F(HealthTest, CheckDoesNotFindAnUnknownService) {
  const auto reply = client_.Call(&Health::Stub::Check, Of("kora.idv.v2.VerificationService"));

  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthTest, WatchTellsOfTheShutdown) {
  Health::Stub stub(client_.channel());
  grpc::ClientContext context;
  Prepare({}, context);
  const auto watch = stub.Watch(&context, Of(Services()[0]));
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);

  gateway_.process().Signal(SIGTERM);

  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(gateway_.process().Wait(), 0);
}

TEST_F(HealthTest, WatchSaysThatAServiceIsUnknownAndStaysOpen) {
  Health::Stub stub(client_.channel());
  grpc::ClientContext context;
  Prepare({}, context);
  const auto watch = stub.Watch(&context, Of("nobody"));
  HealthCheckResponse response;

  ASSERT_TRUE(watch->Read(&response));

  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  context.TryCancel();
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(HealthTest, ManyWatchersAreToldOfTheShutdown) {
  constexpr size_t kWatchers = 50;
  Health::Stub stub(client_.channel());
  std::vector<grpc::ClientContext> contexts(kWatchers);
  std::vector<std::unique_ptr<grpc::ClientReader<HealthCheckResponse>>> watches;
  HealthCheckResponse response;
  for (grpc::ClientContext& context : contexts) {
    Prepare({}, context);
    watches.push_back(stub.Watch(&context, Of("")));
    ASSERT_TRUE(watches.back()->Read(&response));
  }

  gateway_.process().Signal(SIGTERM);

  for (const auto& watch : watches) {
    EXPECT_TRUE(watch->Read(&response));
    EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
    watch->Finish();
  }
  EXPECT_EQ(gateway_.process().Wait(), 0);
}

// Each service by itself, as far as its calls can be answered.
class ServiceHealthTest : public testing::Test {
 protected:
  void Start(const Json& config) {
    gateway_.emplace(config);
    client_.emplace(Connect(gateway_->addresses()[0]));
  }
  HealthCheckResponse::ServingStatus StatusOf(const std::string& service) const {
    return client_->Call(&Health::Stub::Check, Of(service)).response.status();
  }
  bool Becomes(const std::string& service, HealthCheckResponse::ServingStatus status) const {
    return WaitUntil([&] { return StatusOf(service) == status; });
  }

  const Sandbox sandbox_;
  const TempDir dir_;
  std::optional<Gateway> gateway_;
  std::optional<Client> client_;
};

TEST_F(ServiceHealthTest, NothingServesWhileTheUpstreamRefusesTheOnlyKey) {
  Json config = BasicConfig(sandbox_.base_url());
  config["tenants"][0]["api_key"] = {{"file", dir_.Write("key", "test_sk_before")}};
  Start(config);
  EXPECT_EQ(StatusOf(""), HealthCheckResponse::SERVING);
  Health::Stub stub(client_->channel());
  grpc::ClientContext context;
  Prepare({}, context);
  const auto watch = stub.Watch(&context, Of(Services()[0]));
  const auto told = [&] {
    HealthCheckResponse response;
    EXPECT_TRUE(watch->Read(&response));
    return response.status();
  };
  EXPECT_EQ(told(), HealthCheckResponse::SERVING);

  EXPECT_EQ(TryGet(*client_, std::chrono::seconds(5)).reason(), "UPSTREAM_CREDENTIAL_REJECTED");

  EXPECT_EQ(told(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(StatusOf(""), HealthCheckResponse::NOT_SERVING);
  dir_.Write("key", kApiKey);
  gateway_->process().Signal(SIGHUP);
  EXPECT_EQ(told(), HealthCheckResponse::SERVING);
  EXPECT_EQ(StatusOf(""), HealthCheckResponse::SERVING);
  context.TryCancel();
}

TEST_F(ServiceHealthTest, AServiceDoesNotServeWhileItsCircuitIsOpen) {
  Json config = BasicConfig(sandbox_.base_url());
  config["retry"]["max_attempts"] = 1;
  config["breaker"] = {{"failures", 1}, {"open_for", "3s"}};
  Start(config);
  sandbox_.AddFault({{"kind", "status"}, {"status", 500}, {"path_prefix", "/verifications/x"}});
  kora::idv::v1::UploadSelfieRequest selfie;
  selfie.set_verification_id("x");
  selfie.set_image("face");
  EXPECT_EQ(client_->Call(&kora::idv::v1::BiometricService::Stub::UploadSelfie, selfie).reason(),
            "UPSTREAM_ERROR");

  EXPECT_TRUE(Becomes("kora.idv.v1.BiometricService", HealthCheckResponse::NOT_SERVING));
  EXPECT_EQ(StatusOf("kora.idv.v1.DocumentService"), HealthCheckResponse::NOT_SERVING);
  for (const char* const service : {"", "kora.idv.v1.VerificationService",
                                    "kora.idv.v1.ReferenceService", "kora.idv.v1.ImageService"}) {
    EXPECT_EQ(StatusOf(service), HealthCheckResponse::SERVING) << service;
  }
  // When it is time to ask again, somebody must be let through.
  EXPECT_TRUE(Becomes("kora.idv.v1.BiometricService", HealthCheckResponse::SERVING));
}

// Both versions of the protocol have the same messages.
class ReflectionTest : public testing::TestWithParam<std::string> {
 protected:
  // Asks over one stream and returns the answers, as many as questions if all goes well.
  static std::vector<ServerReflectionResponse> Ask(
      const Gateway& gateway, const std::vector<ServerReflectionRequest>& questions,
      grpc::StatusCode expected = grpc::StatusCode::OK) {
    grpc::GenericStub stub(Connect(gateway.addresses()[0]));
    grpc::ClientContext context;
    Prepare({}, context);
    grpc::CompletionQueue queue;
    const auto wait = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    const auto stream = stub.PrepareCall(
        &context, "/grpc.reflection." + GetParam() + ".ServerReflection/ServerReflectionInfo",
        &queue);
    stream->StartCall(nullptr);
    bool open = wait();
    std::vector<ServerReflectionResponse> answers;
    for (size_t i = 0; open && i < questions.size(); ++i) {
      const grpc::Slice slice(questions[i].SerializeAsString());
      stream->Write(grpc::ByteBuffer(&slice, 1), nullptr);
      grpc::ByteBuffer bytes;
      open = wait();
      stream->Read(&bytes, nullptr);
      open = wait() && open;
      grpc::Slice answer;
      if (!open || !bytes.DumpToSingleSlice(&answer).ok()) break;
      EXPECT_TRUE(
          answers.emplace_back().ParseFromArray(answer.begin(), static_cast<int>(answer.size())));
    }
    stream->WritesDone(nullptr);
    wait();
    grpc::Status status;
    stream->Finish(&status, nullptr);
    wait();
    EXPECT_EQ(status.error_code(), expected) << status.error_message();
    return answers;
  }

  static ServerReflectionRequest ForSymbol(const std::string& symbol) {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(symbol);
    return request;
  }

  static std::set<std::string> FileNames(const ServerReflectionResponse& response) {
    std::set<std::string> names;
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.insert(file.name());
    }
    return names;
  }

  const Sandbox sandbox_;
};

TEST_P(ReflectionTest, ListsTheServices) {
  const Gateway gateway(sandbox_);
  ServerReflectionRequest request;
  request.set_list_services("*");

  const auto answers = Ask(gateway, {request});

  ASSERT_EQ(answers.size(), 1U);
  std::vector<std::string> names;
  for (const auto& service : answers[0].list_services_response().service()) {
    names.push_back(service.name());
  }
  std::vector<std::string> expected = Services();
  expected.emplace_back("grpc.health.v1.Health");
  EXPECT_THAT(names, UnorderedElementsAreArray(expected));
}

TEST_P(ReflectionTest, GivesTheFileOfASymbolWithAllThatItImports) {
  const Gateway gateway(sandbox_);

  const auto answers =
      Ask(gateway, {ForSymbol("kora.idv.v1.ImageService"),
                    ForSymbol("kora.idv.v1.VerificationService.GetVerification"),
                    ForSymbol("kora.idv.v1.FaceMatch"), ForSymbol("grpc.health.v1.Health")});

  ASSERT_EQ(answers.size(), 4U);
  EXPECT_THAT(FileNames(answers[0]),
              UnorderedElementsAreArray(std::vector<std::string>{
                  "kora/idv/v1/image_service.proto", "kora/idv/gateway/v1/annotations.proto",
                  "google/api/annotations.proto", "google/api/http.proto",
                  "google/protobuf/descriptor.proto", "google/protobuf/duration.proto"}));
  EXPECT_THAT(FileNames(answers[1]), Contains("kora/idv/v1/verification_service.proto"));
  EXPECT_THAT(FileNames(answers[1]), Contains("google/protobuf/struct.proto"));
  EXPECT_THAT(FileNames(answers[2]), Contains("kora/idv/v1/biometric_service.proto"));
  EXPECT_THAT(FileNames(answers[3]), Contains("grpc/health/v1/health.proto"));
  EXPECT_EQ(answers[2].original_request().file_containing_symbol(), "kora.idv.v1.FaceMatch");
}

TEST_P(ReflectionTest, DoesNotFindAnUnknownSymbolAndGoesOn) {
  const Gateway gateway(sandbox_);

  const auto answers =
      Ask(gateway, {ForSymbol("kora.idv.v1.Nothing"), ForSymbol("kora.idv.v1.ImageUrl")});

  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(FileNames(answers[1]), Contains("kora/idv/v1/image_service.proto"));
}

TEST_P(ReflectionTest, IsNotServedWhenItIsSwitchedOff) {
  Json config = BasicConfig(sandbox_.base_url());
  config["listen"]["reflection"] = false;
  const Gateway gateway(config);

  EXPECT_EQ(
      Ask(gateway, {ForSymbol("kora.idv.v1.ImageUrl")}, grpc::StatusCode::UNIMPLEMENTED).size(),
      0U);
}

INSTANTIATE_TEST_SUITE_P(Versions, ReflectionTest, testing::Values("v1", "v1alpha"),
                         [](const auto& version) { return version.param; });

}  // namespace
}  // namespace idv::e2e
