// The least that a gRPC server of the completion queue API can do for a GetVerification: one thread
// takes the request's bytes and answers with those of a verification.
//
//   idv_bench_echo      prints "listening on HOST:PORT"

#include <grpcpp/grpcpp.h>

#include <iostream>
#include <memory>
#include <string>

#include "kora/idv/v1/verification_service.grpc.pb.h"
#include "tests/bench/sample.h"

namespace {

using Service = kora::idv::v1::VerificationService::WithRawMethod_GetVerification<
    kora::idv::v1::VerificationService::Service>;

// Calls asked for at a time, so that one is always there to be matched.
constexpr int kArmed = 64;

struct Call {
  grpc::ServerContext context;
  grpc::ByteBuffer request;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer{&context};
  bool answered = false;
};

void Ask(Service& service, grpc::ServerCompletionQueue& queue) {
  auto call = std::make_unique<Call>();
  Call& asked = *call;
  service.RequestGetVerification(&asked.context, &asked.request, &asked.writer, &queue, &queue,
                                 call.release());
}

void Serve(Service& service, grpc::ServerCompletionQueue& queue, const grpc::ByteBuffer& reply) {
  for (int i = 0; i < kArmed; ++i) Ask(service, queue);
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
    std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (call->answered || !ok) continue;
    Ask(service, queue);
    call->answered = true;
    Call& answered = *call;
    answered.writer.Finish(reply, grpc::Status::OK, call.release());
  }
}

}  // namespace

int main() {
  const std::string bytes = idv::bench::SampleVerification().SerializeAsString();
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer reply(&slice, 1);

  Service service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr || port == 0) return 1;
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  Serve(service, *queue, reply);
}
