#include "upstream/wire_writer.h"

#include <google/protobuf/struct.pb.h>

#include <limits>
#include <string>

#include "tests/upstream/probe.pb.h"

namespace idv {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Value;
using idv::test::Stored;

TEST(WireWriterTest, WritesScalarsAsProtobufReadsThem) {
  std::string bytes;
  WireWriter wire(bytes);
  wire.Bytes(Stored::kIdFieldNumber, "id");
  wire.Varint(Stored::kFlagFieldNumber, 0);
  wire.Varint(Stored::kCountFieldNumber, static_cast<uint64_t>(int64_t{-3}));
  wire.Varint(Stored::kBigFieldNumber, std::numeric_limits<uint64_t>::max() / 2);
  wire.Double(Stored::kRatioFieldNumber, -0.25);

  Stored stored;
  ASSERT_TRUE(stored.ParseFromString(bytes));
  EXPECT_EQ(stored.id(), "id");
  EXPECT_TRUE(stored.has_flag());
  EXPECT_FALSE(stored.flag());
  EXPECT_EQ(stored.count(), -3);
  EXPECT_EQ(stored.big(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(stored.ratio(), -0.25);
  EXPECT_EQ(stored.SerializeAsString(), bytes);
}

TEST(WireWriterTest, FindsRoomForALengthOfAnySize) {
  // One byte of length, two, three, and the borders between them, each nested twice.
  for (const size_t size : {0, 1, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16'370, 16'380,
                            16'383, 16'384, 100'000, 2'097'152}) {
    std::string bytes = "before";
    WireWriter wire(bytes);
    const size_t outer = wire.Begin(ListValue::kValuesFieldNumber);
    const size_t list = wire.Begin(Value::kListValueFieldNumber);
    const size_t inner = wire.Begin(ListValue::kValuesFieldNumber);
    wire.Bytes(Value::kStringValueFieldNumber, std::string(size, 'x'));
    wire.End(inner);
    wire.End(list);
    wire.End(outer);
    wire.Bytes(9999, "after");

    ListValue parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes.substr(6))) << size;
    const std::string& text = parsed.values(0).list_value().values(0).string_value();
    EXPECT_EQ(text, std::string(size, 'x'));
    EXPECT_EQ(bytes.substr(0, 6), "before");
    EXPECT_EQ(bytes.substr(bytes.size() - 5), "after");
  }
}

TEST(WireWriterTest, GoesBack) {
  std::string bytes;
  WireWriter wire(bytes);
  wire.Bytes(1, "kept");
  const size_t start = wire.size();
  wire.End(wire.Begin(2));
  wire.BackTo(start);

  EXPECT_EQ(bytes, "\x0a\x04kept");
}

}  // namespace
}  // namespace idv
