#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "upstream/http_client.h"
#include "upstream/json_body.h"
#include "upstream/loop/timers.h"

namespace idv {

// A request's body that is written while it is sent, one part after the other, so that no more of
// it is held than one part, however long it is. For the thread of the client that sends it.
class StreamedBody final : public RequestBody {
 public:
  // `on_taken` is called when all of a part has been read, from within Read().
  explicit StreamedBody(std::function<void()> on_taken) : on_taken_(std::move(on_taken)) {}

  // What comes next; not empty, and the part before must have been taken. What it borrows is
  // borrowed until it is taken, or until nobody reads the body any longer.
  void Add(JsonBody part);
  // There are no more parts. Without it the body never ends.
  void End();

  bool is_taken() const { return is_taken_; }
  // When last something was added or taken.
  TimePoint last_moved() const { return last_moved_; }

  std::optional<uint64_t> size() const override { return std::nullopt; }
  size_t Read(char* out, size_t capacity) override;
  void SetWake(const std::function<void()>& wake) override { wake_ = wake; }

 private:
  void Wake() const {
    if (wake_) wake_();
  }

  const std::function<void()> on_taken_;
  std::function<void()> wake_;
  JsonBody part_;
  bool is_taken_ = true;
  bool has_ended_ = false;
  TimePoint last_moved_;
};

}  // namespace idv
