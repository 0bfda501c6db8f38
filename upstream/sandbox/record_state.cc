#include "upstream/sandbox/record_state.h"

#include <type_traits>

namespace idv::sandbox {
namespace {

// The members of each kind of record, for either direction.

template <class Archive>
void Describe(Archive& archive, NewVerification& request) {
  archive("externalId", request.external_id);
  archive("tier", request.tier);
  archive("callbackUrl", request.callback_url);
  archive("expectedFirstName", request.expected_first_name);
  archive("expectedLastName", request.expected_last_name);
  archive("metadata", request.metadata);
}

template <class Archive>
void Describe(Archive& archive, Document& document) {
  archive("id", document.id);
  archive("type", document.type);
  archive("country", document.country);
}

template <class Archive>
void Describe(Archive& archive, Challenge& challenge) {
  archive("type", challenge.type);
  archive("attemptedAt", challenge.attempted_at);
}

template <class Archive>
void Describe(Archive& archive, LivenessSession& session) {
  archive("id", session.id);
  archive("challenges", session.challenges);
  archive("createdAt", session.created_at);
}

template <class Archive>
void Describe(Archive& archive, InlineChallenge& challenge) {
  archive("type", challenge.type);
  archive("passed", challenge.passed);
  archive("hasImage", challenge.has_image);
}

// Its outcome follows from the request.
template <class Archive>
void Describe(Archive& archive, Verification& verification) {
  archive("id", verification.id);
  archive("tenantId", verification.tenant_id);
  archive("request", verification.request);
  archive("attempt", verification.attempt);
  archive("attemptsPerDay", verification.attempts_per_day);
  archive("status", verification.status);
  archive("document", verification.document);
  archive("liveness", verification.liveness);
  archive("inlineChallenges", verification.inline_challenges);
  archive("images", verification.images);
  archive("decision", verification.decision);
  archive("decisionReason", verification.decision_reason);
  archive("decisionCodes", verification.decision_codes);
  archive("reviewedBy", verification.reviewed_by);
  archive("reviewNotes", verification.review_notes);
  archive("createdAt", verification.created_at);
  archive("updatedAt", verification.updated_at);
  archive("expiresAt", verification.expires_at);
  archive("submittedAt", verification.submitted_at);
  archive("completedAt", verification.completed_at);
  archive("verifiedAt", verification.verified_at);
}

template <class Archive>
void Describe(Archive& archive, Alert& alert) {
  archive("id", alert.id);
  archive("tenantId", alert.tenant_id);
  archive("verificationId", alert.verification_id);
  archive("externalId", alert.external_id);
  archive("status", alert.status);
  archive("createdAt", alert.created_at);
  archive("resolvedAt", alert.resolved_at);
  archive("resolvedBy", alert.resolved_by);
  archive("notes", alert.notes);
}

// Values that JSON has.
template <class Value>
constexpr bool kIsPlain = std::is_arithmetic_v<Value> || std::is_same_v<Value, std::string> ||
                          std::is_same_v<Value, Json>;

class Writer {
 public:
  template <class Value>
  void operator()(const char* key, Value& value) {
    json_[key] = Write(value);
  }

  // Records are not changed here, but are described once for both directions.
  template <class Record>
  static Json Of(const Record& record) {
    Writer writer;
    Describe(writer, const_cast<Record&>(record));
    return std::move(writer.json_);
  }

 private:
  template <class Value>
  static Json Write(const Value& value) {
    if constexpr (kIsPlain<Value>) {
      return value;
    } else {
      return Of(value);
    }
  }
  static Json Write(Status status) { return static_cast<int>(status); }
  static Json Write(Time time) { return time.time_since_epoch().count(); }
  static Json Write(const ImageSet& images) { return images.to_ulong(); }
  template <class Value>
  static Json Write(const std::optional<Value>& value) {
    return value ? Write(*value) : Json();
  }
  template <class Value>
  static Json Write(const std::vector<Value>& values) {
    Json list = Json::array();
    for (const Value& value : values) list.push_back(Write(value));
    return list;
  }

  Json json_;
};

// Throws what the library throws when something is missing or of another type.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  template <class Value>
  void operator()(const char* key, Value& value) {
    Read(json_.at(key), value);
  }

 private:
  template <class Value>
  static void Read(const Json& json, Value& value) {
    if constexpr (kIsPlain<Value>) {
      value = json.get<Value>();
    } else {
      Reader reader(json);
      Describe(reader, value);
    }
  }
  static void Read(const Json& json, Status& status) {
    status = static_cast<Status>(json.get<int>());
  }
  static void Read(const Json& json, Time& time) {
    time = Time(Time::duration(json.get<Time::rep>()));
  }
  static void Read(const Json& json, ImageSet& images) {
    images = ImageSet(json.get<unsigned long>());
  }
  template <class Value>
  static void Read(const Json& json, std::optional<Value>& value) {
    if (!json.is_null()) Read(json, value.emplace());
  }
  template <class Value>
  static void Read(const Json& json, std::vector<Value>& values) {
    for (const Json& item : json) Read(item, values.emplace_back());
  }

  const Json& json_;
};

template <class Record>
std::optional<Record> ReadRecord(const Json& state) {
  Record record{};
  Reader reader(state);
  try {
    Describe(reader, record);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return record;
}

}  // namespace

Json StateJson(const Verification& verification) { return Writer::Of(verification); }
Json StateJson(const Alert& alert) { return Writer::Of(alert); }

std::optional<Verification> ReadVerification(const Json& state) {
  auto verification = ReadRecord<Verification>(state);
  if (!verification || StatusName(verification->status).empty()) return std::nullopt;
  verification->outcome = &OutcomeOf(verification->request.external_id);
  return verification;
}

std::optional<Alert> ReadAlert(const Json& state) { return ReadRecord<Alert>(state); }

}  // namespace idv::sandbox
