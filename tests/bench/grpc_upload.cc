// Sends pictures, either as one frame stream or as uploads at the same time, and reports what that
// took of the server. Each message is made once, so that sending it costs little.
//
//   idv_bench_upload --target HOST:PORT --server-pid PID --frames N [--image-bytes N]
//   idv_bench_upload --target HOST:PORT --server-pid PID --uploads N [--image-bytes N]

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/meter.h"
#include "tests/bench/pictures.h"

namespace idv::bench {
namespace {

constexpr auto kConnectLimit = std::chrono::seconds(10);
constexpr auto kDeadline = std::chrono::minutes(5);

struct Options {
  std::string target;
  pid_t server_pid = 0;
  size_t channels = 4;
  uint64_t frames = 0;
  uint64_t uploads = 0;
  size_t image_bytes = 1 << 20;
};

[[noreturn]] void Die(const std::string& what) {
  std::cerr << what << "\n";
  std::exit(1);
}

void Check(const grpc::Status& status) {
  if (status.ok()) return;
  Die("a call failed: " + std::to_string(status.error_code()) + " " + status.error_message());
}

grpc::ByteBuffer ToByteBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

std::unique_ptr<grpc::GenericStub> Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + kConnectLimit)) {
    Die("no connection to " + target);
  }
  return std::make_unique<grpc::GenericStub>(channel);
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
}

// One call, one step at a time.
class Stream {
 public:
  Stream(grpc::GenericStub& stub, grpc::CompletionQueue& queue) : queue_(queue) {
    SetDeadline(context_);
    call_ = stub.PrepareCall(&context_, kStreamMethod, &queue);
    call_->StartCall(this);
    Await();
  }

  // False: the call is over.
  bool Write(const grpc::ByteBuffer& message) {
    call_->Write(message, this);
    return Await();
  }

  grpc::Status Finish() {
    call_->WritesDone(this);
    Await();
    grpc::ByteBuffer reply;
    call_->Read(&reply, this);
    Await();
    grpc::Status status;
    call_->Finish(&status, this);
    Await();
    return status;
  }

 private:
  bool Await() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::CompletionQueue& queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

void SendStream(const Options& options) {
  const grpc::ByteBuffer header = ToByteBuffer(StreamHeader());
  const grpc::ByteBuffer frame = ToByteBuffer(StreamFrame(options.image_bytes));
  grpc::CompletionQueue queue;
  const auto stub = Connect(options.target);
  const Meter meter(options.server_pid);
  Stream stream(*stub, queue);
  bool taken = stream.Write(header);
  for (uint64_t i = 0; i < options.frames && taken; ++i) taken = stream.Write(frame);
  Check(stream.Finish());
  if (!taken) Die("the stream was answered before its end");
  meter.Print(options.frames * options.image_bytes);
}

struct Call {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
  grpc::ByteBuffer reply;
  grpc::Status status;
};

void Start(grpc::GenericStub& stub, const grpc::ByteBuffer& message, grpc::CompletionQueue& queue) {
  auto owned = std::make_unique<Call>();
  Call& call = *owned;
  SetDeadline(call.context);
  call.reader = stub.PrepareUnaryCall(&call.context, kUploadMethod, message, &queue);
  call.reader->StartCall();
  call.reader->Finish(&call.reply, &call.status, owned.release());
}

void SendUploads(const Options& options) {
  const grpc::ByteBuffer message = ToByteBuffer(Upload(options.image_bytes));
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs;
  while (stubs.size() < options.channels) stubs.push_back(Connect(options.target));
  const Meter meter(options.server_pid);
  for (uint64_t i = 0; i < options.uploads; ++i) Start(*stubs[i % stubs.size()], message, queue);
  for (uint64_t i = 0; i < options.uploads; ++i) {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    Check(std::unique_ptr<Call>(static_cast<Call*>(tag))->status);
  }
  meter.Print(options.uploads * options.image_bytes);
}

}  // namespace
}  // namespace idv::bench

int main(int argc, char** argv) {
  CLI::App app("Sends pictures and reports what that took of the server.", "idv_bench_upload");
  idv::bench::Options options;
  app.add_option("--target", options.target, "HOST:PORT of the server")->required();
  app.add_option("--server-pid", options.server_pid, "Whose time and memory to report")->required();
  app.add_option("--channels", options.channels, "Connections for the uploads")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI::Option_group& what = *app.add_option_group("What to send");
  what.add_option("--frames", options.frames, "One stream of so many frames")
      ->check(CLI::PositiveNumber);
  what.add_option("--uploads", options.uploads, "So many uploads at the same time")
      ->check(CLI::PositiveNumber);
  what.require_option(1);
  app.add_option("--image-bytes", options.image_bytes, "The size of each picture")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  options.frames > 0 ? idv::bench::SendStream(options) : idv::bench::SendUploads(options);
}
