// A canary in every field of every message, both ways: none of it is in the log, on a page, or in a
// trace.

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "gateway/services.h"
#include "metrics/span_exporter.h"
#include "tests/e2e/frame_call.h"
#include "tests/e2e/watch.h"
#include "tests/metrics/collected.h"
#include "tests/upstream/stub_server.h"

namespace idv::e2e {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kCanary[] = "canaryman";
constexpr int kCanaryNumber = 47110815;

void Fill(Message& message);

void FillField(Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  const auto put = [&](auto set, auto add, const auto& value) {
    if (field.is_repeated()) return (reflection.*add)(&message, &field, value);
    (reflection.*set)(&message, &field, value);
  };
  using Reflection = google::protobuf::Reflection;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      put(&Reflection::SetString, &Reflection::AddString, std::string(kCanary));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      put(&Reflection::SetDouble, &Reflection::AddDouble, kCanaryNumber + 0.5);
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      put(&Reflection::SetInt32, &Reflection::AddInt32, kCanaryNumber);
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      put(&Reflection::SetInt64, &Reflection::AddInt64, int64_t{kCanaryNumber});
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      put(&Reflection::SetBool, &Reflection::AddBool, true);
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      put(&Reflection::SetEnum, &Reflection::AddEnum, field.enum_type()->value(1));
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      Fill(field.is_repeated() ? *reflection.AddMessage(&message, &field)
                               : *reflection.MutableMessage(&message, &field));
      break;
    default:
      ADD_FAILURE() << field.full_name() << " is of a type that this test does not know";
  }
}

void Fill(Message& message) {
  if (auto* const free = dynamic_cast<google::protobuf::Struct*>(&message)) {
    (*free->mutable_fields())[kCanary].set_string_value(kCanary);
    return;
  }
  if (auto* const time = dynamic_cast<google::protobuf::Timestamp*>(&message)) {
    time->set_seconds(481'516'234);
    return;
  }
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    // Calls with one are refused before anything is looked at.
    if (field.full_name() == "kora.idv.v1.CreateVerificationRequest.request_id") continue;
    FillField(message, field);
  }
}

std::unique_ptr<Message> Filled(const google::protobuf::Descriptor& type) {
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
  Fill(*message);
  return message;
}

class CanaryFieldsTest : public testing::Test {
 protected:
  // `close`: the connection is not kept, since the server reads no chunks.
  void SetAnswer(int status, const std::string& body, bool close) {
    const std::lock_guard lock(mutex_);
    answer_ = StubServer::Http(
        status, body,
        std::string("Content-Type: application/json\r\n") + (close ? "Connection: close\r\n" : ""));
    answer_.close = close;
  }
  StubServer::Reply Answer() {
    const std::lock_guard lock(mutex_);
    return answer_;
  }

  Json Config() const {
    Json config = OneRequestPerCall(BasicConfig(upstream_.url() + "/api"));
    config["listen"]["admin"] = "127.0.0.1:0";
    config["log"] = {{"level", "debug"}};
    if (SpanExporter::IsBuiltIn()) {
      config["tracing"] = {{"otlp_endpoint", collector_.url()}, {"sample_ratio", 1}};
    }
    return config;
  }

  void ExpectNone(const std::string& text, const std::string& where) {
    // In base64 whatever stands before it, and times and numbers as they are.
    for (const std::string& trace : {std::string(kCanary), absl::Base64Escape("canaryman"),
                                     std::to_string(kCanaryNumber), std::string("1985-04-05")}) {
      EXPECT_THAT(absl::AsciiStrToLower(text),
                  testing::Not(testing::HasSubstr(absl::AsciiStrToLower(trace))))
          << where;
    }
  }

  std::mutex mutex_;
  StubServer::Reply answer_;  // protected by mutex_
  StubServer upstream_{[this](const auto&) { return Answer(); }};
  StubServer collector_{[](const auto&) { return StubServer::Http(200, ""); }};
};

TEST_F(CanaryFieldsTest, NoneOfThemIsGivenAway) {
  Gateway gateway(Config());
  const Client client(Connect(gateway.addresses()[0]));
  size_t calls = 0;
  std::set<std::string> reasons;

  for (const auto* const service : ServedServices()) {
    for (int i = 0; i < service->method_count(); ++i) {
      const auto& rpc = *service->method(i);
      std::string answer;
      ASSERT_TRUE(
          google::protobuf::util::MessageToJsonString(*Filled(*rpc.output_type()), &answer).ok());
      const std::string error = Json{
          {"code", "OTHER_CODE"},
          {"error", kCanary},
          {"errors", {{{"field", kCanary}, {"message", kCanary}}}},
          {kCanary, kCanary}}.dump();
      for (const int status : {200, 400, 500}) {
        SetAnswer(status, status == 200 ? answer : error, rpc.client_streaming());
        ++calls;
        if (rpc.client_streaming()) {
          FrameCall call(client);
          call.SendHeader(kCanary) && call.SendFrame(kCanary);
          call.Close();
          reasons.insert(call.Finish().reason());
          continue;
        }
        const Outcome outcome =
            client.CallRaw(absl::StrCat("/", service->full_name(), "/", rpc.name()),
                           Filled(*rpc.input_type())->SerializeAsString());
        reasons.insert(outcome.reason());
        EXPECT_EQ(outcome.ok(), status == 200)
            << rpc.full_name() << testing::PrintToString(outcome);
      }
    }
  }

  // The canaries went there and back.
  EXPECT_GE(upstream_.requests().size(), calls);
  EXPECT_THAT(reasons, testing::IsSupersetOf({"", "OTHER_CODE", "UPSTREAM_ERROR"}));
  EXPECT_EQ(CallLinesOf(gateway, calls).size(), calls);
  for (const char* const path : {"/metrics", "/statusz", "/statusz?format=json", "/readyz"}) {
    ExpectNone(PageOf(gateway, path), path);
  }
  EXPECT_EQ(gateway.Stop(), 0);
  ExpectNone(gateway.process().Out() + gateway.process().Err(), "the log");
  if (!SpanExporter::IsBuiltIn()) return;
  EXPECT_GE(SpansAt(collector_), 2 * calls);
  for (const StubServer::Request& request : collector_.requests()) {
    ExpectNone(request.body, "a trace");
  }
}

}  // namespace
}  // namespace idv::e2e
