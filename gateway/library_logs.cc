#include "gateway/library_logs.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <atomic>

namespace idv {
namespace {

std::atomic<const Log*> the_log;  // the library's callback takes no argument of ours

void OnGrpcLog(gpr_log_func_args* args) {
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return;
  the_log.load()->Error("gRPC library", {{"detail", args->message}});
}

}  // namespace

void RouteLibraryLogsTo(const Log& log) {
  the_log = &log;
  gpr_set_log_function(&OnGrpcLog);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace idv
