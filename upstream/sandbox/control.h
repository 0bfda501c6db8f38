#ifndef UPSTREAM_SANDBOX_CONTROL_H_
#define UPSTREAM_SANDBOX_CONTROL_H_

#include <string_view>

#include "upstream/sandbox/faults.h"
#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/request_log.h"

namespace idv::sandbox {

// The endpoints below /__sandbox/, for tests: no key, no faults, not logged. Borrows both
// arguments; belongs to their thread.
class Control {
 public:
  Control(Faults& faults, RequestLog& log) : faults_(faults), log_(log) {}

  static bool IsControlPath(std::string_view path);

  // GET, POST, DELETE /__sandbox/faults; GET, DELETE /__sandbox/requests. 400 names every problem.
  Response Handle(const RequestHead& head, std::string_view body);

 private:
  Response HandleFaults(const RequestHead& head, std::string_view body);
  Response HandleRequests(const RequestHead& head);

  Faults& faults_;
  RequestLog& log_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_CONTROL_H_
