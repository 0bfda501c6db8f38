#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <google/api/annotations.pb.h>

#include "kora/idv/gateway/v1/annotations.pb.h"
#include "kora/idv/v1/biometric_service.pb.h"
#include "kora/idv/v1/document_service.pb.h"
#include "kora/idv/v1/fraud_alert_service.pb.h"
#include "kora/idv/v1/image_service.pb.h"
#include "kora/idv/v1/liveness_service.pb.h"
#include "kora/idv/v1/reference_service.pb.h"
#include "kora/idv/v1/verification_service.pb.h"

namespace idv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

std::vector<const FileDescriptor*> Files() {
  using namespace kora::idv::v1;  // NOLINT(google-build-using-namespace): a list of its names
  return {CreateVerificationRequest::descriptor()->file(),
          UploadDocumentRequest::descriptor()->file(),
          UploadSelfieRequest::descriptor()->file(),
          CreateLivenessSessionRequest::descriptor()->file(),
          ListImagesRequest::descriptor()->file(),
          ListFraudAlertsRequest::descriptor()->file(),
          ListDocumentTypesRequest::descriptor()->file(),
          Verification::descriptor()->file(),
          LivenessSession::descriptor()->file()};
}

void ForEachField(const std::function<void(const FieldDescriptor&)>& visit) {
  for (const FileDescriptor* file : Files()) {
    for (int m = 0; m < file->message_type_count(); ++m) {
      const Descriptor& message = *file->message_type(m);
      for (int f = 0; f < message.field_count(); ++f) visit(*message.field(f));
    }
  }
}

const kora::idv::gateway::v1::FieldOptions& OptionsOf(const FieldDescriptor& field) {
  return field.options().GetExtension(kora::idv::gateway::v1::field);
}

std::string RestOf(const google::api::HttpRule& rule) {
  return rule.has_get() ? "GET " + rule.get() : "POST " + rule.post();
}

TEST(ContractTest, MirrorsThe18Endpoints) {
  const std::map<std::string, std::string> expected = {
      {"VerificationService.CreateVerification", "POST /verifications"},
      {"VerificationService.GetVerification", "GET /verifications/{verification_id}"},
      {"VerificationService.ListSubjectVerifications", "GET /subjects/{subject_id}/verifications"},
      {"VerificationService.CompleteVerification",
       "POST /verifications/{verification_id}/complete"},
      {"VerificationService.ReviewVerification", "POST /verifications/{verification_id}/review"},
      {"DocumentService.UploadDocument", "POST /verifications/{verification_id}/document"},
      {"DocumentService.UploadDocumentBack", "POST /verifications/{verification_id}/document/back"},
      {"BiometricService.UploadSelfie", "POST /verifications/{verification_id}/selfie"},
      {"LivenessService.CreateLivenessSession",
       "POST /verifications/{verification_id}/liveness/session"},
      {"LivenessService.SubmitLivenessChallenge",
       "POST /verifications/{verification_id}/liveness/challenge"},
      {"LivenessService.StreamLivenessFrames",
       "POST /verifications/{header.verification_id}/liveness/frames"},
      {"LivenessService.GetLiveness", "GET /verifications/{verification_id}/liveness"},
      {"ImageService.ListImages", "GET /verifications/{verification_id}/images"},
      {"ImageService.GetImageUrl", "GET /verifications/{verification_id}/images/{image_type}"},
      {"FraudAlertService.ListFraudAlerts", "GET /alerts"},
      {"FraudAlertService.ResolveFraudAlert", "POST /alerts/{alert_id}/resolve"},
      {"ReferenceService.ListDocumentTypes", "GET /document-types"},
      {"ReferenceService.GetUpstreamHealth", "GET /health"},
  };
  std::map<std::string, std::string> found;
  for (const FileDescriptor* file : Files()) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const auto& method = *file->service(s)->method(m);
        found[file->service(s)->name() + "." + method.name()] =
            RestOf(method.options().GetExtension(google::api::http));
      }
    }
  }

  EXPECT_EQ(found, expected);
}

TEST(ContractTest, MarksEveryFieldThatMayHoldPersonalData) {
  const std::regex personal(
      "name$|number|date_of|_date$|^image$|images|url|text|notes|reason|message|description|"
      "metadata|fields|"
      "mrz_data|extracted|payload|diagnostics|instruction|nationality|country|external_id|subject_"
      "id|reviewer|"
      "_by$|^raw$");
  // Reference data, ids that the upstream makes, lists of values: nothing of a person.
  const std::set<std::string> harmless = {"kora.idv.v1.ListImagesResponse.images",
                                          "kora.idv.v1.DocumentType.name",
                                          "kora.idv.v1.DocumentType.country",
                                          "kora.idv.v1.DocumentType.description",
                                          "kora.idv.v1.DocumentType.country_name",
                                          "kora.idv.v1.Country.name",
                                          "kora.idv.v1.ListDocumentTypesRequest.country"};
  ForEachField([&](const FieldDescriptor& field) {
    const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING || field.is_map() ||
                      (field.message_type() != nullptr &&
                       field.message_type()->full_name() == "google.protobuf.Struct");
    const bool suspicious =
        text && (field.type() == FieldDescriptor::TYPE_BYTES || !text ||
                 field.message_type() != nullptr || std::regex_search(field.name(), personal));
    if (!suspicious || harmless.contains(field.full_name())) return;

    EXPECT_TRUE(OptionsOf(field).sensitive()) << field.full_name();
  });
}

TEST(ContractTest, KeepsTheUpstreamsSpellingBesideEveryEnum) {
  ForEachField([](const FieldDescriptor& field) {
    if (field.type() != FieldDescriptor::TYPE_ENUM) return;
    const FieldDescriptor* const raw =
        field.containing_type()->FindFieldByName(field.name() + "_raw");

    ASSERT_NE(raw, nullptr) << field.full_name();
    EXPECT_EQ(OptionsOf(*raw).verbatim_of(), field.name());
  });
}

TEST(ContractTest, TellsAbsentScoresFromZero) {
  ForEachField([](const FieldDescriptor& field) {
    if (field.type() != FieldDescriptor::TYPE_DOUBLE) return;
    if (field.containing_type()->name() == "LivenessFramesHeader") return;  // a request

    EXPECT_TRUE(field.has_presence()) << field.full_name();
  });
}

TEST(ContractTest, NamesFieldsAsTheUpstreamNamesItsKeys) {
  const std::set<std::string> renamed = {"imageBase64", "frames", "fps", "timestamps"};
  ForEachField([&](const FieldDescriptor& field) {
    if (renamed.contains(field.json_name())) return;
    std::string camel;
    for (size_t i = 0; i < field.name().size(); ++i) {
      const char c = field.name()[i];
      if (c == '_') continue;
      camel.push_back(i > 0 && field.name()[i - 1] == '_' ? static_cast<char>(std::toupper(c)) : c);
    }

    EXPECT_EQ(field.json_name(), camel) << field.full_name();
  });
}

TEST(ContractTest, KeepsTheNumbersOfTheFrameStream) {
  const auto number = [](const Descriptor& message, const char* field) {
    return message.FindFieldByName(field)->number();
  };
  const auto& request = *kora::idv::v1::StreamLivenessFramesRequest::descriptor();
  const auto& header = *kora::idv::v1::LivenessFramesHeader::descriptor();
  const auto& frame = *kora::idv::v1::LivenessFrame::descriptor();

  EXPECT_EQ(number(request, "header"), 1);
  EXPECT_EQ(number(request, "frame"), 2);
  EXPECT_EQ(number(request, "end"), 3);
  EXPECT_EQ(number(header, "verification_id"), 1);
  EXPECT_EQ(number(header, "challenge_type"), 2);
  EXPECT_EQ(number(header, "frames_per_second"), 3);
  EXPECT_EQ(number(frame, "image"), 1);
  EXPECT_EQ(number(frame, "capture_offset"), 2);
  EXPECT_EQ(number(*kora::idv::v1::LivenessFramesEnd::descriptor(), "frame_count"), 1);
}

TEST(ContractTest, KeepsTheNumbersOfTheOptions) {
  EXPECT_EQ(kora::idv::gateway::v1::method.number(), 50101);
  EXPECT_EQ(kora::idv::gateway::v1::field.number(), 50102);
  EXPECT_EQ(kora::idv::gateway::v1::enum_value.number(), 50103);
}

}  // namespace
}  // namespace idv
