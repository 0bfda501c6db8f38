#include "upstream/sandbox/faults.h"

#include <algorithm>
#include <utility>

namespace idv::sandbox {
namespace {

bool FitsIfSet(std::string_view condition, std::string_view value) {
  return condition.empty() || condition == value;
}

bool Fits(const Fault& fault, const FaultTarget& target) {
  if (fault.kind == FaultKind::kUnauthorized && target.key == fault.until_key) return false;
  if (fault.kind == FaultKind::kLengthRequired && !target.is_chunked) return false;
  return PhaseOf(fault) == target.phase && target.path.starts_with(fault.path_prefix) &&
         FitsIfSet(fault.endpoint, target.endpoint) && FitsIfSet(fault.method, target.method) &&
         FitsIfSet(fault.tenant_id, target.tenant_id) &&
         target.external_id.starts_with(fault.external_id_prefix);
}

bool IsEnd(const Fault& fault) {
  return fault.kind == FaultKind::kReset || fault.kind == FaultKind::kClose;
}

}  // namespace

Phase PhaseOf(const Fault& fault) {
  const bool is_before_body =
      fault.early || fault.kind == FaultKind::kSlowReading ||
      fault.kind == FaultKind::kLengthRequired ||
      (IsEnd(fault) && (fault.at == Moment::kRequestHeader || fault.at == Moment::kRequestBody));
  return is_before_body ? Phase::kBeforeBody : Phase::kBeforeAnswer;
}

const Fault* FaultPlan::Find(FaultKind kind) const {
  for (const Fault& fault : faults_) {
    if (fault.kind == kind) return &fault;
  }
  return nullptr;
}

const Fault* FaultPlan::FindEnd(Moment at) const {
  for (const Fault& fault : faults_) {
    if (IsEnd(fault) && fault.at == at) return &fault;
  }
  return nullptr;
}

std::optional<std::chrono::milliseconds> FaultPlan::Delay() const {
  if (Find(FaultKind::kHang) != nullptr) return std::nullopt;
  std::chrono::milliseconds sum{0};
  for (const Fault& fault : faults_) sum += fault.delay;
  return sum;
}

std::uint64_t Faults::Add(Fault fault, Now now) {
  fault.id = ++last_id_;
  std::mt19937_64 random(fault.seed);
  faults_.push_back({std::move(fault), now, random});
  return last_id_;
}

void Faults::Reset(Now now) {
  faults_ = kept_;
  for (Entry& entry : faults_) entry.set_at = now;
}

std::vector<Fault> Faults::All(Now now) {
  DropOutlived(now);
  std::vector<Fault> all;
  all.reserve(faults_.size());
  for (const Entry& entry : faults_) all.push_back(entry.fault);
  return all;
}

bool Faults::AskForExternalId() const {
  return std::any_of(faults_.begin(), faults_.end(),
                     [](const Entry& entry) { return !entry.fault.external_id_prefix.empty(); });
}

FaultPlan Faults::Take(const FaultTarget& target, Now now) {
  DropOutlived(now);
  std::vector<Fault> taken;
  for (Entry& entry : faults_) {
    Fault& fault = entry.fault;
    if (!Fits(fault, target)) continue;
    std::uniform_real_distribution<double> roll(0, 1);
    if (fault.probability < 1 && roll(entry.random) >= fault.probability) continue;
    taken.push_back(fault);
    if (fault.times) --*fault.times;
  }
  std::erase_if(faults_, [](const Entry& entry) { return entry.fault.times == 0U; });
  return FaultPlan(std::move(taken));
}

void Faults::DropOutlived(Now now) {
  std::erase_if(faults_, [now](const Entry& entry) {
    return entry.fault.lifetime && now - entry.set_at >= *entry.fault.lifetime;
  });
}

}  // namespace idv::sandbox
