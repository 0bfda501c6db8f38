#include "upstream/sandbox/spoiling.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "upstream/sandbox/json.h"

namespace idv::sandbox {
namespace {

constexpr char kBody[] =
    R"({"id":"v","status":"pending","count":3,"done":false,"list":[{"type":"blink"}]})";

Response Spoilt(FaultKind kind, std::uint64_t bytes = 0) {
  Fault fault;
  fault.kind = kind;
  fault.bytes = bytes;
  Response response{.status = 201, .body = kBody};
  Spoil(FaultPlan({fault}), response);
  return response;
}

TEST(SpoilingTest, LeavesAnswersAloneWithoutFaults) {
  Response response{.status = 201, .body = kBody};
  Spoil(FaultPlan(), response);

  EXPECT_EQ(response.body, kBody);
}

TEST(SpoilingTest, CutsTheJson) {
  EXPECT_EQ(Spoilt(FaultKind::kHalfJson).body, std::string(kBody, (sizeof(kBody) - 1) / 2));
}

TEST(SpoilingTest, SendsAPageInstead) {
  const Response response = Spoilt(FaultKind::kHtml);

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(response.body.substr(0, 15), "<!doctype html>");
}

TEST(SpoilingTest, ChangesTheTypeOfEveryValue) {
  EXPECT_EQ(Spoilt(FaultKind::kWrongTypes).body,
            R"({"id":[7],"status":[7],"count":"many","done":{},"list":[{"type":[7]}]})");
}

TEST(SpoilingTest, AddsKeysToEveryObject) {
  const Json json = Json::parse(Spoilt(FaultKind::kUnknownKeys).body);

  EXPECT_TRUE(json.contains("notHeardOfYet"));
  EXPECT_TRUE(json["list"][0].contains("notHeardOfYet"));
  EXPECT_EQ(json["id"], "v");
}

TEST(SpoilingTest, ChangesTheWordsOfEnums) {
  EXPECT_EQ(
      Spoilt(FaultKind::kUnknownEnums).body,
      R"({"id":"v","status":"not_heard_of_yet","count":3,"done":false,"list":[{"type":"not_heard_of_yet"}]})");
}

TEST(SpoilingTest, AddsHeadersOfThatSize) {
  const Response response = Spoilt(FaultKind::kLargeHeader, 2500);

  std::vector<std::size_t> sizes;
  for (const auto& header : response.headers) sizes.push_back(header.second.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1000, 1000, 500}));
}

// zlib itself checks the size and the checksum.
TEST(SpoilingTest, MakesAGzipOfThatSize) {
  constexpr std::size_t kBytes = 3 << 20;
  const Response response = Spoilt(FaultKind::kGzipBomb, kBytes - 5);
  EXPECT_EQ(*response.Header("Content-Encoding"), "gzip");
  EXPECT_LT(response.body.size(), 10000U);

  std::string text(kBytes + 1, '\0');
  std::string packed = response.body;
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  ASSERT_EQ(inflateInit2(&stream, kGzip), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.total_out, kBytes);
  EXPECT_EQ(std::count(text.begin(), text.end(), ' '), kBytes);
  inflateEnd(&stream);
}

}  // namespace
}  // namespace idv::sandbox
