#ifndef UPSTREAM_SANDBOX_CONTROL_H_
#define UPSTREAM_SANDBOX_CONTROL_H_

#include <string_view>

#include "upstream/sandbox/api.h"
#include "upstream/sandbox/clock.h"
#include "upstream/sandbox/faults.h"
#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/request_log.h"

namespace idv::sandbox {

// The endpoints below /__sandbox/, for tests: no key, no faults, not logged. Borrows its
// arguments; belongs to their thread.
class Control {
 public:
  Control(Api& api, Faults& faults, RequestLog& log, Clock& clock)
      : api_(api), faults_(faults), log_(log), clock_(clock) {}

  static bool IsControlPath(std::string_view path);

  // GET, POST, DELETE /__sandbox/faults; GET, DELETE /__sandbox/requests; GET, POST, DELETE
  // /__sandbox/clock; POST /__sandbox/reset. 400 names every problem.
  Response Handle(const RequestHead& head, std::string_view body);

 private:
  Response HandleFaults(const RequestHead& head, std::string_view body);
  Response HandleRequests(const RequestHead& head);
  Response HandleClock(const RequestHead& head, std::string_view body);
  Response HandleReset(const RequestHead& head);

  Api& api_;
  Faults& faults_;
  RequestLog& log_;
  Clock& clock_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_CONTROL_H_
