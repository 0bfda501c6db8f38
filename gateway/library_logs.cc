#include "gateway/library_logs.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <mutex>

#include "upstream/loop/timers.h"

namespace idv {
namespace {

// More than this a second comes of callers who break the protocol, and must not fill a disk.
constexpr char kSource[] = "gRPC library";
constexpr int kMaxLinesPerSecond = 10;

// What the library's callback, which takes no argument of ours, works with. Thread-safe.
class LibraryLog {
 public:
  void RouteTo(const Log& log) {
    const std::lock_guard lock(mutex_);
    log_ = &log;
  }

  void Write(const char* message, bool is_error) {
    const std::lock_guard lock(mutex_);
    if (Clock::now() - second_ >= std::chrono::seconds(1)) BeginSecond();
    if (++lines_ > kMaxLinesPerSecond) return;
    is_error ? log_->Error(kSource, {{"detail", message}})
             : log_->Debug(kSource, {{"detail", message}});
  }

 private:
  void BeginSecond() {
    if (lines_ > kMaxLinesPerSecond) {
      log_->Error(kSource, {{"lines_left_out", lines_ - kMaxLinesPerSecond}});
    }
    second_ = Clock::now();
    lines_ = 0;
  }

  std::mutex mutex_;
  const Log* log_ = nullptr;
  TimePoint second_;
  int lines_ = 0;
};

LibraryLog& TheLog() {
  static LibraryLog log;
  return log;
}

void OnGrpcLog(gpr_log_func_args* args) {
  TheLog().Write(args->message, args->severity == GPR_LOG_SEVERITY_ERROR);
}

}  // namespace

void RouteLibraryLogsTo(const Log& log) {
  TheLog().RouteTo(log);
  gpr_set_log_function(&OnGrpcLog);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace idv
