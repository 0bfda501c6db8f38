#include <google/protobuf/util/time_util.h>

#include <chrono>

#include "tests/fuzz/target.h"
#include "upstream/retry_after.h"
#include "upstream/rfc3339.h"

namespace idv::fuzz {
namespace {

using google::protobuf::Timestamp;
using google::protobuf::util::TimeUtil;
using std::chrono::milliseconds;

constexpr milliseconds kDay{24 * 60 * 60 * 1000};

std::string CheckRetryAfter(absl::string_view text) {
  const auto now = std::chrono::system_clock::from_time_t(784'111'777);
  const auto wait = ParseRetryAfter(text, now);
  const auto wait_later = ParseRetryAfter(text, now + std::chrono::hours(1));

  if (wait.has_value() != wait_later.has_value()) return "whether it is one depends on the time";
  if (!wait) return "";
  if (*wait < milliseconds(0) || *wait > kDay) return "a wait out of bounds";
  if (*wait_later > *wait) return "an hour later the wait is longer";
  return "";
}

bool Equal(const Timestamp& a, const Timestamp& b) {
  return a.seconds() == b.seconds() && a.nanos() == b.nanos();
}

std::string CheckRfc3339(absl::string_view text) {
  const auto time = ParseRfc3339(text);
  if (!time) return "";
  if (time->seconds() < TimeUtil::kTimestampMinSeconds ||
      time->seconds() > TimeUtil::kTimestampMaxSeconds || time->nanos() < 0 ||
      time->nanos() > 999'999'999) {
    return "a time out of protobuf's bounds";
  }

  const auto printed = ParseRfc3339(TimeUtil::ToString(*time));
  if (!printed || !Equal(*printed, *time)) return "a time that reads back as another";
  Timestamp protobufs;
  if (TimeUtil::FromString(std::string(text), &protobufs) && !Equal(protobufs, *time)) {
    return "a time that protobuf reads otherwise";
  }
  return "";
}

}  // namespace

std::string CheckTime(absl::string_view bytes) {
  const std::string text(bytes);
  std::string broken = CheckRetryAfter(text);
  return broken.empty() ? CheckRfc3339(text) : broken;
}

}  // namespace idv::fuzz
