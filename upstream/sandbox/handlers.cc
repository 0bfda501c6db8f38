#include "upstream/sandbox/handlers.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <variant>

#include "upstream/sandbox/ascii.h"
#include "upstream/sandbox/fields.h"
#include "upstream/sandbox/refusals.h"
#include "upstream/sandbox/report.h"
#include "upstream/sandbox/target.h"
#include "upstream/sandbox/url.h"
#include "upstream/sandbox/verification_view.h"
#include "upstream/sandbox/views.h"

namespace idv::sandbox {
namespace {

constexpr std::string_view kVerification = "VERIFICATION";
constexpr std::size_t kMaxReports = 100;

Response Ok(const Json& json) { return {.status = 200, .body = Dump(json)}; }

// `view` of the verification, or the store's refusal.
template <typename View>
Response Show(const Answer<Verification>& answer, View view) {
  return answer.ok() ? Ok(view(*answer)) : Refuse(answer.refusal(), kVerification);
}

// Parses the body, lets `read` take the fields, and answers with the first problem; else with what
// `act` makes of what was read.
template <typename Read, typename Act>
Response WithBody(const Call& call, BodyRule rule, Read read, Act act) {
  const auto body = ParseBody(call.head, call.body, rule);
  if (const auto* const refusal = std::get_if<Response>(&body)) return *refusal;
  Fields fields(std::get<Json>(body));
  auto input = read(fields);
  if (const auto& refusal = fields.refusal()) return *refusal;
  return act(std::move(input));
}

bool IsCountryCode(std::string_view code) {
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  return code.size() == 2 && std::all_of(code.begin(), code.end(), is_letter);
}

NewVerification ReadNewVerification(Fields& fields) {
  NewVerification request{
      .external_id = fields.RequiredText("externalId"),
      .tier = fields.OptionalText("tier").value_or("standard"),  // the SDKs' default
      .callback_url = fields.OptionalText("callbackUrl"),
      .expected_first_name = fields.OptionalText("expectedFirstName"),
      .expected_last_name = fields.OptionalText("expectedLastName"),
      .metadata = fields.OptionalObject("metadata"),
  };
  fields.OptionalText("documentType");  // a hint, of no effect
  const bool known_tier =
      request.tier == "basic" || request.tier == "standard" || request.tier == "enhanced";
  if (!known_tier) fields.RefuseValue("tier", "oneof=basic standard enhanced");
  if (request.callback_url && !ParseUrl(*request.callback_url)) {
    fields.RefuseValue("callbackUrl", "url");
  }
  return request;
}

std::string ReadChallengeType(Fields& fields, const char* key) {
  std::string type = fields.RequiredText(key);
  if (!IsChallengeType(type)) fields.RefuseValue(key, "oneof");
  return type;
}

InlineChallenge ReadInlineChallenge(Fields& fields) {
  InlineChallenge challenge{.type = ReadChallengeType(fields, "type"),
                            .passed = fields.RequiredFlag("passed"),
                            .has_image = false};
  const bool image = fields.OptionalImage("imageBase64");
  const std::size_t frames = fields.OptionalImages("frameImages");
  fields.OptionalText("diagnostics");
  challenge.has_image = image || frames > 0;
  return challenge;
}

std::vector<InlineChallenge> ReadInlineLiveness(Fields& fields) {
  std::vector<InlineChallenge> challenges;
  const auto liveness = fields.OptionalObject("liveness");
  if (!liveness) return challenges;
  Fields inner(*liveness, "liveness.");
  if (const Json* const list = inner.OptionalList("challenges")) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      Fields item((*list)[i], inner.Path("challenges", i) + ".");
      challenges.push_back(ReadInlineChallenge(item));
      inner.Adopt(item);
    }
  }
  fields.Adopt(inner);
  return challenges;
}

Review ReadReview(Fields& fields, std::string reviewer) {
  const std::string decision = ToLower(fields.RequiredText("decision"));
  if (decision != "approve" && decision != "reject") {
    fields.RefuseValue("decision", "oneof=approve reject");
  }
  fields.OptionalText("overrideReason");
  return {.decision = decision == "approve" ? ReviewDecision::kApprove : ReviewDecision::kReject,
          .reviewer = std::move(reviewer),
          .notes = fields.OptionalText("notes")};
}

// The request has no documented form: upstream-api.md section 9.11.
std::optional<std::string> ReadFrames(Fields& fields) {
  const std::size_t frames = fields.RequiredImages("frames");
  const auto rate = fields.OptionalNumber("fps");
  if (rate && *rate <= 0) fields.RefuseValue("fps", "gt=0");
  const auto timestamps = fields.OptionalNumbers("timestamps");
  if (timestamps && timestamps->size() != frames) fields.RefuseValue("timestamps", "len=frames");
  const auto type = fields.OptionalText("challengeType");
  if (type && !IsChallengeType(*type)) fields.RefuseValue("challengeType", "oneof");
  return type;
}

// There is a report of what was decided only.
Answer<Verification> FindDecided(const Call& call, std::string_view id) {
  const auto answer = call.store.Find({call.tenant_id, id, call.now});
  if (answer.ok() && answer->decision.empty()) return Refusal::kInvalidState;
  return answer;
}

}  // namespace

// 201: the vendor's success status is unknown and every client takes any 2xx, so ours should too.
Response CreateVerification(const Call& call) {
  return WithBody(call, BodyRule::kRequired, ReadNewVerification, [&](NewVerification request) {
    const Verification* const made =
        call.store.Create(call.tenant_id, std::move(request), call.now);
    if (made == nullptr) return RefuseAttempt(call.store.attempts_per_day());
    return Response{.status = 201, .body = Dump(VerificationJson(*made))};
  });
}

Response GetVerification(const Call& call) {
  return Show(call.store.Find(call.Target()), VerificationJson);
}

Response ListSubjectVerifications(const Call& call) {
  return Ok(VerificationsJson(call.store.OfSubject(call.tenant_id, call.id, call.now)));
}

Response CompleteVerification(const Call& call) {
  return WithBody(
      call, BodyRule::kOptional, ReadInlineLiveness, [&](std::vector<InlineChallenge> challenges) {
        return Show(call.store.Complete(call.Target(), std::move(challenges)), VerificationJson);
      });
}

Response ReviewVerification(const Call& call) {
  const auto read = [&](Fields& fields) { return ReadReview(fields, call.reviewer); };
  return WithBody(call, BodyRule::kRequired, read, [&](Review review) {
    return Show(call.store.Decide(call.Target(), std::move(review)), VerificationJson);
  });
}

Response UploadDocument(const Call& call) {
  const auto read = [](Fields& fields) {
    std::string type = fields.RequiredText("documentType");
    fields.RequiredImage("imageBase64");
    auto country = fields.OptionalText("country");
    if (country && !IsCountryCode(*country)) {
      fields.RefuseValue("country", "iso3166_1_alpha2");
    }
    return std::pair(std::move(type), std::move(country));
  };
  return WithBody(call, BodyRule::kRequired, read, [&](auto document) {
    auto& [type, country] = document;
    return Show(call.store.AddDocument(call.Target(), std::move(type), std::move(country)),
                DocumentResultJson);
  });
}

Response UploadDocumentBack(const Call& call) {
  const auto read = [](Fields& fields) {
    fields.RequiredImage("imageBase64");
    return fields.OptionalText("decodedBarcodePayload");  // checked for its type, else of no effect
  };
  return WithBody(call, BodyRule::kRequired, read, [&](const auto&) {
    return Show(call.store.AddDocumentBack(call.Target()), DocumentBackResultJson);
  });
}

Response UploadSelfie(const Call& call) {
  const auto read = [](Fields& fields) {
    fields.RequiredImage("imageBase64");
    return std::monostate{};
  };
  return WithBody(call, BodyRule::kRequired, read, [&](std::monostate) {
    return Show(call.store.AddSelfie(call.Target()), SelfieResultJson);
  });
}

Response CreateLivenessSession(const Call& call) {
  const auto read = [](Fields&) { return std::monostate{}; };
  return WithBody(call, BodyRule::kOptional, read, [&](std::monostate) {
    return Show(call.store.StartLiveness(call.Target()), LivenessSessionJson);
  });
}

Response SubmitLivenessChallenge(const Call& call) {
  const auto read = [](Fields& fields) {
    fields.RequiredImage("imageBase64");
    fields.OptionalText("diagnostics");
    return ReadChallengeType(fields, "challengeType");
  };
  return WithBody(call, BodyRule::kRequired, read, [&](const std::string& type) {
    return Show(call.store.AddChallenge(call.Target(), type),
                [&type](const Verification& v) { return ChallengeResultJson(v, type); });
  });
}

Response SubmitLivenessFrames(const Call& call) {
  return WithBody(
      call, BodyRule::kRequired, ReadFrames, [&](const std::optional<std::string>& type) {
        return Show(call.store.AddFrames(call.Target(), type),
                    [&type](const Verification& v) { return FramesResultJson(v, type); });
      });
}

Response GetLiveness(const Call& call) {
  const auto answer = call.store.Find(call.Target());
  if (answer.ok() && !answer->liveness) return Refuse(Refusal::kNotFound, "LIVENESS_SESSION");
  return Show(answer, LivenessSessionJson);
}

Response ListImages(const Call& call) { return Show(call.store.Find(call.Target()), ImagesJson); }

// The vendor's sandbox stores no image, and nor do we. Yet a caller must be able to try this
// endpoint, so an image that was uploaded has a URL, and it leads to a picture.
Response GetImageUrl(const Call& call) {
  if (!ImageIndex(call.image_type)) return RefuseField("imageType", "oneof");
  const auto answer = call.store.Find(call.Target());
  if (answer.ok() && !answer->HasImage(call.image_type)) {
    return Refuse(Refusal::kNotFound, "IMAGE");
  }
  return Show(answer, [&call](const Verification& v) {
    return ImageUrlJson(call.image_type,
                        call.images.SignedUrl(call.head, v.id, call.image_type, call.now));
  });
}

Response ListAlerts(const Call& call) {
  auto status = QueryValue(call.head.query, "status");
  if (status && status->empty()) status.reset();
  return Ok(AlertsJson(call.store.Alerts(call.tenant_id, status)));
}

// The vendor's client throws this answer away (its fixture is `{}`); the alert is the most useful
// one.
Response ResolveAlert(const Call& call) {
  const auto read = [&](Fields& fields) {
    Resolution resolution{.status = fields.RequiredText("status"),
                          .reviewer = call.reviewer,
                          .notes = fields.OptionalText("notes")};
    if (resolution.status == "open") fields.RefuseValue("status", "ne=open");
    return resolution;
  };
  return WithBody(call, BodyRule::kRequired, read, [&](Resolution resolution) {
    const auto answer = call.store.Resolve(call.Target(), std::move(resolution));
    return answer.ok() ? Ok(AlertJson(*answer)) : Refuse(answer.refusal(), "ALERT");
  });
}

Response ListDocumentTypes(const Call& call) {
  return Ok(DocumentTypesJson(QueryValue(call.head.query, "country")));
}

Response GetHealth(const Call&) { return Ok({{"status", "healthy"}}); }

Response GetReport(const Call& call) {
  const auto answer = FindDecided(call, call.id);
  if (!answer.ok()) return Refuse(answer.refusal(), kVerification);
  return {.status = 200, .body = ReportPdf(*answer), .content_type = "application/pdf"};
}

Response GetReports(const Call& call) {
  const auto read = [](Fields& fields) {
    auto ids = fields.RequiredTexts("verificationIds");
    if (ids.size() > kMaxReports) fields.RefuseValue("verificationIds", "max=100");
    return ids;
  };
  return WithBody(call, BodyRule::kRequired, read, [&](const std::vector<std::string>& ids) {
    std::vector<const Verification*> verifications;
    for (const std::string& id : ids) {
      const auto answer = FindDecided(call, id);
      if (!answer.ok()) return Refuse(answer.refusal(), kVerification);
      verifications.push_back(&*answer);
    }
    return Response{
        .status = 200, .body = ReportsZip(verifications), .content_type = "application/zip"};
  });
}

}  // namespace idv::sandbox
