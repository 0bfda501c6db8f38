#include "tests/e2e/messages.h"

#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <vector>

namespace idv::e2e {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;

constexpr char kUuidForm[] = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
constexpr int64_t kTwoDaysSeconds = 172'800;

void TakeOverTime(const FieldDescriptor& field, const Timestamp& actual, Timestamp& expected) {
  if (expected.seconds() != 0) return;
  EXPECT_LT(std::abs(actual.seconds() - std::time(nullptr)), kTwoDaysSeconds) << field.full_name();
  expected = actual;
}

void TakeOverMessage(const FieldDescriptor& field, const Message& actual, Message& expected) {
  if (expected.GetDescriptor() != Timestamp::descriptor()) return TakeOverMadeUp(actual, expected);
  TakeOverTime(field, static_cast<const Timestamp&>(actual), static_cast<Timestamp&>(expected));
}

void TakeOverField(const FieldDescriptor& field, const Message& actual, Message& expected) {
  const Reflection& reflection = *expected.GetReflection();
  if (field.is_map()) return;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field.is_repeated()) {
    const int common =
        std::min(reflection.FieldSize(actual, &field), reflection.FieldSize(expected, &field));
    for (int i = 0; i < common; ++i) {
      TakeOverMessage(field, reflection.GetRepeatedMessage(actual, &field, i),
                      *reflection.MutableRepeatedMessage(&expected, &field, i));
    }
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    TakeOverMessage(field, reflection.GetMessage(actual, &field),
                    *reflection.MutableMessage(&expected, &field));
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field.is_repeated() &&
             reflection.GetString(expected, &field) == "?") {
    const std::string id = reflection.GetString(actual, &field);
    EXPECT_THAT(id, testing::MatchesRegex(kUuidForm)) << field.full_name();
    reflection.SetString(&expected, &field, id);
  }
}

}  // namespace

std::string Differences(const Message& expected, const Message& actual) {
  std::string report;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&report);
  const bool equal = differencer.Compare(expected, actual);
  return equal ? "" : report + "(expected -> actual)";
}

void TakeOverMadeUp(const Message& actual, Message& expected) {
  std::vector<const FieldDescriptor*> fields;
  expected.GetReflection()->ListFields(expected, &fields);
  for (const FieldDescriptor* field : fields) TakeOverField(*field, actual, expected);
}

}  // namespace idv::e2e
