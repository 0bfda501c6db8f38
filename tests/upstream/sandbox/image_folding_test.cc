#include "upstream/sandbox/image_folding.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "upstream/sandbox/json.h"

namespace idv::sandbox {
namespace {

std::string Fold(const std::string& text, std::size_t piece_size) {
  ImageFolding folding;
  for (std::size_t at = 0; at < text.size(); at += piece_size) {
    folding.Add(std::string_view(text).substr(at, piece_size));
  }
  return folding.Take();
}

struct Row {
  const char* text;
  const char* folded;
};

const std::vector<Row> kRows = {
    {R"({"imageBase64":"QUJDRA=="})", R"({"imageBase64":"AAAA"})"},
    {R"({ "imageBase64" : "QUJDRA==" , "a" : 1 })", R"({ "imageBase64" : "AAAA" , "a" : 1 })"},
    {R"({"imageBase64":""})", R"({"imageBase64":""})"},
    {R"({"imageBase64":"QUJ"})", R"({"imageBase64":"!"})"},
    {R"({"imageBase64":"QU-_"})", R"({"imageBase64":"!"})"},
    {R"({"imageBase64":"Q=JD"})", R"({"imageBase64":"!"})"},
    {R"({"imageBase64":"Q===")", R"({"imageBase64":"!")"},
    {R"({"imageBase64":"data:image/png;base64,QUJD"})", R"({"imageBase64":"!"})"},
    {R"({"imageBase64":"QU\/D"})", R"({"imageBase64":"AAAA"})"},
    {R"({"imageBase64":"QU\u002BD"})", R"({"imageBase64":"AAAA"})"},
    {R"({"imageBase64":"QU\u00e9D"})", R"({"imageBase64":"!"})"},
    {R"({"imageBase64":"QUJD\n"})", R"({"imageBase64":"!"})"},
    {R"({"imageBase64":"QU\"D"})", R"({"imageBase64":"!"})"},
    {R"({"imageBase64":null,"x":"QUJDRA=="})", R"({"imageBase64":null,"x":"QUJDRA=="})"},
    {R"({"imageBase64":7})", R"({"imageBase64":7})"},
    {R"({"frames":["QUJDRA==","","?"],"challengeType":"blink"})",
     R"({"frames":["AAAA","","!"],"challengeType":"blink"})"},
    {R"({"frames":[],"timestamps":[1,2]})", R"({"frames":[],"timestamps":[1,2]})"},
    {R"({"liveness":{"challenges":[{"type":"smile","imageBase64":"QUJDRA==","frameImages":["QUJDRA==","QUJDRA=="],"diagnostics":"imageBase64"}]}})",
     R"({"liveness":{"challenges":[{"type":"smile","imageBase64":"AAAA","frameImages":["AAAA","AAAA"],"diagnostics":"imageBase64"}]}})"},
    {R"({"a":"imageBase64","b":"QUJDRA=="})", R"({"a":"imageBase64","b":"QUJDRA=="})"},
    {R"({"a":"\"imageBase64\":\"QUJDRA==\""})", R"({"a":"\"imageBase64\":\"QUJDRA==\""})"},
    {R"({"a":"\\","imageBase64":"QUJDRA=="})", R"({"a":"\\","imageBase64":"AAAA"})"},
    {R"({"frames":[{"x":"QUJDRA=="}],"y":"QUJDRA=="})",
     R"({"frames":[{"x":"QUJDRA=="}],"y":"QUJDRA=="})"},
    {R"(["imageBase64","QUJDRA=="])", R"(["imageBase64","QUJDRA=="])"},
    {"", ""},
    {"not json at all \"", "not json at all \""},
    {"]]}}{\"imageBase64\":\"QUJDRA==\"}", "]]}}{\"imageBase64\":\"AAAA\"}"},
};

TEST(ImageFoldingTest, FoldsImagesAndNothingElseHoweverTheTextIsCut) {
  for (const Row& row : kRows) {
    for (const std::size_t piece_size : {1U, 2U, 3U, 7U, 1000U}) {
      EXPECT_EQ(Fold(row.text, piece_size), row.folded) << row.text << " by " << piece_size;
    }
  }
}

TEST(ImageFoldingTest, LeavesBrokenTextBroken) {
  for (const char* const text : {"{\"imageBase64\":\"QU\nD\"}", "{\"imageBase64\":\"QUJD",
                                 R"({"imageBase64":"\u00zz"})", R"({"imageBase64":"QUJD"]})"}) {
    EXPECT_FALSE(Json::accept(Fold(text, 4))) << text;
  }
}

TEST(ImageFoldingTest, HoldsNothingOfALargeImage) {
  std::string text = R"({"frames":[)";
  for (int i = 0; i < 100; ++i) text += '"' + std::string(100000, 'A') + "\",";
  text += R"("QUJD"]})";

  const std::string folded = Fold(text, 65536);

  EXPECT_EQ(Json::parse(folded)["frames"].size(), 101U);
  EXPECT_LT(folded.size(), 1000U);
}

TEST(ImageFoldingTest, SurvivesEndlessNesting) {
  const std::string text = std::string(100000, '[') + R"("imageBase64")" + std::string(100000, ']');

  EXPECT_EQ(Fold(text, 4096), text);
}

}  // namespace
}  // namespace idv::sandbox
