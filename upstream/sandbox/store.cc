#include "upstream/sandbox/store.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace idv::sandbox {
namespace {

constexpr std::array<std::string_view, 3> kSessionChallenges = {"blink", "turn_left", "turn_right"};

std::string SubjectKey(std::string_view tenant_id, std::string_view external_id) {
  std::string key(tenant_id);
  key += '\n';
  key += external_id;
  return key;
}

Challenge* FindChallenge(LivenessSession& session, std::string_view type) {
  for (Challenge& challenge : session.challenges) {
    if (challenge.type == type) return &challenge;
  }
  return nullptr;
}

}  // namespace

Time DecidedAt(const Verification& verification) {
  return verification.submitted_at.value_or(verification.created_at) +
         verification.outcome->scoring;
}

const Verification* Store::Create(std::string_view tenant_id, NewVerification request, Time now) {
  const std::string subject = SubjectKey(tenant_id, request.external_id);
  const int attempts = AttemptsToday(subject, now);
  if (attempts_per_day_ > 0 && attempts >= attempts_per_day_) return nullptr;

  Verification verification{};
  verification.id = next_id_();
  verification.tenant_id = tenant_id;
  verification.outcome = &OutcomeOf(request.external_id);
  verification.request = std::move(request);
  verification.attempt = attempts + 1;
  verification.attempts_per_day = attempts_per_day_;
  verification.created_at = now;
  verification.expires_at = now + kLifetime;

  std::string id = verification.id;
  auto& stored =
      verifications_.insert_or_assign(std::move(id), std::move(verification)).first->second;
  subjects_[subject].push_back(&stored);
  NoteChange(stored, now);
  return &stored;
}

void Store::NoteChange(Verification& verification, Time when) {
  verification.updated_at = when;
  auto& changed = changes_.verifications;
  if (changed.empty() || changed.back() != &verification) changed.push_back(&verification);
}

void Store::MarkImage(Verification& verification, std::string_view type, Time now) {
  if (const auto index = ImageIndex(type)) verification.images.set(*index);
  NoteChange(verification, now);
}

void Store::SetStatus(Verification& verification, Status status, Time when) {
  verification.status = status;
  NoteChange(verification, when);
}

int Store::AttemptsToday(const std::string& subject, Time now) const {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return 0;
  const Verification& newest = *found->second.back();
  const auto day = [](Time time) { return std::chrono::floor<std::chrono::days>(time); };
  return day(newest.created_at) == day(now) ? newest.attempt : 0;
}

// The record with everything that happened to it by itself until now.
Verification* Store::Touch(const Ref& ref) {
  const auto found = verifications_.find(std::string(ref.id));
  if (found == verifications_.end() || found->second.tenant_id != ref.tenant_id) return nullptr;
  Verification& verification = found->second;
  const Outcome& outcome = *verification.outcome;

  if (verification.status == Status::kPending && ref.now >= verification.expires_at) {
    SetStatus(verification, Status::kExpired, verification.expires_at);
  }
  if (verification.status == Status::kProcessing) {
    const Time decided_at = DecidedAt(verification);
    if (ref.now >= decided_at) ApplyOutcome(verification, decided_at);
  }
  const bool wears_off =
      verification.status == Status::kVerified && outcome.expires_after.count() > 0;
  if (wears_off && ref.now >= verification.expires_at) {
    SetStatus(verification, Status::kExpired, verification.expires_at);
  }
  return &verification;
}

Answer<Verification> Store::Find(const Ref& ref) {
  const Verification* const verification = Touch(ref);
  if (verification == nullptr) return Refusal::kNotFound;
  return *verification;
}

std::vector<const Verification*> Store::OfSubject(std::string_view tenant_id,
                                                  std::string_view external_id, Time now) {
  const auto found = subjects_.find(SubjectKey(tenant_id, external_id));
  if (found == subjects_.end()) return {};
  std::vector<const Verification*> newest_first(found->second.rbegin(), found->second.rend());
  for (const Verification* const verification : newest_first) {
    Touch({tenant_id, verification->id, now});
  }
  return newest_first;
}

std::optional<Refusal> Store::RefuseUpload(const Ref& ref, Verification*& verification) {
  verification = Touch(ref);
  if (verification == nullptr) return Refusal::kNotFound;
  if (verification->status == Status::kExpired) return Refusal::kExpired;
  if (verification->status != Status::kPending) return Refusal::kInvalidState;
  return std::nullopt;
}

Answer<Verification> Store::AddDocument(const Ref& ref, std::string type,
                                        std::optional<std::string> country) {
  Verification* verification = nullptr;
  if (const auto refusal = RefuseUpload(ref, verification)) return *refusal;
  verification->document = Document{next_id_(), std::move(type), std::move(country)};
  MarkImage(*verification, "document_front", ref.now);
  return *verification;
}

Answer<Verification> Store::AddDocumentBack(const Ref& ref) {
  Verification* verification = nullptr;
  if (const auto refusal = RefuseUpload(ref, verification)) return *refusal;
  if (!verification->document) return Refusal::kDocumentRequired;
  MarkImage(*verification, "document_back", ref.now);
  return *verification;
}

Answer<Verification> Store::AddSelfie(const Ref& ref) {
  Verification* verification = nullptr;
  if (const auto refusal = RefuseUpload(ref, verification)) return *refusal;
  if (!verification->document) return Refusal::kDocumentRequired;
  MarkImage(*verification, "selfie", ref.now);
  return *verification;
}

Answer<Verification> Store::StartLiveness(const Ref& ref) {
  Verification* verification = nullptr;
  if (const auto refusal = RefuseUpload(ref, verification)) return *refusal;
  LivenessSession session{next_id_(), {}, ref.now};
  for (const std::string_view type : kSessionChallenges) {
    session.challenges.push_back({std::string(type), std::nullopt});
  }
  verification->liveness = std::move(session);
  NoteChange(*verification, ref.now);
  return *verification;
}

std::optional<Refusal> Store::RefuseChallenge(const Ref& ref, Verification*& verification,
                                              LivenessSession*& session) {
  if (const auto refusal = RefuseUpload(ref, verification)) return refusal;
  if (!verification->liveness) return Refusal::kNoSession;
  session = &*verification->liveness;
  return std::nullopt;
}

Answer<Verification> Store::AddChallenge(const Ref& ref, std::string_view type) {
  Verification* verification = nullptr;
  LivenessSession* session = nullptr;
  if (const auto refusal = RefuseChallenge(ref, verification, session)) return *refusal;
  Challenge* const challenge = FindChallenge(*session, type);
  if (challenge == nullptr) return Refusal::kNotInSession;
  challenge->attempted_at = ref.now;
  MarkImage(*verification, ChallengeImage(type), ref.now);
  return *verification;
}

Answer<Verification> Store::AddFrames(const Ref& ref, const std::optional<std::string>& type) {
  Verification* verification = nullptr;
  LivenessSession* session = nullptr;
  if (const auto refusal = RefuseChallenge(ref, verification, session)) return *refusal;
  if (type) {
    Challenge* const challenge = FindChallenge(*session, *type);
    if (challenge == nullptr) return Refusal::kNotInSession;
    challenge->attempted_at = ref.now;
  }
  MarkImage(*verification, "liveness_frame", ref.now);
  return *verification;
}

Answer<Verification> Store::Complete(const Ref& ref, std::vector<InlineChallenge> challenges) {
  Verification* verification = nullptr;
  if (const auto refusal = RefuseUpload(ref, verification)) return *refusal;
  if (!verification->document) return Refusal::kDocumentRequired;

  for (const InlineChallenge& challenge : challenges) {
    if (challenge.has_image) MarkImage(*verification, ChallengeImage(challenge.type), ref.now);
  }
  verification->inline_challenges = std::move(challenges);
  verification->submitted_at = ref.now;
  SetStatus(*verification, Status::kProcessing, ref.now);
  return *Touch(ref);  // most outcomes take no time at all
}

void Store::ApplyOutcome(Verification& verification, Time when) {
  const Outcome& outcome = *verification.outcome;
  SetStatus(verification, outcome.status, when);
  verification.decision = outcome.decision;
  verification.decision_reason = outcome.reason;
  verification.decision_codes.assign(outcome.reject_codes.begin(), outcome.reject_codes.end());
  if (outcome.status != Status::kManualReview) verification.completed_at = when;
  if (outcome.status == Status::kVerified) verification.verified_at = when;
  if (outcome.expires_after.count() > 0) verification.expires_at = when + outcome.expires_after;
  NoteDecision(verification, when);
  if (outcome.raises_alert) RaiseAlert(verification, when);
}

void Store::NoteDecision(const Verification& verification, Time when) {
  const auto note = [&](EventType type) {
    changes_.events.push_back({type, &verification, nullptr, when});
  };
  note(EventType::kCompleted);
  if (verification.status == Status::kVerified) note(EventType::kVerified);
  if (verification.status == Status::kRejected) note(EventType::kRejected);
}

void Store::RaiseAlert(const Verification& verification, Time when) {
  Alert alert{};
  alert.id = next_id_();
  alert.tenant_id = verification.tenant_id;
  alert.verification_id = verification.id;
  alert.external_id = verification.request.external_id;
  alert.created_at = when;
  alerts_.push_back(std::move(alert));
  changes_.alerts.push_back(&alerts_.back());
  changes_.events.push_back({EventType::kAlertCreated, &verification, &alerts_.back(), when});
}

Answer<Verification> Store::Decide(const Ref& ref, Review review) {
  Verification* const verification = Touch(ref);
  if (verification == nullptr) return Refusal::kNotFound;
  if (verification->status != Status::kManualReview) return Refusal::kInvalidState;

  const bool approved = review.decision == ReviewDecision::kApprove;
  SetStatus(*verification, approved ? Status::kVerified : Status::kRejected, ref.now);
  verification->decision = approved ? "approve" : "reject";
  verification->decision_reason = approved ? "Approved by a reviewer." : "Rejected by a reviewer.";
  if (!approved) verification->decision_codes = {"REJECTED"};
  verification->reviewed_by = std::move(review.reviewer);
  verification->review_notes = std::move(review.notes);
  verification->completed_at = ref.now;
  if (approved) verification->verified_at = ref.now;
  NoteDecision(*verification, ref.now);
  return *verification;
}

std::vector<const Alert*> Store::Alerts(std::string_view tenant_id,
                                        const std::optional<std::string>& status) const {
  std::vector<const Alert*> newest_first;
  for (auto alert = alerts_.rbegin(); alert != alerts_.rend(); ++alert) {
    const bool wanted = alert->tenant_id == tenant_id && (!status || alert->status == *status);
    if (wanted) newest_first.push_back(&*alert);
  }
  return newest_first;
}

Answer<Alert> Store::Resolve(const Ref& ref, Resolution resolution) {
  const auto alert = std::find_if(alerts_.begin(), alerts_.end(), [&ref](const Alert& candidate) {
    return candidate.id == ref.id && candidate.tenant_id == ref.tenant_id;
  });
  if (alert == alerts_.end()) return Refusal::kNotFound;
  if (alert->status != "open") return Refusal::kInvalidState;
  alert->status = std::move(resolution.status);
  alert->resolved_at = ref.now;
  alert->resolved_by = std::move(resolution.reviewer);
  alert->notes = std::move(resolution.notes);
  changes_.alerts.push_back(&*alert);
  return *alert;
}

void Store::Clear() {
  subjects_.clear();
  verifications_.clear();
  alerts_.clear();
  changes_ = {};
}

Changes Store::All() const {
  Changes all;
  for (const auto& [id, verification] : verifications_) all.verifications.push_back(&verification);
  std::sort(all.verifications.begin(), all.verifications.end(),
            [](const Verification* a, const Verification* b) {
              return std::tie(a->created_at, a->attempt) < std::tie(b->created_at, b->attempt);
            });
  for (const Alert& alert : alerts_) all.alerts.push_back(&alert);
  return all;
}

void Store::Restore(Verification verification) {
  std::string id = verification.id;
  const auto [place, is_new] =
      verifications_.insert_or_assign(std::move(id), std::move(verification));
  Verification& stored = place->second;
  if (is_new) {
    subjects_[SubjectKey(stored.tenant_id, stored.request.external_id)].push_back(&stored);
  }
}

void Store::Restore(Alert alert) {
  const auto known = std::find_if(alerts_.begin(), alerts_.end(),
                                  [&alert](const Alert& other) { return other.id == alert.id; });
  if (known == alerts_.end()) {
    alerts_.push_back(std::move(alert));
  } else {
    *known = std::move(alert);
  }
}

Changes Store::TakeChanges() { return std::exchange(changes_, {}); }

const std::string* Store::ExternalIdOf(std::string_view id) const {
  const auto verification = verifications_.find(std::string(id));
  if (verification != verifications_.end()) return &verification->second.request.external_id;
  for (const Alert& alert : alerts_) {
    if (alert.id == id) return &alert.external_id;
  }
  return nullptr;
}

}  // namespace idv::sandbox
