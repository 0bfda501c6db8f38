#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "gateway/verify/options.h"

namespace idv::verify {

// A channel to the gateway, straight (proxies of the environment are not for a service next door).
// Connects later.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target, const Tls& tls);

// Waits until the channel is connected, so that this program may be started together with the
// gateway. Afterwards: nothing when it is, else why not, in the words of gRPC.
std::optional<std::string> WhyUnreachable(const std::shared_ptr<grpc::Channel>& channel,
                                          std::chrono::nanoseconds patience);

}  // namespace idv::verify
