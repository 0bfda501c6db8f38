#include "upstream/frames_writer.h"

#include <absl/strings/escaping.h>
#include <gmock/gmock.h>

#include <limits>
#include <string>
#include <vector>

#include "upstream/failure.h"

namespace idv {
namespace {

using kora::idv::v1::LivenessFrame;
using kora::idv::v1::LivenessFramesHeader;

std::string Read(JsonBody& body) {
  std::string text(body.left(), '\0');
  text.resize(body.Read(text.data(), text.size()));
  return text;
}

LivenessFrame At(int64_t seconds, int32_t nanos) {
  LivenessFrame frame;
  frame.mutable_capture_offset()->set_seconds(seconds);
  frame.mutable_capture_offset()->set_nanos(nanos);
  return frame;
}

std::string FieldOf(const absl::Status& status) {
  const Failure failure = FailureOf(status);
  EXPECT_EQ(failure.reason, "INVALID_FIELD");
  return failure.violations.empty() ? "" : failure.violations[0].field;
}

class FramesWriterTest : public testing::Test {
 protected:
  LivenessFramesHeader header_;
  const FramesFormat format_{FrameKeys()};
  FramesWriter writer_{format_};
  JsonBody part_;
};

TEST_F(FramesWriterTest, WritesWhatIsSet) {
  header_.set_verification_id("in the path");
  header_.set_challenge_type(kora::idv::v1::LIVENESS_CHALLENGE_TYPE_TURN_LEFT);
  header_.set_frames_per_second(12.5);

  ASSERT_TRUE(writer_.Begin(header_, part_).ok());
  ASSERT_TRUE(writer_.Add(At(0, 0), {"one"}, part_).ok());
  ASSERT_TRUE(writer_.Add(At(1, 500'000), {"t", "wo"}, part_).ok());
  ASSERT_TRUE(writer_.Add(At(300'000'000'000, 1), {"3"}, part_).ok());
  const uint64_t size = writer_.size();
  writer_.End(part_);

  const std::string text = Read(part_);
  EXPECT_EQ(text, R"({"challengeType":"turn_left","fps":12.5,"frames":["b25l","dHdv","Mw=="],)"
                  R"("timestamps":[0,1000.5,300000000000000]})");
  EXPECT_EQ(text.size(), size);
  EXPECT_EQ(writer_.frames(), 3);
}

TEST_F(FramesWriterTest, LeavesOutWhatIsNot) {
  ASSERT_TRUE(writer_.Begin(header_, part_).ok());
  ASSERT_TRUE(writer_.Add({}, {"one"}, part_).ok());
  const uint64_t size = writer_.size();
  writer_.End(part_);

  const std::string text = Read(part_);
  EXPECT_EQ(text, R"({"frames":["b25l"]})");
  EXPECT_EQ(text.size(), size);
}

TEST_F(FramesWriterTest, KnowsTheSizeOfAllPartsTogether) {
  std::string text;
  uint64_t size = 0;
  ASSERT_TRUE(writer_.Begin(header_, part_).ok());
  for (size_t bytes = 1; bytes < 10; ++bytes) {
    const std::string image(bytes, 'i');
    ASSERT_TRUE(writer_.Add({}, {image}, part_).ok());
    size = writer_.size();
    text += Read(part_);
    part_ = {};
  }
  writer_.End(part_);
  text += Read(part_);

  EXPECT_EQ(text.size(), size);
  EXPECT_THAT(text, testing::StartsWith(R"({"frames":["aQ==","aWk=")"));
  EXPECT_THAT(text, testing::EndsWith(R"(,"aWlpaWlpaWlp"]})"));
}

TEST_F(FramesWriterTest, UsesOtherKeys) {
  FrameKeys keys;
  keys.challenge_type = "kind";
  keys.frames_per_second = "rate";
  keys.frames = "images";
  keys.timestamps = "at";
  const FramesFormat format(keys);
  FramesWriter writer(format);
  header_.set_challenge_type_raw("wink");
  header_.set_frames_per_second(1);

  ASSERT_TRUE(writer.Begin(header_, part_).ok());
  ASSERT_TRUE(writer.Add(At(0, 0), {"one"}, part_).ok());
  writer.End(part_);

  EXPECT_EQ(Read(part_), R"({"kind":"wink","rate":1,"images":["b25l"],"at":[0]})");
}

TEST_F(FramesWriterTest, NamesWhatCannotBeSent) {
  header_.set_frames_per_second(std::numeric_limits<double>::infinity());
  EXPECT_EQ(FieldOf(writer_.Begin(header_, part_)), "header.frames_per_second");

  EXPECT_EQ(FieldOf(writer_.Add({}, {}, part_)), "frame.image");
  for (const LivenessFrame& frame :
       {At(-1, 0), At(0, -1), At(0, 1'000'000'000), At(315'576'000'001, 0)}) {
    EXPECT_EQ(FieldOf(FramesWriter(format_).Add(frame, {"one"}, part_)), "frame.capture_offset");
  }
}

TEST_F(FramesWriterTest, WantsOffsetsInAllFramesOrInNone) {
  FramesWriter with(format_);
  ASSERT_TRUE(with.Add(At(0, 0), {"one"}, part_).ok());
  EXPECT_EQ(FieldOf(with.Add({}, {"two"}, part_)), "frame.capture_offset");

  FramesWriter without(format_);
  ASSERT_TRUE(without.Add({}, {"one"}, part_).ok());
  EXPECT_EQ(FieldOf(without.Add(At(0, 0), {"two"}, part_)), "frame.capture_offset");
}

}  // namespace
}  // namespace idv
