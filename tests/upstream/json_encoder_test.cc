#include "upstream/json_encoder.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/upstream/probe.pb.h"

namespace idv {
namespace {

using idv::test::StoreRequest;
using Json = nlohmann::json;

class JsonEncoderTest : public testing::Test {
 protected:
  JsonEncoderTest() : encoder_(*JsonEncoder::Compile(*StoreRequest::descriptor(), {})) {
    request_.set_signed_by("s");
    request_.set_text("t");
  }

  // What is sent for request_, less the required fields.
  Json Encoded() {
    Json json = Json::parse(Text());
    json.erase("signedBy");
    json.erase("text");
    json.erase("sure");
    return json;
  }

  std::string Text() {
    JsonBody body;
    violations_.clear();
    encoder_.Encode(request_, body, violations_);
    std::string text(body.left(), '\0');
    text.resize(body.Read(text.data(), text.size()));
    return text;
  }

  JsonEncoder encoder_;
  StoreRequest request_;
  std::vector<Failure::Violation> violations_;
};

TEST_F(JsonEncoderTest, SendsOnlyWhatTheCallerSet) {
  EXPECT_EQ(Text(), R"({"signedBy":"s","text":"t","sure":false})");
  EXPECT_TRUE(violations_.empty());
}

TEST_F(JsonEncoderTest, WritesEveryTypeUnderItsJsonName) {
  request_.set_picture("\x01\x02\x03\x04");
  request_.add_pictures("a");
  request_.add_pictures("");
  request_.set_count(-7);
  request_.set_big(std::numeric_limits<int64_t>::min());
  request_.set_ratio(0.1);
  request_.set_colour(idv::test::COLOUR_DARK_BLUE);
  request_.add_colours(idv::test::COLOUR_RED);
  request_.mutable_when()->set_seconds(1);
  request_.mutable_when()->set_nanos(500'000'000);
  request_.mutable_inner()->set_some_text("deep");
  request_.mutable_inner()->set_flag(false);
  request_.add_inners()->set_some_text("first");
  request_.add_words("w");

  EXPECT_EQ(Encoded(), Json::parse(R"({
    "pictureBase64": "AQIDBA==", "pictures": ["YQ==", ""], "count": -7, "big": -9223372036854775808,
    "ratio": 0.1, "colour": "dark_blue", "colours": ["red"], "when": "1970-01-01T00:00:01.500Z",
    "inner": {"someText": "deep", "flag": false}, "inners": [{"someText": "first"}], "words": ["w"]})"));
  EXPECT_TRUE(violations_.empty());
}

TEST_F(JsonEncoderTest, SendsAnOptionalZero) {
  request_.set_ratio(0);

  EXPECT_EQ(Encoded(), Json::parse(R"({"ratio": 0})"));
}

TEST_F(JsonEncoderTest, SendsTheVerbatimTextForAnUnsetEnum) {
  request_.set_colour_raw("mauve");

  EXPECT_EQ(Encoded(), Json::parse(R"({"colour": "mauve"})"));

  request_.set_colour(idv::test::COLOUR_RED);

  EXPECT_EQ(Encoded(), Json::parse(R"({"colour": "red"})"));
}

TEST_F(JsonEncoderTest, EscapesEveryCharacterThatNeedsIt) {
  std::string text;
  for (int c = 0; c < 128; ++c) text.push_back(static_cast<char>(c));
  text += "\xc3\xa4\xf0\x9f\x98\x80";
  request_.add_words(text);

  EXPECT_EQ(Encoded().at("words").at(0).get<std::string>(), text);
}

TEST_F(JsonEncoderTest, WritesFreeObjects) {
  auto& fields = *request_.mutable_free()->mutable_fields();
  fields["n"].set_number_value(3);
  fields["f"].set_number_value(1e-7);
  fields["s"].set_string_value("\"");
  fields["b"].set_bool_value(true);
  fields["z"].set_null_value(google::protobuf::NULL_VALUE);
  fields["l"].mutable_list_value()->add_values()->set_number_value(1);
  fields["e"].mutable_list_value();
  (*fields["o"].mutable_struct_value()->mutable_fields())["k"].set_string_value("v");

  EXPECT_EQ(Encoded(), Json::parse(R"({"free": {"n": 3, "f": 1e-7, "s": "\"", "b": true, "z": null,
                                                "l": [1], "e": [], "o": {"k": "v"}}})"));
}

TEST_F(JsonEncoderTest, NamesEveryFieldThatCannotBeSent) {
  request_.clear_text();
  request_.set_ratio(std::nan(""));
  request_.set_colour(static_cast<idv::test::Colour>(9));
  request_.add_colours(idv::test::COLOUR_UNSPECIFIED);
  request_.add_inners()->set_some_text("fine");
  request_.add_inners();
  request_.mutable_inner();
  request_.mutable_when()->set_nanos(-1);
  (*request_.mutable_free()->mutable_fields())["x"].set_number_value(INFINITY);
  Text();

  std::vector<std::string> fields;
  for (const auto& violation : violations_) fields.push_back(violation.field);

  EXPECT_THAT(fields, testing::UnorderedElementsAre("text", "ratio", "colour", "colours[0]",
                                                    "inners[1].some_text", "inner.some_text",
                                                    "when", "free"));
}

TEST_F(JsonEncoderTest, FindsTheProtoPathOfAJsonPath) {
  EXPECT_EQ(encoder_.ProtoPath("pictureBase64"), "picture");
  EXPECT_EQ(encoder_.ProtoPath("inners[3].someText"), "inners[3].some_text");
  EXPECT_EQ(encoder_.ProtoPath("unknown.thing"), "unknown.thing");
  EXPECT_EQ(encoder_.ProtoPath(""), "");
}

}  // namespace
}  // namespace idv
