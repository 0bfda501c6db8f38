#ifndef UPSTREAM_SANDBOX_CONTROL_H_
#define UPSTREAM_SANDBOX_CONTROL_H_

#include <string>
#include <string_view>

#include "upstream/sandbox/api.h"
#include "upstream/sandbox/clock.h"
#include "upstream/sandbox/courier.h"
#include "upstream/sandbox/faults.h"
#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/publisher.h"
#include "upstream/sandbox/request_log.h"

namespace idv::sandbox {

// The endpoints below /__sandbox/, for tests: no key, no faults, not logged. Borrows its
// arguments; belongs to their thread.
class Control {
 public:
  struct Parts {
    Api& api;
    Faults& faults;
    RequestLog& log;
    Clock& clock;
    Courier& courier;
    Publisher& publisher;
  };

  explicit Control(Parts parts) : parts_(parts) {}

  static bool IsControlPath(std::string_view path);

  // GET, POST, DELETE /__sandbox/faults; GET, DELETE /__sandbox/requests; GET, POST, DELETE
  // /__sandbox/clock; GET, DELETE /__sandbox/webhooks; POST /__sandbox/webhooks/{id}/redeliver;
  // POST /__sandbox/reset. 400 names every problem.
  Response Handle(const RequestHead& head, std::string_view body);

 private:
  Response HandleFaults(const RequestHead& head, std::string_view body);
  Response HandleRequests(const RequestHead& head);
  Response HandleClock(const RequestHead& head, std::string_view body);
  Response HandleWebhooks(const RequestHead& head);
  Response HandleRedelivery(const RequestHead& head, const std::string& id);
  Response HandleReset(const RequestHead& head);

  const Parts parts_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_CONTROL_H_
