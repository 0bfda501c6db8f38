#ifndef UPSTREAM_SANDBOX_STORE_H_
#define UPSTREAM_SANDBOX_STORE_H_

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "upstream/sandbox/record.h"
#include "upstream/sandbox/uuid.h"

namespace idv::sandbox {

// Why the store did not do as asked.
enum class Refusal {
  kNotFound,          // no such record, or it belongs to another tenant
  kInvalidState,      // a decision was taken, a review is not due, the alert is resolved
  kExpired,           // the verification was not completed within its lifetime
  kDocumentRequired,  // no document (front) was uploaded yet
  kNoSession,         // there is no liveness session
  kNotInSession,      // the session does not have that challenge
};

// A record of the store, good until the store dies, or the reason why there is none.
template <typename Record>
class Answer {
 public:
  Answer(const Record& record) : record_(&record) {}  // NOLINT(google-explicit-constructor)
  Answer(Refusal refusal) : refusal_(refusal) {}      // NOLINT(google-explicit-constructor)

  bool ok() const { return record_ != nullptr; }
  const Record& operator*() const { return *record_; }
  const Record* operator->() const { return record_; }
  Refusal refusal() const { return refusal_; }  // only if not ok()

 private:
  const Record* record_ = nullptr;
  Refusal refusal_ = Refusal::kNotFound;
};

// Who asks for which record, and when.
struct Ref {
  std::string_view tenant_id;
  std::string_view id;
  Time now;
};

enum class ReviewDecision { kApprove, kReject };

struct Review {
  ReviewDecision decision;
  std::string reviewer;
  std::optional<std::string> notes;
};

struct Resolution {
  std::string status;
  std::string reviewer;
  std::optional<std::string> notes;
};

// What webhooks tell of.
enum class EventType {
  kCompleted,     // a decision was taken, by scoring or by a reviewer; that may be manual review
  kVerified,      // it is final and good
  kRejected,      // it is final and bad
  kAlertCreated,  // fraud
};

struct Event {
  EventType type;
  const Verification* verification;
  const Alert* alert;  // of kAlertCreated only
  Time at;
};

// What happened since it was last asked for. The records are good until the store is cleared.
struct Changes {
  std::vector<const Verification*> verifications;  // made or changed; some more than once
  std::vector<const Alert*> alerts;
  std::vector<Event> events;  // as they happened
};

// When the scoring of one in processing ends.
Time DecidedAt(const Verification& verification);

// All verifications and fraud alerts with their state machine (upstream-api.md section 8.2). Knows
// nothing of HTTP and of no clock: what happens by itself (expiry, slow scoring) is worked out from
// `now` when a record is next touched. Keeps everything until it dies, about 1 kB a verification.
// Belongs to one thread.
class Store {
 public:
  static constexpr std::chrono::hours kLifetime{24};
  // Upstream-api.md section 18; that it is the vendor's own number [infer].
  static constexpr int kAttemptsPerDay = 5;

  // `attempts_per_day`: verifications of a subject that may be made in a day of UTC; 0 = any
  // number.
  explicit Store(IdGenerator next_id, int attempts_per_day = kAttemptsPerDay)
      : next_id_(std::move(next_id)), attempts_per_day_(attempts_per_day) {}

  // nullptr when the subject has had all its attempts of the day.
  const Verification* Create(std::string_view tenant_id, NewVerification request, Time now);
  Answer<Verification> Find(const Ref& ref);
  // Newest first; empty for a subject that is not known.
  std::vector<const Verification*> OfSubject(std::string_view tenant_id,
                                             std::string_view external_id, Time now);

  // Uploads. All of them are refused with kInvalidState from /complete on, and with kExpired after
  // the lifetime. A second upload of the same kind replaces the first.
  Answer<Verification> AddDocument(const Ref& ref, std::string type,
                                   std::optional<std::string> country);
  Answer<Verification> AddDocumentBack(const Ref& ref);
  Answer<Verification> AddSelfie(const Ref& ref);

  // A new session replaces the one before.
  Answer<Verification> StartLiveness(const Ref& ref);
  Answer<Verification> AddChallenge(const Ref& ref, std::string_view type);
  // With a type, the frames also pass that challenge.
  Answer<Verification> AddFrames(const Ref& ref, const std::optional<std::string>& type);

  Answer<Verification> Complete(const Ref& ref, std::vector<InlineChallenge> challenges);
  Answer<Verification> Decide(const Ref& ref, Review review);

  // Newest first; all of them without a status.
  std::vector<const Alert*> Alerts(std::string_view tenant_id,
                                   const std::optional<std::string>& status) const;
  Answer<Alert> Resolve(const Ref& ref, Resolution resolution);

  // Also of what happened by itself, as far as it was worked out. To be taken after every request,
  // since it is kept until then.
  Changes TakeChanges();

  // All there is, oldest first, without events.
  Changes All() const;
  // Takes a record of another store as it is, in place of the one with its id if there is one;
  // those that are new, in the order in which they were made. Counts as no change.
  void Restore(Verification verification);
  void Restore(Alert alert);

  // Forgets everything.
  void Clear();

  int attempts_per_day() const { return attempts_per_day_; }

  // The externalId behind the id of a verification or alert, of whichever tenant; nullptr if none.
  const std::string* ExternalIdOf(std::string_view id) const;

 private:
  Verification* Touch(const Ref& ref);
  std::optional<Refusal> RefuseUpload(const Ref& ref, Verification*& verification);
  std::optional<Refusal> RefuseChallenge(const Ref& ref, Verification*& verification,
                                         LivenessSession*& session);
  void ApplyOutcome(Verification& verification, Time when);
  void RaiseAlert(const Verification& verification, Time when);
  int AttemptsToday(const std::string& subject, Time now) const;
  void NoteChange(Verification& verification, Time when);
  void NoteDecision(const Verification& verification, Time when);
  void MarkImage(Verification& verification, std::string_view type, Time now);
  void SetStatus(Verification& verification, Status status, Time when);

  const IdGenerator next_id_;
  const int attempts_per_day_;
  std::unordered_map<std::string, Verification> verifications_;  // by id; addresses are stable
  std::unordered_map<std::string, std::vector<Verification*>> subjects_;  // oldest first
  std::deque<Alert> alerts_;                                              // oldest first
  Changes changes_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_STORE_H_
