#include "upstream/streamed_body.h"

#include <absl/strings/escaping.h>

#include <string>

namespace idv {
namespace {

JsonBody Text(const std::string& text) {
  JsonBody part;
  part.Append(text);
  return part;
}

JsonBody Image(const std::string& bytes) {
  JsonBody part;
  part.AppendBase64(bytes);
  return part;
}

// What can be read now, in steps of that size.
std::string ReadAll(StreamedBody& body, size_t step) {
  std::string all;
  std::string chunk(step, '?');
  for (;;) {
    const size_t count = body.Read(chunk.data(), step);
    if (count == 0 || count == RequestBody::kWait) return all;
    all.append(chunk, 0, count);
  }
}

TEST(StreamedBodyTest, GivesOnePartAfterTheOtherInStepsOfAnySize) {
  const std::string image(100, 'i');
  for (size_t step = 1; step < 140; ++step) {
    int taken = 0;
    StreamedBody body([&] { ++taken; });

    body.Add(Text("one"));
    EXPECT_FALSE(body.is_taken());
    EXPECT_EQ(ReadAll(body, step), "one") << step;
    EXPECT_TRUE(body.is_taken());
    body.Add(Image(image));
    EXPECT_EQ(ReadAll(body, step), absl::Base64Escape(image)) << step;
    body.Add(Text("}"));
    body.End();
    EXPECT_EQ(ReadAll(body, step), "}") << step;

    EXPECT_EQ(taken, 3);
  }
}

TEST(StreamedBodyTest, WaitsForMoreUntilItHasEnded) {
  char c = 0;
  StreamedBody body([] {});
  EXPECT_EQ(body.size(), std::nullopt);
  EXPECT_EQ(body.Read(&c, 1), RequestBody::kWait);
  body.Add(Text("a"));
  EXPECT_EQ(body.Read(&c, 1), 1U);
  EXPECT_EQ(body.Read(&c, 1), RequestBody::kWait);

  body.End();

  EXPECT_EQ(body.Read(&c, 1), 0U);
  EXPECT_EQ(body.Read(&c, 1), 0U);
}

TEST(StreamedBodyTest, WakesItsReaderForEveryPartAndForTheEnd) {
  int woken = 0;
  StreamedBody body([] {});
  body.Add(Text("a"));  // nobody to wake yet
  body.SetWake([&] { ++woken; });
  ReadAll(body, 8);
  body.Add(Text("b"));
  EXPECT_EQ(woken, 1);
  ReadAll(body, 8);
  body.End();
  EXPECT_EQ(woken, 2);

  body.SetWake(nullptr);
  body.End();
  EXPECT_EQ(woken, 2);
}

TEST(StreamedBodyTest, KnowsWhenItLastMoved) {
  StreamedBody body([] {});
  const TimePoint before = Clock::now();
  body.Add(Text("ab"));
  const TimePoint added = body.last_moved();
  EXPECT_GE(added, before);

  char c = 0;
  body.Read(&c, 1);

  EXPECT_GT(body.last_moved(), added);
}

}  // namespace
}  // namespace idv
