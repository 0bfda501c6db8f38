// A caller that streams frames and never ends: to be killed.
//
//   idv_frame_client HOST:PORT VERIFICATION_ID FRAMES FRAME_BYTES
//
// Opens the call; sends the header if there is an id, then so many frames; prints "sent" when all
// of it was taken, and waits.

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "kora/idv/v1/liveness_service.grpc.pb.h"

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string id = argv[2];
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  const auto stub = kora::idv::v1::LivenessService::NewStub(channel);
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  kora::idv::v1::LivenessFramesResult result;
  const auto writer = stub->StreamLivenessFrames(&context, &result);
  kora::idv::v1::StreamLivenessFramesRequest message;
  if (!id.empty()) {
    message.mutable_header()->set_verification_id(id);
    if (!writer->Write(message)) return 1;
  }
  message.mutable_frame()->set_image(std::string(std::strtoul(argv[4], nullptr, 10), 'f'));
  for (int left = std::atoi(argv[3]); left > 0; --left) {
    if (!writer->Write(message)) return 1;
  }
  std::cout << "sent" << std::endl;
  for (;;) pause();
}
