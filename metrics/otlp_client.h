#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "metrics/span.h"

namespace idv {

// Sends spans to a collector as OpenTelemetry's protocol has it (OTLP over HTTP, in binary
// protobuf, which takes no detour over JSON). Knows no queue: whoever calls it waits. For one
// thread at a time.
class OtlpClient {
 public:
  // Whether this program was built with opentelemetry-cpp. Without it, Make() returns
  // kUnimplemented.
  static const bool kIsBuiltIn;

  // An answer after that counts as none. Short, because the library cannot give up a request that
  // it has begun, and whoever ends it waits for that.
  static constexpr std::chrono::seconds kTimeout{1};

  struct Options {
    // "http[s]://HOST[:PORT][/PATH]", to which /v1/traces is added, as it is to
    // OTEL_EXPORTER_OTLP_ENDPOINT. The library's environment variables are heeded for what is not
    // here: OTEL_EXPORTER_OTLP_HEADERS, _CERTIFICATE, _CLIENT_KEY and _CLIENT_CERTIFICATE,
    // and OTEL_RESOURCE_ATTRIBUTES.
    std::string endpoint;
    std::string service_name;
    std::string service_version;
    std::string service_instance;
  };

  // kInvalidArgument: the endpoint is none; the text does not repeat it. Does not connect.
  static absl::StatusOr<std::unique_ptr<OtlpClient>> Make(const Options& options);

  // Waits for a name that is being resolved.
  ~OtlpClient();
  OtlpClient(const OtlpClient&) = delete;
  OtlpClient& operator=(const OtlpClient&) = delete;

  // kUnavailable: the collector did not take them, or not in kTimeout; the text says why.
  absl::Status Send(const std::vector<Span>& spans);

 private:
  class Library;

  explicit OtlpClient(std::unique_ptr<Library> library);

  const std::unique_ptr<Library> library_;
};

}  // namespace idv
