#include "upstream/json_decoder.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/upstream/probe.pb.h"

namespace idv {
namespace {

using google::protobuf::TextFormat;
using google::protobuf::util::MessageDifferencer;
using idv::test::Found;
using idv::test::Stored;

std::string Name(const Drift& drift) {
  return std::string(drift.kind == Drift::Kind::kUnknownKey ? "key " : "value ") +
         std::string(drift.where) + " " + std::string(drift.what);
}

class JsonDecoderTest : public testing::Test {
 protected:
  absl::Status Decode(const JsonDecoder& decoder, std::string text,
                      google::protobuf::Message& message) {
    drifts_.clear();
    const auto json = parser_.Parse(text);
    if (!json.ok()) return json.status();
    return decoder.Decode(*json, message,
                          [this](const Drift& drift) { drifts_.push_back(Name(drift)); });
  }

  // The message that `text` becomes, without the copy of it all.
  Stored Read(const std::string& text) {
    Stored stored;
    const absl::Status status = Decode(decoder_, text, stored);
    EXPECT_TRUE(status.ok()) << text << ": " << status;
    stored.clear_all();
    return stored;
  }

  std::string ErrorOf(const std::string& text) {
    Stored stored;
    return std::string(Decode(decoder_, text, stored).message());
  }

  JsonParser parser_;
  JsonDecoder decoder_ = *JsonDecoder::Compile(*Stored::descriptor(), nullptr);
  std::vector<std::string> drifts_;
};

MATCHER_P(IsProto, text, "") {
  std::decay_t<decltype(arg)> expected;
  if (!TextFormat::ParseFromString(text, &expected)) return false;
  std::string differences;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  const bool same = differencer.Compare(expected, arg);
  *result_listener << differences;
  return same;
}

TEST_F(JsonDecoderTest, ReadsEveryType) {
  EXPECT_THAT(Read(R"({"id": "i", "textValue": "t", "picture": "AQI=", "flag": false, "count": -3,
                       "big": 9223372036854775807, "ratio": 0.25, "colour": "dark_blue",
                       "madeAt": "1970-01-01T00:00:02.5Z", "free": {"a": [1, null, {"b": "c"}]},
                       "labels": {"k": "v"}, "words": ["x", "y"],
                       "notes": [{"text": "n", "weight": 2}], "numbers": [1, 2.5]})"),
              IsProto(R"pb(id: "i"
                           text_value: "t"
                           picture: "\001\002"
                           flag: false
                           count: -3
                           big: 9223372036854775807
                           ratio: 0.25
                           colour: COLOUR_DARK_BLUE
                           colour_raw: "dark_blue"
                           made_at { seconds: 2 nanos: 500000000 }
                           free {
                             fields {
                               key: "a"
                               value {
                                 list_value {
                                   values { number_value: 1 }
                                   values { null_value: NULL_VALUE }
                                   values {
                                     struct_value {
                                       fields {
                                         key: "b"
                                         value { string_value: "c" }
                                       }
                                     }
                                   }
                                 }
                               }
                             }
                           }
                           labels { key: "k" value: "v" }
                           words: "x"
                           words: "y"
                           notes { text: "n" weight: 2 }
                           numbers: 1
                           numbers: 2.5)pb"));
  EXPECT_TRUE(drifts_.empty());
}

TEST_F(JsonDecoderTest, ToleratesWhatTheUpstreamMaySendInstead) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"({})", ""},
      {R"({"id": null, "flag": null, "words": null, "notes": null, "free": null, "madeAt": null})",
       ""},
      {R"({"text_value": "snake"})", R"(text_value: "snake")"},
      {R"({"storedId": "alias"})", R"(id: "alias")"},
      {R"({"storedId": "alias", "id": "name"})", R"(id: "name")"},
      {R"({"id": "name", "storedId": "alias"})", R"(id: "name")"},
      {R"({"id": "", "storedId": "alias"})", R"(id: "alias")"},
      {R"({"storedId": "alias", "id": null})", R"(id: "alias")"},
      {R"({"id": "first", "id": "last"})", R"(id: "last")"},
      {R"({"words": ["a"], "words": ["b"]})", R"(words: "b")"},
      {R"({"id": 12})", R"(id: "12")"},
      {R"({"id": true})", R"(id: "true")"},
      {R"({"count": "12", "big": "-5", "ratio": "0.5"})", "count: 12 big: -5 ratio: 0.5"},
      {R"({"count": 12.0})", "count: 12"},
      {R"({"ratio": 7})", "ratio: 7"},
      {R"({"flag": "TRUE"})", "flag: true"},
      {R"({"words": "one"})", R"(words: "one")"},
      {R"({"words": ["a", null, 1]})", R"(words: "a" words: "1")"},
      {R"({"notes": ["bare", {"text": "full"}]})",
       R"(notes { text: "bare" } notes { text: "full" })"},
      {R"({"labels": {"n": 1, "z": null}})", R"(labels { key: "n" value: "1" })"},
      {R"({"madeAt": ""})", ""},
      {R"({"extra": {"extraScore": 1}})", "extra { extra_score: 1 }"},
      {R"({"extraScore": 2})", "extra { extra_score: 2 }"},
      {R"({"extra_score": "3"})", "extra { extra_score: 3 }"},
      {R"({"extraScore": 2, "extra": {}})", "extra { extra_score: 2 }"},
      {R"({"extraScore": 2, "extra": {"extraScore": 4}})", "extra { extra_score: 4 }"},
      {R"({"extra": {"extraScore": 4}, "extra_score": 2})", "extra { extra_score: 4 }"},
      {"\xEF\xBB\xBF{\"id\": \"after a byte order mark\"}", R"(id: "after a byte order mark")"},
      {R"({"colour": "ROUGE"})", R"(colour: COLOUR_RED colour_raw: "ROUGE")"},
      {R"({"color": "red"})", R"(colour: COLOUR_RED colour_raw: "red")"},
      {R"({"colour": ""})", ""},
  };
  for (const auto& [json, expected] : rows) {
    EXPECT_THAT(Read(json), IsProto(expected)) << json;
    EXPECT_TRUE(drifts_.empty()) << json;
  }
}

TEST_F(JsonDecoderTest, WritesNoMoreThanProtobufItselfWould) {
  const std::string long_text(500, 'x');
  const std::vector<std::string> texts = {
      R"({"numbers": [0, 2.5], "words": ["", "y"], "ratio": 0, "flag": false, "count": 0, "big": -1,
          "colour": "red", "colour_raw": "ignored", "textValue": "", "id": "", "picture": ""})",
      R"({"words": ["b"], "madeAt": "1969-12-31T23:59:58.000000001Z", "id": "i", "count": -2147483648})",
      R"({"notes": [{"text": ")" + long_text + R"(", "weight": 0}, {}], "numbers": []})",
      R"({"extraScore": 1, "notes": ["bare", ""]})"};
  for (std::string text : texts) {
    std::string wire;
    ASSERT_TRUE(decoder_.DecodeToWire(*parser_.Parse(text), wire, [](const Drift&) {}).ok())
        << text;

    Stored stored;
    ASSERT_TRUE(stored.ParseFromString(wire)) << text;
    // Byte for byte but for the order of a map's entries, which is not protobuf's to say.
    EXPECT_EQ(stored.SerializeAsString().size(), wire.size()) << text;
  }
}

TEST_F(JsonDecoderTest, ReportsWhatItDoesNotKnowAndGoesOn) {
  const Stored stored =
      Read(R"({"novel": {"deep": 1}, "colour": "mauve", "notes": [{"other": 1}], "id": "i"})");

  EXPECT_THAT(stored, IsProto(R"pb(id: "i"
                                   colour_raw: "mauve"
                                   notes {})pb"));
  EXPECT_THAT(drifts_, testing::ElementsAre("key idv.test.Stored novel",
                                            "value idv.test.Stored.colour mauve",
                                            "key idv.test.Note other"));
}

TEST_F(JsonDecoderTest, KeepsTheWholeObjectWhereAskedTo) {
  Stored stored;

  ASSERT_TRUE(Decode(decoder_, R"({"id": "i", "novel": [1]})", stored).ok());

  EXPECT_EQ(stored.id(), "i");
  EXPECT_EQ(stored.all().fields().at("id").string_value(), "i");
  EXPECT_EQ(stored.all().fields().at("novel").list_value().values(0).number_value(), 1);
}

TEST_F(JsonDecoderTest, NamesTheKeyAndTheExpectationButNeverTheValue) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"({"id": ["secret"]})", "id: expected a text, got an array"},
      {R"({"flag": "secret"})", "flag: expected true or false, got a text"},
      {R"({"count": 2147483648})", "count: expected a 32-bit integer, got a number"},
      {R"({"count": 1.5})", "count: expected a 32-bit integer, got a number"},
      {R"({"big": 1e300})", "big: expected a 64-bit integer, got a number"},
      {R"({"ratio": "secret"})", "ratio: expected a number, got a text"},
      {R"({"ratio": "inf"})", "ratio: expected a number, got a text"},
      {R"({"colour": 7})", "colour: expected a text, got a number"},
      {R"({"madeAt": "secret"})", "madeAt: expected an RFC 3339 time, got a text"},
      {R"({"picture": "?"})", "picture: expected a base64 text, got a text"},
      {R"({"free": []})", "free: expected an object nested at most 30 deep, got an array"},
      {R"({"labels": {"k": {}}})", "labels: expected an object of texts, got an object"},
      {R"({"notes": {}})", "notes: expected an array, got an object"},
      {R"({"notes": [{"weight": true}]})", "notes.weight: expected a 32-bit integer, got a bool"},
      {R"({"extra": 1})", "extra: expected an object, got a number"},
      {R"("secret")", "expected an object, got a text"},
      {R"([])", "expected an object, got an array"},
      {R"(null)", "expected an object, got null"},
  };
  for (const auto& [json, expected] : rows) EXPECT_EQ(ErrorOf(json), expected) << json;
}

TEST_F(JsonDecoderTest, RefusesWhatIsNotWellFormed) {
  for (const std::string json :
       {"", "{", "<html></html>", R"({"id": "cut)", R"({"id": 123456789012345678901})",
        R"({"ratio": 1e999})", R"({"id": "\ud800"})", "{\"id\": \"\xff\"}", R"({"a": 1} x)"}) {
    EXPECT_THAT(ErrorOf(json), testing::StartsWith("not well-formed JSON: ")) << json;
  }
}

TEST_F(JsonDecoderTest, BoundsTheDepthOfFreeObjects) {
  const auto nested = [](int depth) {
    std::string text = "1";
    for (int i = 0; i < depth; ++i) text = R"({"a":)" + text + "}";
    return R"({"free":)" + text + "}";
  };

  // One less for the message around it, of which `all` keeps a copy.
  EXPECT_EQ(ErrorOf(nested(29)), "");
  EXPECT_NE(ErrorOf(nested(31)), "");
  EXPECT_NE(ErrorOf(nested(1000)), "");
}

TEST_F(JsonDecoderTest, FillsTheListFieldFromABareArrayOrNull) {
  const JsonDecoder decoder =
      *JsonDecoder::Compile(*Found::descriptor(), Found::descriptor()->FindFieldByName("items"));
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"([{"text": "a"}, {"text": "b"}])", R"(items { text: "a" } items { text: "b" })"},
      {"[]", ""},
      {"null", ""},
      {R"({"items": [{"text": "a"}], "total": 1})", R"(items { text: "a" } total: 1)"},
      {R"({"data": [{"text": "a"}]})", R"(items { text: "a" })"},
      {R"({"items": null, "total": 0})", ""},
  };
  for (const auto& [json, expected] : rows) {
    Found found;

    EXPECT_TRUE(Decode(decoder, json, found).ok()) << json;
    EXPECT_THAT(found, IsProto(expected)) << json;
  }
}

TEST_F(JsonDecoderTest, PassesOverWrongTypesInThatMode) {
  const JsonDecoder decoder =
      *JsonDecoder::Compile(*Stored::descriptor(), nullptr, JsonDecoder::Mode::kSkipWrongTypes);
  Stored stored;

  ASSERT_TRUE(Decode(decoder, R"({"id": [], "count": "x", "ratio": 2, "extra": 1})", stored).ok());

  stored.clear_all();
  EXPECT_THAT(stored, IsProto("ratio: 2"));
}

TEST_F(JsonDecoderTest, ReadsManyTextsWithOneParser) {
  for (int i = 0; i < 100; ++i) {
    const std::string id(static_cast<size_t>(i) * 100, 'x');

    EXPECT_EQ(Read(R"({"id": ")" + id + R"("})").id(), id);
  }
}

}  // namespace
}  // namespace idv
