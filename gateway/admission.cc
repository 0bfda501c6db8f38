#include "gateway/admission.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <chrono>

#include "upstream/failure.h"

namespace idv {
namespace {

// A second, give or take a half: about what it takes until calls that wait for the upstream end.
constexpr int kLeastWaitMs = 500;
constexpr int kMostWaitMs = 1500;

}  // namespace

Admission::Usage Admission::usage() const {
  const std::lock_guard lock(mutex_);
  return {.in_flight = in_flight_,
          .in_flight_cap = caps_.in_flight,
          .upload_bytes = upload_bytes_,
          .upload_bytes_cap = caps_.upload_bytes};
}

absl::StatusOr<Admission::Ticket> Admission::Admit(const Share& share) {
  const std::lock_guard lock(mutex_);
  if (const absl::string_view cap = CapReached(share); !cap.empty()) return Refuse(cap);
  ++in_flight_;
  upload_bytes_ += share.upload_bytes;
  if (!share.tenant.empty()) ++of_tenant_[share.tenant];
  ++of_caller_[share.caller];
  return Ticket(*this, share);
}

void Admission::SetCaps(const Caps& caps) {
  const std::lock_guard lock(mutex_);
  caps_ = caps;
}

bool Admission::IsFull(const Counts& counts, absl::string_view of, int cap) {
  const auto count = counts.find(of);
  return count != counts.end() && count->second >= cap;
}

void Admission::Decrement(Counts& counts, absl::string_view of) {
  const auto count = counts.find(of);
  if (--count->second == 0) counts.erase(count);
}

absl::string_view Admission::CapReached(const Share& share) const {
  if (in_flight_ >= caps_.in_flight) return "max_in_flight";
  if (IsFull(of_tenant_, share.tenant, caps_.in_flight_per_tenant)) {
    return "max_in_flight_per_tenant";
  }
  if (IsFull(of_caller_, share.caller, caps_.in_flight_per_caller)) {
    return "max_in_flight_per_caller";
  }
  // Running calls may have gone over it.
  const size_t left = caps_.upload_bytes - std::min(caps_.upload_bytes, upload_bytes_);
  if (share.upload_bytes > left) return "upload_memory";
  return "";
}

absl::Status Admission::Refuse(absl::string_view cap) {
  const std::chrono::milliseconds wait(
      absl::Uniform(absl::IntervalClosed, random_, kLeastWaitMs, kMostWaitMs));
  return Fail(reason::kGatewayOverloaded,
              absl::StrCat("this gateway is busy: it has reached its limits.", cap),
              {.retry_after = wait});
}

void Admission::Leave(const Ticket& ticket) {
  const std::lock_guard lock(mutex_);
  --in_flight_;
  upload_bytes_ -= ticket.upload_bytes_;
  if (!ticket.tenant_.empty()) Decrement(of_tenant_, ticket.tenant_);
  Decrement(of_caller_, ticket.caller_);
}

void Admission::SetUploadBytes(Ticket& ticket, size_t bytes) {
  const std::lock_guard lock(mutex_);
  upload_bytes_ += bytes - ticket.upload_bytes_;
  ticket.upload_bytes_ = bytes;
}

}  // namespace idv
