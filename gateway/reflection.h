#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/raw_service.h"
#include "gateway/shard.h"
#include "grpc/reflection/v1/reflection.pb.h"

namespace idv {

// grpc.reflection on the shards, under both names that clients use: v1 and v1alpha, which are the
// same on the wire.
class Reflection {
 public:
  // `services`: the full names to list.
  explicit Reflection(std::vector<std::string> services);

  std::vector<RawService*> services() { return {&v1_, &v1alpha_}; }

  // Answers calls that gRPC brings to `shard`, until the server shuts down. On the shard's thread,
  // or before it runs.
  void ServeOn(Shard& shard);

  // The answer to one question, from the descriptors of this program.
  grpc::reflection::v1::ServerReflectionResponse Answer(
      const grpc::reflection::v1::ServerReflectionRequest& question) const;

 private:
  Task<> Serve(Shard& shard, RawService& service);

  const std::vector<std::string> names_;
  RawService v1_;
  RawService v1alpha_;
};

}  // namespace idv
