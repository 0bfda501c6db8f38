#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/random.h"
#include "tests/chaos/rpc.h"

namespace idv::chaos {

// What there is at the upstream for calls to be about.
struct Subjects {
  std::vector<std::string> verification_ids;
  std::vector<std::string> external_ids;
  std::vector<std::string> alert_ids;
};

struct RandomCall {
  size_t rpc;  // its place among all
  grpc::ByteBuffer request;
  std::chrono::milliseconds timeout;
  std::optional<std::chrono::milliseconds> cancel_after;
};

// Calls of all RPCs, with deadlines long and short, images large and small, some cancelled and some
// wrong.
class RandomCalls {
 public:
  // Borrows the RPCs.
  RandomCalls(uint64_t seed, const std::vector<Rpc>& rpcs);

  RandomCall Next(const Subjects& subjects);

 private:
  grpc::ByteBuffer Request(const Rpc& rpc, const Subjects& subjects);
  void Fill(const google::protobuf::FieldDescriptor& field, const Subjects& subjects,
            google::protobuf::Message& message);
  std::string Text(const std::string& field, const Subjects& subjects);
  std::chrono::milliseconds Timeout();

  Random random_;
  const std::vector<Rpc>& rpcs_;
  const std::string run_;  // makes external ids that no other run has
  size_t created_ = 0;
};

}  // namespace idv::chaos
