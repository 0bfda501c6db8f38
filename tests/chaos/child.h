#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace idv::chaos {

// A program that this one has started and that another object owns: to look at how it ends.
class Child {
 public:
  // The only one of that name that runs now.
  explicit Child(const std::string& name);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // Sends SIGTERM and returns the exit code; nothing if it does not end in time, or not by itself.
  // Its owner finds it ended.
  std::optional<int> Stop() const;
  // What it has written to stderr, also when it has ended.
  std::string Err() const;

 private:
  pid_t pid_;
  int err_;
};

}  // namespace idv::chaos
