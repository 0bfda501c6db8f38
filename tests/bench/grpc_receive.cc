// The least that a gRPC server of the completion queue API can do with a frame stream: one thread
// reads the messages' bytes, one after the other, and throws them away.
//
//   idv_bench_receive      prints "listening on HOST:PORT"

#include <grpcpp/grpcpp.h>

#include <iostream>
#include <memory>
#include <utility>

#include "kora/idv/v1/liveness_service.grpc.pb.h"

namespace {

using Service = kora::idv::v1::LivenessService::WithRawMethod_StreamLivenessFrames<
    kora::idv::v1::LivenessService::Service>;

// As the gateway has it.
constexpr int kStreamWindowBytes = 16 << 10;

struct Call {
  enum class State { kAsked, kReading, kAnswered };

  grpc::ServerContext context;
  grpc::ServerAsyncReader<grpc::ByteBuffer, grpc::ByteBuffer> reader{&context};
  grpc::ByteBuffer message;
  State state = State::kAsked;
};

void Ask(Service& service, grpc::ServerCompletionQueue& queue) {
  auto call = std::make_unique<Call>();
  Call& asked = *call;
  service.RequestStreamLivenessFrames(&asked.context, &asked.reader, &queue, &queue,
                                      call.release());
}

// What the call waits for has come, or will not come.
void GoOn(std::unique_ptr<Call> call, bool ok) {
  if (call->state == Call::State::kAnswered) return;
  if (call->state == Call::State::kAsked && !ok) return;
  Call& going = *call;
  void* const tag = call.release();
  if (ok) {
    going.state = Call::State::kReading;
    going.message.Clear();
    going.reader.Read(&going.message, tag);
    return;
  }
  going.state = Call::State::kAnswered;
  const grpc::Slice nothing;
  going.reader.Finish(grpc::ByteBuffer(&nothing, 1), grpc::Status::OK, tag);
}

void Serve(Service& service, grpc::ServerCompletionQueue& queue) {
  Ask(service, queue);
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
    std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (call->state == Call::State::kAsked && ok) Ask(service, queue);
    GoOn(std::move(call), ok);
  }
}

}  // namespace

int main() {
  Service service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  builder.SetMaxReceiveMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr || port == 0) return 1;
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  Serve(service, *queue);
}
