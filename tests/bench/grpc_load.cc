// Calls GetVerification, either a fixed number at a time or evenly spaced, and reports latencies
// and the processor time that the server took. A call's latency counts from when it was due, so
// that a server that stalls is not spared the calls that had to wait for it.
//
//   idv_bench_load --target HOST:PORT --server-pid PID [--calls N] [--in-flight N | --rate R]

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kora/idv/v1/verification_service.pb.h"
#include "tests/bench/measurement.h"
#include "tests/bench/sample.h"

namespace idv::bench {
namespace {

constexpr char kMethod[] = "/kora.idv.v1.VerificationService/GetVerification";
constexpr auto kDeadline = std::chrono::seconds(10);

struct Options {
  std::string target;
  pid_t server_pid = 0;
  int channels = 4;
  Pattern pattern;
};

struct Call {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
  grpc::ByteBuffer reply;
  grpc::Status status;
  TimePoint due;
};

// Of many verifications: calls for the same one at the same time would share a request.
std::vector<grpc::ByteBuffer> Requests() {
  constexpr int kVerifications = 1024;  // more than calls in flight
  std::vector<grpc::ByteBuffer> requests;
  for (int i = 0; i < kVerifications; ++i) {
    std::string id = kVerificationId;
    id.replace(id.size() - 4, 4, std::to_string(1000 + i));
    kora::idv::v1::GetVerificationRequest request;
    request.set_verification_id(id);
    const grpc::Slice slice(request.SerializeAsString());
    requests.emplace_back(&slice, 1);
  }
  return requests;
}

bool IsTheVerification(grpc::ByteBuffer& bytes) {
  grpc::ProtoBufferReader reader(&bytes);
  kora::idv::v1::Verification reply;
  return reply.ParseFromZeroCopyStream(&reader) && reply.id() == kVerificationId;
}

std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + kDeadline)) {
    std::cerr << "no connection to " << target << "\n";
    std::exit(1);
  }
  return channel;
}

void SleepUntil(TimePoint when) {
  const auto since_boot = when.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  const timespec until{seconds.count(), (since_boot - seconds).count()};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

class Load {
 public:
  explicit Load(const Options& options) : options_(options) {
    for (int i = 0; i < options.channels; ++i) {
      stubs_.push_back(std::make_unique<grpc::GenericStub>(Connect(options.target)));
    }
  }

  // Makes so many calls; all have ended when it returns.
  void Run(size_t calls, Measurement& measurement) {
    options_.pattern.rate > 0 ? RunPaced(calls, measurement) : RunClosed(calls, measurement);
  }

 private:
  void RunClosed(size_t calls, Measurement& measurement);
  void RunPaced(size_t calls, Measurement& measurement);
  void Start(size_t index, TimePoint due);
  // Waits for the end of one call.
  void Finish(Measurement& measurement);

  const Options& options_;
  const std::vector<grpc::ByteBuffer> requests_ = Requests();
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  bool looked_ = false;
};

void Load::RunClosed(size_t calls, Measurement& measurement) {
  size_t started = 0;
  for (; started < std::min(calls, options_.pattern.in_flight); ++started) {
    Start(started, Clock::now());
  }
  for (size_t ended = 0; ended < calls; ++ended) {
    Finish(measurement);
    if (started < calls) Start(started++, Clock::now());
  }
}

void Load::RunPaced(size_t calls, Measurement& measurement) {
  const std::jthread pacer([this, calls] {
    prctl(PR_SET_TIMERSLACK, 1UL);  // else it oversleeps by 50 us
    const TimePoint start = Clock::now() + std::chrono::milliseconds(1);
    for (size_t i = 0; i < calls; ++i) {
      const TimePoint due = options_.pattern.Due(start, i);
      SleepUntil(due);
      Start(i, due);
    }
  });
  for (size_t ended = 0; ended < calls; ++ended) Finish(measurement);
}

void Load::Start(size_t index, TimePoint due) {
  auto owned = std::make_unique<Call>();
  Call& call = *owned;
  call.due = due;
  call.context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  call.reader = stubs_[index % stubs_.size()]->PrepareUnaryCall(
      &call.context, kMethod, requests_[index % requests_.size()], &queue_);
  call.reader->StartCall();
  call.reader->Finish(&call.reply, &call.status, owned.release());
}

void Load::Finish(Measurement& measurement) {
  void* tag = nullptr;
  bool ok = false;
  queue_.Next(&tag, &ok);
  const TimePoint now = Clock::now();
  const std::unique_ptr<Call> call(static_cast<Call*>(tag));
  if (!call->status.ok()) {
    return measurement.AddError(std::to_string(call->status.error_code()) + " " +
                                call->status.error_message());
  }
  if (call->reply.Length() == 0) return measurement.AddError("an empty reply");
  if (!std::exchange(looked_, true) && !IsTheVerification(call->reply)) {
    return measurement.AddError("a reply that is not the verification");
  }
  measurement.AddLatency(now - call->due);
}

int Main(const Options& options) {
  Load load(options);
  Measurement warm_up(options.pattern.warm_up_calls);
  load.Run(options.pattern.warm_up_calls, warm_up);
  if (warm_up.failed()) return warm_up.Print({}, {});
  Measurement measurement(options.pattern.calls);
  const TimePoint start = Clock::now();
  const auto cpu_before = CpuTimeOf(options.server_pid);
  load.Run(options.pattern.calls, measurement);
  return measurement.Print(Clock::now() - start, CpuTimeOf(options.server_pid) - cpu_before);
}

}  // namespace
}  // namespace idv::bench

int main(int argc, char** argv) {
  CLI::App app("Calls GetVerification and reports how that went.", "idv_bench_load");
  idv::bench::Options options;
  idv::bench::Pattern& pattern = options.pattern;
  app.add_option("--target", options.target, "HOST:PORT of the server")->required();
  app.add_option("--server-pid", options.server_pid, "Whose processor time to report")->required();
  app.add_option("--channels", options.channels, "Connections")->capture_default_str();
  app.add_option("--calls", pattern.calls, "Calls that count")->capture_default_str();
  app.add_option("--warm-up", pattern.warm_up_calls, "Calls before")->capture_default_str();
  app.add_option("--in-flight", pattern.in_flight, "Calls at a time")->capture_default_str();
  app.add_option("--rate", pattern.rate, "Evenly spaced calls a second instead");
  CLI11_PARSE(app, argc, argv);
  return idv::bench::Main(options);
}
