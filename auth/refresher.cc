#include "auth/refresher.h"

#include <algorithm>
#include <utility>

namespace idv {

Refresher::Wait::Wait(Refresher& refresher, std::shared_ptr<Job> job, For which,
                      std::function<void()> on_done)
    : refresher_(refresher), job_(std::move(job)), on_done_(std::move(on_done)) {
  const std::lock_guard lock(refresher_.mutex_);
  const bool joins = job_->is_running && which == For::kRunning;
  awaited_ = joins ? job_->begun : job_->begun + 1;
  refresher_.waits_.push_back(this);
  if (joins) return;
  job_->is_asked = true;
  refresher_.changed_.notify_one();
}

Refresher::Wait::~Wait() {
  const std::lock_guard lock(refresher_.mutex_);
  std::erase(refresher_.waits_, this);
}

Refresher::Refresher(const Options& options) : options_(options), thread_([this] { Run(); }) {}

Refresher::~Refresher() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

std::shared_ptr<Refresher::Job> Refresher::Add(std::function<void()> work) {
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  const std::lock_guard lock(mutex_);
  job->next_poll = NextPoll();
  jobs_.push_back(job);
  if (options_.poll.count() > 0)
    changed_.notify_one();  // else it is not due before it is asked for
  return job;
}

void Refresher::Ask(Job& job) {
  const std::lock_guard lock(mutex_);
  job.is_asked = true;
  changed_.notify_one();
}

bool Refresher::IsNear(const Job& job) const {
  const std::lock_guard lock(mutex_);
  return job.is_running || MayBegin(job) <= Clock::now();
}

Refresher::Clock::time_point Refresher::MayBegin(const Job& job) const {
  return job.last_begin ? *job.last_begin + options_.least_interval : Clock::time_point::min();
}

Refresher::Clock::time_point Refresher::DueAt(const Job& job) const {
  if (job.is_asked) return MayBegin(job);
  return options_.poll.count() > 0 ? job.next_poll : Clock::time_point::max();
}

Refresher::Clock::time_point Refresher::NextPoll() {
  const std::chrono::duration<double> poll(options_.poll);
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(poll * absl::Uniform(random_, 0.75, 1.25));
}

void Refresher::Run() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    if (const std::shared_ptr<Job> due = NextDue(Clock::now())) {
      Do(*due, lock);
      continue;
    }
    auto next = Clock::time_point::max();
    for (const std::weak_ptr<Job>& one : jobs_) {
      if (const auto job = one.lock()) next = std::min(next, DueAt(*job));
    }
    if (next == Clock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

// What somebody waits for comes first.
std::shared_ptr<Refresher::Job> Refresher::NextDue(Clock::time_point now) {
  std::shared_ptr<Job> next;
  std::erase_if(jobs_, [](const std::weak_ptr<Job>& job) { return job.expired(); });
  for (const std::weak_ptr<Job>& one : jobs_) {
    std::shared_ptr<Job> job = one.lock();
    if (job == nullptr || DueAt(*job) > now) continue;
    const auto rank = [&](const Job& of) { return std::pair(!of.is_asked, DueAt(of)); };
    if (next == nullptr || rank(*job) < rank(*next)) next = std::move(job);
  }
  return next;
}

void Refresher::Do(Job& job, std::unique_lock<std::mutex>& lock) {
  job.is_asked = false;
  job.is_running = true;
  job.last_begin = Clock::now();
  ++job.begun;
  lock.unlock();
  job.work();
  lock.lock();
  job.is_running = false;
  ++job.ended;
  job.next_poll = NextPoll();
  TellWaiting(job);
}

void Refresher::TellWaiting(const Job& job) {
  std::vector<Wait*> done;
  std::erase_if(waits_, [&](Wait* wait) {
    const bool is_done = wait->job_.get() == &job && wait->awaited_ <= job.ended;
    if (is_done) done.push_back(wait);
    return is_done;
  });
  for (Wait* wait : done) wait->on_done_();
}

}  // namespace idv
