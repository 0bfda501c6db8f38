#include "upstream/sandbox/agenda.h"

#include <utility>

namespace idv::sandbox {

Agenda::Agenda(boost::asio::io_context& io, Clock& clock) : clock_(clock), timer_(io) {
  clock.WhenMoved([this] { Arm(); });
}

void Agenda::At(Time due, std::function<void()> task) {
  tasks_.emplace(due, std::move(task));
  Arm();
}

void Agenda::Clear() {
  tasks_.clear();
  timer_.cancel();
}

void Agenda::Arm() {
  if (tasks_.empty()) return;
  timer_.expires_at(tasks_.begin()->first - clock_.ahead());  // ends the wait before
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) RunDue();
  });
}

void Agenda::RunDue() {
  while (!tasks_.empty() && tasks_.begin()->first <= clock_.Now()) {
    const auto task = tasks_.extract(tasks_.begin());
    task.mapped()();
  }
  Arm();
}

}  // namespace idv::sandbox
