#ifndef UPSTREAM_SANDBOX_AGENDA_H_
#define UPSTREAM_SANDBOX_AGENDA_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/system_timer.hpp>
#include <functional>
#include <map>

#include "upstream/sandbox/clock.h"

namespace idv::sandbox {

// What is to be done at a time of the sandbox's clock, also when that is moved there. Borrows its
// arguments; for the thread that runs `io`.
class Agenda {
 public:
  Agenda(boost::asio::io_context& io, Clock& clock);

  // Never from within At(), not even when it is due already.
  void At(Time due, std::function<void()> task);
  // Nothing of what was to be done is done.
  void Clear();

 private:
  void Arm();
  void RunDue();

  Clock& clock_;
  boost::asio::system_timer timer_;
  std::multimap<Time, std::function<void()>> tasks_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_AGENDA_H_
