#include "upstream/json_body.h"

#include <absl/strings/escaping.h>

#include <string>

namespace idv {
namespace {

std::string ReadBy(RequestBody& body, size_t step) {
  std::string all;
  std::string chunk(step, '?');
  while (const size_t count = body.Read(chunk.data(), step)) all.append(chunk, 0, count);
  return all;
}

JsonBody TwoImages(const std::string& first, const std::string& second) {
  JsonBody body;
  body.Append("{\"a\":\"");
  body.AppendBase64(first);
  body.Append("\",\"b\":[\"");
  body.AppendBase64(second);
  body.Append("\"]}");
  return body;
}

TEST(JsonBodyTest, ReadsTheSameInStepsOfAnySize) {
  const std::string first(100, 'x');
  const std::string second = "ab";
  const std::string expected = "{\"a\":\"" + absl::Base64Escape(first) + "\",\"b\":[\"" +
                               absl::Base64Escape(second) + "\"]}";
  for (size_t step = 1; step <= expected.size() + 1; ++step) {
    JsonBody body = TwoImages(first, second);

    EXPECT_EQ(body.size(), expected.size());
    EXPECT_EQ(ReadBy(body, step), expected) << "in steps of " << step;
  }
}

TEST(JsonBodyTest, TakesImagesThatTouchAndEmptyOnes) {
  JsonBody body;
  body.AppendBase64("");
  body.AppendBase64("abc");
  body.AppendBase64("d");

  EXPECT_EQ(body.size(), 8U);
  EXPECT_EQ(ReadBy(body, 3), "YWJjZA==");
}

TEST(JsonBodyTest, TakesAnImageInPieces) {
  JsonBody body;
  body.Append('<');
  body.AppendBase64(std::vector<absl::string_view>{"a", "", "bcde", "f"});
  body.Append('>');

  EXPECT_EQ(body.size(), 10U);
  EXPECT_EQ(ReadBy(body, 3), "<YWJjZGVm>");
}

TEST(JsonBodyTest, IsEmptyWhenNothingWasAdded) {
  JsonBody body;

  EXPECT_EQ(body.size(), 0U);
  EXPECT_EQ(ReadBy(body, 10), "");
}

}  // namespace
}  // namespace idv
