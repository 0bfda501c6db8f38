#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>

namespace idv::chaos {

// A channel over one connection, which can be cut under the calls on it. It does not connect again.
class CuttableConnection {
 public:
  // "HOST:PORT" of an IPv4 listener.
  explicit CuttableConnection(const std::string& address);
  // Leaves the connection to the calls that still run on it.
  ~CuttableConnection();
  CuttableConnection(const CuttableConnection&) = delete;
  CuttableConnection& operator=(const CuttableConnection&) = delete;

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // Whether it was cut; outlives this object.
  const std::shared_ptr<const std::atomic<bool>>& is_cut() const { return is_cut_; }

  enum class End { kFin, kRst };
  void Cut(End end);

 private:
  const std::shared_ptr<std::atomic<bool>> cut_ = std::make_shared<std::atomic<bool>>(false);
  const std::shared_ptr<const std::atomic<bool>> is_cut_ = cut_;
  const int socket_;  // our own descriptor of it
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace idv::chaos
