#include "upstream/sandbox/body_sink.h"

#include <gtest/gtest.h>

namespace idv::sandbox {
namespace {

TEST(BodySinkTest, CountsAndHashesWhatCameAndKeepsItWithoutTheImages) {
  BodySink sink;
  sink.SetKeep(BodySink::Keep::kAllButImages);

  EXPECT_TRUE(sink.Add(R"({"imageBase64":"QU)"));
  EXPECT_TRUE(sink.Add(R"(JDRA=="})"));

  EXPECT_EQ(sink.bytes(), 26U);
  // printf '{"imageBase64":"QUJDRA=="}' | sha256sum
  EXPECT_EQ(sink.Sha256(), "113ae09db93ee61210fffe1ec6551cff8c8f0c0d18d03d93ec20a485a6b9aded");
  EXPECT_EQ(sink.TakeText(), R"({"imageBase64":"AAAA"})");
}

TEST(BodySinkTest, KeepsEverythingElsewhere) {
  BodySink sink;

  EXPECT_TRUE(sink.Add("ab"));
  EXPECT_TRUE(sink.Add("c"));

  EXPECT_EQ(sink.Sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sink.TakeText(), "abc");
}

TEST(BodySinkTest, KnowsTheHashOfNothing) {
  EXPECT_EQ(BodySink().Sha256(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(BodySinkTest, TakesExactlyTheLimit) {
  const std::string half(BodySink::kMaxBytes / 2, 'x');
  BodySink sink;

  EXPECT_TRUE(sink.Add(half));
  EXPECT_TRUE(sink.Add(half));
  EXPECT_FALSE(sink.Add("x"));
  EXPECT_EQ(sink.bytes(), BodySink::kMaxBytes);
}

}  // namespace
}  // namespace idv::sandbox
