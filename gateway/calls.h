#pragma once

#include <absl/status/status.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/admission.h"
#include "gateway/method.h"
#include "gateway/observers.h"
#include "gateway/raw_service.h"
#include "gateway/settings.h"
#include "gateway/shard.h"
#include "metrics/telemetry.h"

namespace idv {

// The calls of all shards, each from its request to its status: one coroutine that can be read from
// top to bottom. Thread-safe; must outlive the shards.
class Calls {
 public:
  // Borrows the methods and the telemetry. `report_key` is called on shards' threads.
  Calls(const Methods& methods, Settings settings, KeyReporter report_key, Telemetry& telemetry);

  // For calls from now on. From any thread.
  void Replace(Settings settings);

  // What brings the calls: to be registered with the server.
  const std::vector<std::unique_ptr<RawService>>& services() const { return services_; }

  // From now on, calls that gRPC brings to `shard` are served there, on its thread, until the
  // server shuts down. Call it on that thread, or before it runs.
  void ServeOn(Shard& shard);

  // From now on new calls end with GATEWAY_DRAINING; those that run go on. From any thread.
  void Drain();

  // What calls are served by. From any thread.
  std::shared_ptr<const Settings> settings() const;

  // What is admitted. From any thread.
  Admission::Usage usage() const { return admission_.usage(); }

  // Frame streams that run. From any thread.
  int frame_streams() const { return frame_streams_; }

  // When the last call was refused since Drain() was called, or Drain() itself if none was. From
  // any thread.
  TimePoint last_refused() const { return last_refused_; }

 private:
  struct Exchange;

  Task<> Serve(Shard& shard, const Method& method);
  // Of one message with images, or of a stream of them.
  Task<> ServeUpload(Shard& shard, const Method& method);
  // Runs the call, whose messages have not been read yet if it is an upload or a frame stream, and
  // ends it.
  template <typename Writer>
  Task<> Answer(Shard& shard, const Method& method, Exchange& exchange, Writer& writer);
  Task<absl::Status> Run(Shard& shard, const Method& method, Exchange& exchange);
  // Tells of the call, which ends so.
  void Tell(const Method& method, const Exchange& exchange, TimePoint began,
            const absl::Status& status) const;
  Telemetry::Place PlaceOf(const grpc::ServerContext& context) const;

  Task<absl::Status> RunUnary(Shard& shard, const Method& method, Exchange& exchange,
                              TimePoint deadline);
  Task<absl::Status> RunRead(Shard& shard, const Method& method, Exchange& exchange,
                             RestRequest request, TimePoint deadline);
  Task<absl::Status> RunWrite(Shard& shard, const Method& method, Exchange& exchange,
                              const google::protobuf::Message& message, RestRequest request,
                              TimePoint deadline);
  Task<absl::Status> RunFrames(Shard& shard, const Method& method, Exchange& exchange,
                               FrameStream& frames, Admission::Ticket& ticket, TimePoint deadline);
  static absl::StatusOr<RestRequest> Encode(const Method& method, const Exchange& exchange,
                                            const google::protobuf::Message& message);
  absl::StatusOr<Admission::Ticket> Admit(const Method& method, const Exchange& exchange);
  absl::Status Parse(const Method& method, Exchange& exchange,
                     google::protobuf::Message& request) const;
  // Puts down who calls and for which tenant, or says why they may not.
  absl::Status Authorize(const Method& method, Exchange& exchange) const;

  Task<bool> AwaitNewKeys(Shard& shard, Exchange& exchange, TimePoint deadline);

  RawService& ServiceOf(const Method& method) const { return *services_[method.service]; }

  const Methods& methods_;
  const KeyReporter report_key_;
  Telemetry& telemetry_;
  const Observers observers_;
  const FramesFormat frames_format_;
  std::vector<std::unique_ptr<RawService>> services_;  // by the methods' places of them
  Admission admission_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Settings> settings_;  // protected by mutex_
  std::atomic<bool> draining_ = false;
  std::atomic<int> frame_streams_ = 0;
  std::atomic<TimePoint> last_refused_;
};

}  // namespace idv
