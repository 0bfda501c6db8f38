#pragma once

#include <gmock/gmock.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <string>

namespace idv::e2e {

// A message from its text form.
template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Where two messages of one type differ, field by field; empty if nowhere. A field set in one of
// them only is a difference.
std::string Differences(const google::protobuf::Message& expected,
                        const google::protobuf::Message& actual);

MATCHER_P(EqualsProto, expected, "equals the expected message") {
  const std::string differences = Differences(expected, arg);
  *result_listener << "\n" << differences;
  return differences.empty();
}

// What the upstream makes up, in `expected` written as "?" for an id and as an empty Timestamp for
// a time, is taken over from `actual` once it is plausible: a UUID, a time of today or tomorrow.
void TakeOverMadeUp(const google::protobuf::Message& actual, google::protobuf::Message& expected);

}  // namespace idv::e2e
