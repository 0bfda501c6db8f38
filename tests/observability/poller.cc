// Polls the gateway at ADDRESS for TENANT, as several calls of one service that can wait, until it
// is killed.
//   idv_poller ADDRESS TENANT

#include <grpcpp/grpcpp.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "kora/idv/v1/fraud_alert_service.grpc.pb.h"

namespace {

using kora::idv::v1::FraudAlertService;

constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kPause{100};

[[noreturn]] void Poll(const std::string& address, const std::string& tenant) {
  const auto stub =
      FraudAlertService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  for (;;) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    context.AddMetadata("x-idv-tenant", tenant);
    context.AddMetadata("x-idv-priority", "batch");
    kora::idv::v1::ListFraudAlertsResponse alerts;
    stub->ListFraudAlerts(&context, {}, &alerts);  // however it ends
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string address = argv[1];
  const std::string tenant = argv[2];
  std::array<std::thread, 3> others;
  for (std::thread& other : others) other = std::thread(Poll, address, tenant);
  Poll(address, tenant);
}
