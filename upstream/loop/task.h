#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace idv {

// A coroutine that computes one T (or nothing, for Task<>), started when it is first awaited and
// resumed on whatever thread resumes it. It allocates its frame and nothing else, and hands over to
// its awaiter without growing the stack. Exceptions do not leave a Task: one that tries ends the
// process. Await it once, into a named local.
template <typename T = void>
class Task;

// Starts a task that nobody awaits; its frame is freed when it ends.
inline void Spawn(Task<> task);

namespace internal {

struct PromiseBase {
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }

  std::coroutine_handle<> continuation = std::noop_coroutine();
};

template <typename T>
struct Promise : PromiseBase {
  Task<T> get_return_object() noexcept;
  void return_value(T result) { value.emplace(std::move(result)); }
  // Only the awaiter asks, and only when the task has ended.
  T Take() { return std::move(*value); }  // NOLINT(bugprone-unchecked-optional-access)
  std::optional<T> value;
};

template <>
struct Promise<void> : PromiseBase {
  Task<> get_return_object() noexcept;
  void return_void() const noexcept {}
  void Take() const noexcept {}
};

}  // namespace internal

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
    handle_.promise().continuation = awaiter;
    return handle_;
  }
  T await_resume() { return handle_.promise().Take(); }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

namespace internal {

template <typename T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}

inline Task<> Promise<void>::get_return_object() noexcept {
  return Task<>(std::coroutine_handle<Promise>::from_promise(*this));
}

struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

inline Detached RunDetached(Task<> task) { co_await task; }

}  // namespace internal

inline void Spawn(Task<> task) { internal::RunDetached(std::move(task)); }

}  // namespace idv
