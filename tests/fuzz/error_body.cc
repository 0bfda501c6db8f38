#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <chrono>

#include "gateway/status.h"
#include "tests/failure_rules.h"
#include "tests/fuzz/rpcs.h"
#include "tests/fuzz/target.h"
#include "tests/marker.h"
#include "upstream/error_map.h"
#include "upstream/failure.h"

namespace idv::fuzz {
namespace {

// Three digits of a status, a letter for the RPC, header lines, an empty line and the body:
// "429aRetry-After: 3\n\n{}". Any bytes are such an answer.
struct Answer {
  explicit Answer(absl::string_view bytes) {
    int number = 0;
    for (int i = 0; i < 3; ++i) number = number * 10 + (Take(bytes) - '0' + 210) % 10;
    response.status = 100 + (number + 400) % 500;
    if (response.status / 100 == 2) response.status += 100;
    const auto& methods = AllRpcs().all();
    route = &methods[static_cast<size_t>(Take(bytes)) % methods.size()].route;
    const size_t headers_end = std::min(bytes.find("\n\n"), bytes.size());
    response.header_lines = std::string(bytes.substr(0, headers_end));
    response.body = std::string(bytes.substr(std::min(headers_end + 2, bytes.size())));
  }

  static int Take(absl::string_view& bytes) {
    if (bytes.empty()) return '0';
    const auto byte = static_cast<unsigned char>(bytes[0]);
    bytes.remove_prefix(1);
    return byte;
  }

  HttpResponse response;
  const Route* route;
};

absl::Status Map(const Answer& answer, const std::string& body) {
  static const ErrorMap errors;
  static JsonParser parser;
  HttpResponse response = answer.response;
  response.body = body;
  const auto now = std::chrono::system_clock::from_time_t(784'111'777);
  return errors.FromResponse(*answer.route, std::move(response), parser, /*api_key=*/"", now);
}

}  // namespace

std::string CheckErrorBody(absl::string_view bytes) {
  // Codes and the names of fields are passed on, and these may be the marker already.
  if (absl::StrContains(bytes, kMarker)) return "";
  const Answer answer(bytes);
  const int status = answer.response.status;
  const absl::Status failure = Map(answer, answer.response.body);
  std::string broken = CheckFailure(failure);
  if (!broken.empty()) return broken;
  if (FailureOf(failure).http_status != status) return "another http_status than the answer's";

  const absl::Status marked = Map(answer, WithMarker(answer.response.body));
  if (Shows(ToGrpc(marked, "request-1", 1), kMarker)) return "the body is passed on";
  if (status != 401 && status != 403) return "";
  const absl::Status refusal = Map(answer, ErrorOfMarkers(answer.response.body));
  return Shows(ToGrpc(refusal, "request-1", 1), kMarker) ? "a text about our key is passed on" : "";
}

}  // namespace idv::fuzz
