// In place of otlp_client.cc where opentelemetry-cpp is not installed.
#include "metrics/otlp_client.h"

namespace idv {

const bool OtlpClient::kIsBuiltIn = false;

class OtlpClient::Library {};

absl::StatusOr<std::unique_ptr<OtlpClient>> OtlpClient::Make(const Options&) {
  return absl::UnimplementedError(
      "this program was built without opentelemetry-cpp and cannot export traces");
}

OtlpClient::~OtlpClient() = default;

// There is none to be asked.
absl::Status OtlpClient::Send(const std::vector<Span>&) { return absl::OkStatus(); }

}  // namespace idv
