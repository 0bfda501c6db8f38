#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/random/random.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstddef>
#include <mutex>
#include <string>
#include <utility>

namespace idv {

// Keeps what runs at the same time bounded: calls in all, of one tenant and of one caller, and the
// memory of uploads. Nobody waits here: over a cap, a call is refused at once, so that no caller
// holds up another. Thread-safe; must outlive its tickets.
class Admission {
 public:
  struct Caps {
    int in_flight = 0;
    int in_flight_per_tenant = 0;
    int in_flight_per_caller = 0;
    size_t upload_bytes = 0;
  };

  // What one call takes up of the caps.
  struct Share {
    // The identity.
    absl::string_view caller;
    // Its name; empty for a call that is for no tenant.
    absl::string_view tenant;
    // Of the memory for uploads, for as long as the call runs.
    size_t upload_bytes = 0;
  };

  // Gives back, when it goes, what an admitted call took up.
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)),
          caller_(std::move(other.caller_)),
          tenant_(std::move(other.tenant_)),
          upload_bytes_(other.upload_bytes_) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (admission_ != nullptr) admission_->Leave(*this);
    }

    // From now on the call takes up so much of the memory for uploads. It runs, so it is not
    // refused even over the cap: new calls are, until there is room again.
    void SetUploadBytes(size_t bytes) { admission_->SetUploadBytes(*this, bytes); }

   private:
    friend Admission;
    Ticket(Admission& admission, const Share& share)
        : admission_(&admission),
          caller_(share.caller),
          tenant_(share.tenant),
          upload_bytes_(share.upload_bytes) {}

    Admission* admission_;
    std::string caller_;
    std::string tenant_;
    size_t upload_bytes_;
  };

  // What is taken up, and of how much.
  struct Usage {
    int in_flight = 0;
    int in_flight_cap = 0;
    size_t upload_bytes = 0;
    size_t upload_bytes_cap = 0;
  };

  explicit Admission(const Caps& caps) : caps_(caps) {}

  // For calls from now on.
  void SetCaps(const Caps& caps);

  Usage usage() const;

  // GATEWAY_OVERLOADED, with the cap by name and a time to come back, which differs from call to
  // call so that refused callers do not come back together.
  absl::StatusOr<Ticket> Admit(const Share& share);

 private:
  void Leave(const Ticket& ticket);
  void SetUploadBytes(Ticket& ticket, size_t bytes);
  absl::string_view CapReached(const Share& share) const;
  absl::Status Refuse(absl::string_view cap);

  using Counts = absl::flat_hash_map<std::string, int>;

  static bool IsFull(const Counts& counts, absl::string_view of, int cap);
  static void Decrement(Counts& counts, absl::string_view of);

  mutable std::mutex mutex_;
  // Protected by mutex_:
  Caps caps_;
  int in_flight_ = 0;
  size_t upload_bytes_ = 0;
  Counts of_tenant_;  // those that have calls
  Counts of_caller_;
  absl::BitGen random_;
};

}  // namespace idv
