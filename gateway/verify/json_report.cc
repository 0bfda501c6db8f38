#include "gateway/verify/json_report.h"

namespace idv::verify {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

// Only what was said: a program tests for presence, as the protos do.
json ErrorObject(const Failure& failure) {
  json error{{"code", failure.code}, {"message", failure.message}};
  if (!failure.reason.empty()) error["reason"] = failure.reason;
  if (!failure.domain.empty()) error["domain"] = failure.domain;
  if (!failure.metadata.empty()) error["metadata"] = failure.metadata;
  for (const auto& violation : failure.violations) {
    error["field_violations"].push_back(
        json{{"field", violation.field}, {"description", violation.description}});
  }
  if (failure.retry_after) error["retry_after_ms"] = failure.retry_after->count();
  if (!failure.request_id.empty()) error["request_id"] = failure.request_id;
  if (failure.frames_sent) error["frames_sent"] = *failure.frames_sent;
  return error;
}

}  // namespace

void JsonReport::Done(const Step& step) {
  json line{{"step", step.name}, {"ok", true}, {"ms", step.took.count()}};
  line.update(step.facts);
  Line(line);
}

void JsonReport::Failed(const std::string& step, milliseconds took, milliseconds total,
                        const Failure& failure) {
  Line(json{{"step", step}, {"ok", false}, {"ms", took.count()}});
  Line(json{{"result", "ERROR"},
            {"verified", false},
            {"step", step},
            {"ms", total.count()},
            {"error", ErrorObject(failure)}});
}

void JsonReport::Decided(const Decision& decision) {
  json line{{"result", decision.status},
            {"verified", decision.verified},
            {"ms", decision.took.count()},
            {"verification_id", decision.verification_id}};
  if (!decision.decision.empty()) line["decision"] = decision.decision;
  if (decision.overall_score) line["overall_score"] = *decision.overall_score;
  if (!decision.codes.empty()) line["decision_codes"] = decision.codes;
  Line(line);
}

// Broken UTF-8 is replaced instead of ending the program.
void JsonReport::Line(const json& object) {
  out_ << object.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
}

}  // namespace idv::verify
