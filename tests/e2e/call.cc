#include "tests/e2e/call.h"

#include <google/rpc/status.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

namespace idv::e2e {
namespace {

template <typename Detail>
std::optional<Detail> Unpack(const google::protobuf::Any& any) {
  Detail detail;
  if (!any.UnpackTo(&detail)) return std::nullopt;
  return detail;
}

}  // namespace

Outcome Outcome::Of(grpc::Status status, const grpc::ClientContext& context) {
  Outcome outcome;
  for (const auto& [name, value] : context.GetServerTrailingMetadata()) {
    outcome.trailers.emplace(std::string(name.data(), name.size()),
                             std::string(value.data(), value.size()));
  }
  google::rpc::Status details;
  outcome.has_details = !status.error_details().empty();
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  if (outcome.has_details) {
    EXPECT_EQ(details.code(), static_cast<int>(status.error_code()));
    EXPECT_EQ(details.message(), status.error_message());
  }
  for (const google::protobuf::Any& any : details.details()) {
    if (const auto info = Unpack<google::rpc::ErrorInfo>(any)) outcome.info = *info;
    if (const auto bad = Unpack<google::rpc::BadRequest>(any)) outcome.bad_request = *bad;
    if (const auto retry = Unpack<google::rpc::RetryInfo>(any)) outcome.retry_info = *retry;
  }
  outcome.status = std::move(status);
  return outcome;
}

std::optional<std::string> Outcome::Trailer(const std::string& name) const {
  if (trailers.count(name) != 1) return std::nullopt;
  return trailers.find(name)->second;
}

void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << "status " << outcome.status.error_code() << " '" << outcome.status.error_message()
       << "', " << outcome.info.ShortDebugString();
}

void Prepare(const CallOptions& options, grpc::ClientContext& context) {
  for (const auto& [name, value] : options.metadata) context.AddMetadata(name, value);
  context.set_deadline(std::chrono::system_clock::now() + options.timeout);
}

Outcome Client::CallRaw(const std::string& rpc, const std::string& bytes,
                        const CallOptions& options) const {
  grpc::GenericStub stub(channel_);
  grpc::ClientContext context;
  Prepare(options, context);
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::Status status;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, rpc, request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return Outcome::Of(status, context);
}

}  // namespace idv::e2e
