#include "upstream/rfc3339.h"

#include <absl/strings/ascii.h>

#include <chrono>

namespace idv {
namespace {

// Takes what it is asked for off the front of a text and remembers whether it was there.
class Reader {
 public:
  explicit Reader(absl::string_view text) : rest_(text) {}

  // Exactly `digits` digits.
  int Number(int digits) {
    int number = 0;
    for (int i = 0; i < digits; ++i) {
      if (rest_.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(rest_[0]))) ok_ = false;
      if (!ok_) return 0;
      number = number * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return number;
  }

  bool Take(absl::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_[0]) == absl::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void Expect(absl::string_view any_of) { ok_ = Take(any_of) && ok_; }

  // The digits after a decimal point, as nanoseconds.
  int Nanos() {
    int nanos = 0;
    int unit = 100'000'000;
    int count = 0;
    for (; !rest_.empty() && absl::ascii_isdigit(static_cast<unsigned char>(rest_[0])); ++count) {
      nanos += (rest_[0] - '0') * unit;
      unit /= 10;
      rest_.remove_prefix(1);
    }
    ok_ = ok_ && count > 0;
    return nanos;
  }

  bool TakeSign(int* sign) {
    *sign = !rest_.empty() && rest_[0] == '-' ? -1 : 1;
    return Take("+-");
  }

  void Demand(bool condition) { ok_ = ok_ && condition; }
  bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  absl::string_view rest_;
  bool ok_ = true;
};

std::chrono::minutes ReadOffset(Reader& reader) {
  int sign = 1;
  if (!reader.TakeSign(&sign)) {
    reader.Expect("Zz");
    return std::chrono::minutes(0);
  }
  const int hours = reader.Number(2);
  reader.Expect(":");
  const int minutes = reader.Number(2);
  reader.Demand(hours < 24 && minutes < 60);
  return std::chrono::minutes(sign * (hours * 60 + minutes));
}

}  // namespace

std::optional<google::protobuf::Timestamp> ParseRfc3339(absl::string_view text) {
  Reader reader(text);
  const int year = reader.Number(4);
  reader.Expect("-");
  const int month = reader.Number(2);
  reader.Expect("-");
  const int day = reader.Number(2);
  reader.Expect("Tt ");
  const int hour = reader.Number(2);
  reader.Expect(":");
  const int minute = reader.Number(2);
  reader.Expect(":");
  const int second = reader.Number(2);
  const int nanos = reader.Take(".") ? reader.Nanos() : 0;
  const std::chrono::minutes offset = ReadOffset(reader);
  // 60 is a leap second: protobuf's time scale has none, so it becomes the next second.
  reader.Demand(hour < 24 && minute < 60 && second <= 60);
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!reader.AtEnd() || !date.ok()) return std::nullopt;

  const auto time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                    std::chrono::minutes(minute) + std::chrono::seconds(second) - offset;
  const int64_t seconds = std::chrono::seconds(time.time_since_epoch()).count();
  constexpr int64_t kFirst = -62'135'596'800;  // 0001-01-01T00:00:00Z
  constexpr int64_t kLast = 253'402'300'799;   // 9999-12-31T23:59:59Z
  if (seconds < kFirst || seconds > kLast) return std::nullopt;
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(nanos);
  return timestamp;
}

}  // namespace idv
