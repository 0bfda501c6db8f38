#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kora/idv/gateway/v1/annotations.pb.h"
#include "upstream/images.h"
#include "upstream/json_body.h"
#include "upstream/json_decoder.h"

namespace idv {

// A request to the upstream, but for its base URL and for whose it is.
struct RestRequest {
  std::string verb;
  // Path and query, percent-encoded, with a leading slash.
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  // Null where the route has no body, or one that is written while it is sent.
  std::shared_ptr<RequestBody> body;
};

// How one RPC becomes a REST call and its answer a message: compiled from the descriptor and its
// annotations, so that no other code knows an endpoint or a JSON key. Immutable after Compile(), so
// thread-safe.
class Route {
 public:
  // kInvalidArgument, with the RPC's name: an annotation is missing or contradicts the messages.
  static absl::StatusOr<Route> Compile(const google::protobuf::MethodDescriptor& method);

  Route(Route&&) noexcept;
  ~Route();

  const google::protobuf::MethodDescriptor& method() const;
  const kora::idv::gateway::v1::MethodOptions& options() const;
  // Whether a request message can hold images (fields of type bytes).
  bool takes_images() const;
  // The types for Images::CutOut() of a request message; empty if it can hold none.
  const Images::Types& image_types() const;

  // The request for `message`, of a unary RPC. Its body borrows the images: those of `message`, or,
  // if its own are but marks, those of `images`. INVALID_FIELD with every violation: a required
  // field is unset, or a value cannot travel where it must.
  absl::StatusOr<RestRequest> Encode(const google::protobuf::Message& message,
                                     const Images* images = nullptr) const;

  // The answer's message, in protobuf's wire format, as by JsonDecoder::DecodeToWire().
  absl::Status Decode(const simdjson::dom::element& json, std::string& wire, DriftSink drift) const;

  // As JsonEncoder::ProtoPath(): fields that travel in the path, the query or a header have their
  // own names there.
  std::string ProtoPath(absl::string_view json_path) const;

 private:
  struct Plan;

  explicit Route(std::unique_ptr<Plan> plan);

  std::unique_ptr<const Plan> plan_;
};

}  // namespace idv
