#include "gateway/services.h"

#include "kora/idv/v1/biometric_service.pb.h"
#include "kora/idv/v1/document_service.pb.h"
#include "kora/idv/v1/fraud_alert_service.pb.h"
#include "kora/idv/v1/image_service.pb.h"
#include "kora/idv/v1/liveness_service.pb.h"
#include "kora/idv/v1/reference_service.pb.h"
#include "kora/idv/v1/verification_service.pb.h"

namespace idv {
namespace {

// The one service of the file that declares the message; naming a message keeps the file linked in.
template <typename Message>
const google::protobuf::ServiceDescriptor* ServiceBeside() {
  return Message::descriptor()->file()->service(0);
}

}  // namespace

std::vector<const google::protobuf::ServiceDescriptor*> ServedServices() {
  using namespace kora::idv::v1;  // NOLINT(google-build-using-namespace): a list of its names
  return {
      ServiceBeside<CreateVerificationRequest>(), ServiceBeside<UploadDocumentRequest>(),
      ServiceBeside<UploadSelfieRequest>(),       ServiceBeside<CreateLivenessSessionRequest>(),
      ServiceBeside<ListImagesRequest>(),         ServiceBeside<ListFraudAlertsRequest>(),
      ServiceBeside<ListDocumentTypesRequest>(),
  };
}

}  // namespace idv
