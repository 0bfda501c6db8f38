// The stream of liveness frames of idv-verify, against a gateway that answers as scripted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/gateway/verify/lines.h"
#include "tests/gateway/verify/program.h"
#include "tests/gateway/verify/scripted_gateway.h"

namespace idv::verify {
namespace {

namespace v1 = kora::idv::v1;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr int kVerified = 0;
constexpr int kNoDecision = 2;
constexpr auto kStep = "liveness frames";

// Runs it with these flags besides.
std::vector<std::string> At(const ScriptedGateway& gateway, std::vector<std::string> flags) {
  flags.insert(flags.begin(), {"--target", gateway.Address()});
  return flags;
}

// The images of a whole stream: all between the header and the end mark.
std::vector<std::string> Images(const ScriptedGateway& gateway) {
  std::vector<std::string> images;
  for (const auto& message : gateway.Stream()) {
    if (message.has_frame()) images.push_back(message.frame().image());
  }
  return images;
}

json FramesLine(const std::string& out) {
  for (auto& line : JsonLines(out)) {
    if (line.value("step", "") == kStep) return line;
  }
  return {};
}

v1::LivenessChallenge Challenge(v1::LivenessChallengeType type, const std::string& raw) {
  v1::LivenessChallenge challenge;
  challenge.set_type(type);
  challenge.set_type_raw(raw);
  return challenge;
}

TEST(FramesTest, StreamsThemAfterTheChallenges) {
  const ScriptedGateway gateway;

  const auto outcome =
      Verify(At(gateway, {"--frames", "3", "--frame-size", "1KiB", "--fps", "40"}));

  EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
  EXPECT_EQ(outcome.err, "") << "a pipe gets no bar";
  const auto methods = gateway.Methods();
  EXPECT_THAT(
      std::vector(methods.end() - 3, methods.end()),
      ElementsAre("SubmitLivenessChallenge", "StreamLivenessFrames", "CompleteVerification"));
  EXPECT_THAT(Lines(outcome.out),
              Contains(AllOf(StartsWith("liveness frames "),
                             EndsWith(" ms  3 x 1 KiB of blink, passed, score 88.0, no spoof"))));
  const auto stream = gateway.Stream();
  ASSERT_EQ(stream.size(), 5U);
  EXPECT_EQ(stream[0].header().verification_id(), "ver-1");
  EXPECT_EQ(stream[0].header().frames_per_second(), 40);
  for (int i = 0; i < 3; ++i) {
    const auto& frame = stream[static_cast<std::size_t>(i) + 1].frame();
    EXPECT_EQ(frame.image().size(), 1024U);
    EXPECT_THAT(frame.image(), StartsWith("\xff\xd8\xff\xe0"));
    EXPECT_EQ(frame.capture_offset().seconds(), 0);
    EXPECT_EQ(frame.capture_offset().nanos(), 25'000'000 * i);
  }
  EXPECT_EQ(stream[4].end().frame_count(), 3);
}

TEST(FramesTest, MakesFramesOfAnySizeThatDiffer) {
  for (const std::string size : {"1", "3", "150", "65537", "1MiB"}) {
    const ScriptedGateway gateway;

    const auto outcome =
        Verify(At(gateway, {"--frames", "5", "--frame-size", size, "--fps", "1000"}));

    EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
    const auto images = Images(gateway);
    EXPECT_EQ(images.size(), 5U) << size;
    EXPECT_EQ(std::set(images.begin(), images.end()).size(), 5U) << size;
    for (const auto& image : images) {
      EXPECT_EQ(image.size(), size == "1MiB" ? 1'048'576U : std::stoul(size));
    }
  }
}

TEST(FramesTest, SendsThemAtTheirPace) {
  const ScriptedGateway gateway;

  const auto outcome =
      Verify(At(gateway, {"--json", "--frames", "5", "--frame-size", "1", "--fps", "8"}));
  const auto other = Verify(At(gateway, {"--json", "--frames", "1", "--fps", "0.001"}));

  EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
  EXPECT_GE(FramesLine(outcome.out).at("ms"), 500) << "four pauses of 125 ms";
  EXPECT_EQ(other.exit_code, kVerified) << other.err;
  EXPECT_LT(other.took, seconds(5)) << "no pause after the last";
}

TEST(FramesTest, StreamsNoneUnlessTold) {
  for (const auto& flags :
       {std::vector<std::string>{}, {"--frames", "0"}, {"--frames", "0", "--fps", "5"}}) {
    const ScriptedGateway gateway;

    const auto outcome = Verify(At(gateway, flags));

    EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
    EXPECT_THAT(gateway.Methods(), Not(Contains("StreamLivenessFrames")));
    EXPECT_THAT(outcome.out, Not(HasSubstr(kStep)));
  }
}

TEST(FramesTest, NamesTheFirstChallengeIfThereIsOne) {
  const auto nod = Challenge(v1::LIVENESS_CHALLENGE_TYPE_NOD_UP, "nod_up");
  const auto wink = Challenge(v1::LIVENESS_CHALLENGE_TYPE_UNSPECIFIED, "wink");
  struct Row {
    std::vector<v1::LivenessChallenge> challenges;
    v1::LivenessChallengeType type;
    const char* raw;
    const char* says;
  };
  for (const auto& row :
       {Row{{nod, wink}, v1::LIVENESS_CHALLENGE_TYPE_NOD_UP, "", " of nod_up, "},
        Row{{wink, nod}, v1::LIVENESS_CHALLENGE_TYPE_UNSPECIFIED, "wink", " of wink, "},
        Row{{}, v1::LIVENESS_CHALLENGE_TYPE_UNSPECIFIED, "", "64 KiB, passed"}}) {
    ScriptedGateway gateway;
    gateway.Challenge(row.challenges);

    const auto outcome = Verify(At(gateway, {"--frames", "1"}));

    EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr(row.says));
    const auto stream = gateway.Stream();
    ASSERT_FALSE(stream.empty());
    EXPECT_EQ(stream[0].header().challenge_type(), row.type) << row.says;
    EXPECT_EQ(stream[0].header().challenge_type_raw(), row.raw) << row.says;
  }
}

TEST(FramesTest, ReportsARefusalWhileAFrameWaitsForRoom) {
  ScriptedGateway gateway;
  gateway.EndFramesAfter(2);
  gateway.Fail("StreamLivenessFrames", {grpc::StatusCode::INVALID_ARGUMENT, "frame too large"});

  const auto outcome =
      Verify(At(gateway, {"--frames", "1000", "--frame-size", "3MiB", "--fps", "1000"}));

  EXPECT_EQ(outcome.exit_code, kNoDecision);
  EXPECT_LT(outcome.took, seconds(10));
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr("liveness frames failed"), HasSubstr("status         INVALID_ARGUMENT"),
            HasSubstr("message        frame too large"), HasSubstr("frames sent    ")));
  EXPECT_THAT(gateway.Methods().back(), "StreamLivenessFrames");
}

TEST(FramesTest, ReportsARefusalWhileNoFrameIsDue) {
  for (const int frames : {0, 1}) {
    ScriptedGateway gateway;
    gateway.EndFramesAfter(frames);
    gateway.Fail("StreamLivenessFrames", {grpc::StatusCode::FAILED_PRECONDITION, "too late"});

    const auto outcome = Verify(At(gateway, {"--json", "--frames", "2", "--fps", "0.02"}));

    EXPECT_EQ(outcome.exit_code, kNoDecision);
    EXPECT_LT(outcome.took, seconds(10));
    const auto error = JsonLines(outcome.out).back().at("error");
    EXPECT_EQ(error.at("code"), "FAILED_PRECONDITION");
    EXPECT_LE(error.at("frames_sent"), 1);
  }
}

TEST(FramesTest, TakesAnEarlyAnswerAndSaysWhatWasSent) {
  ScriptedGateway gateway;
  gateway.EndFramesAfter(1);

  const auto outcome = Verify(At(gateway, {"--frames", "2", "--fps", "0.02"}));

  EXPECT_EQ(outcome.exit_code, kVerified) << outcome.err;
  EXPECT_LT(outcome.took, seconds(10));
  EXPECT_THAT(outcome.out, HasSubstr(" 1 of 2 x 64 KiB of blink, passed"));
}

TEST(FramesTest, GivesTheStreamUpWhenTheTimeIsOver) {
  const std::vector<std::string> blocked{"--frame-size", "3MiB", "--fps", "1000"};
  const std::vector<std::string> pausing{"--fps", "0.02"};
  for (const auto& flags : {blocked, pausing}) {
    ScriptedGateway gateway;
    gateway.IgnoreFrames();
    auto arguments = At(gateway, {"--timeout", "1500ms", "--frames", "9"});
    arguments.insert(arguments.end(), flags.begin(), flags.end());

    const auto outcome = Verify(arguments);

    EXPECT_EQ(outcome.exit_code, kNoDecision);
    EXPECT_LT(outcome.took, seconds(5));
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("liveness frames failed"),
                      HasSubstr("when --timeout 1500ms was over"), HasSubstr("frames sent    ")));
  }
}

TEST(FramesTest, WritesOneJsonObjectForAllOfThem) {
  const ScriptedGateway gateway;

  const auto outcome = VerifyOnTerminal(
      At(gateway, {"--json", "--frames", "4", "--frame-size", "2KiB", "--fps", "20"}), 80);

  EXPECT_EQ(outcome.exit_code, kVerified);
  EXPECT_EQ(outcome.err, "") << "no bar";
  EXPECT_EQ(JsonLines(outcome.out).size(), 10U);
  auto line = FramesLine(outcome.out);
  EXPECT_TRUE(line.at("ms").is_number());
  line.erase("ms");
  EXPECT_EQ(line, json({{"step", kStep},
                        {"ok", true},
                        {"frames", 4},
                        {"frame_bytes", 2048},
                        {"bytes", 8192},
                        {"challenge", "blink"},
                        {"completed", true},
                        {"score", 88.0},
                        {"spoof_detected", false}}));
}

// What a terminal was sent between two returns to the start of the line.
std::vector<std::string> Drawn(const std::string& terminal) {
  std::vector<std::string> drawn;
  std::istringstream stream(terminal);
  for (std::string line; std::getline(stream, line, '\r');) drawn.push_back(line);
  return drawn;
}

// The bar when so many of 5 frames of 1 MiB are sent.
testing::Matcher<std::string> Bar(int sent) {
  const auto full = static_cast<std::size_t>(sent) * 6;
  const auto number = std::to_string(sent);
  return AllOf(
      StartsWith("liveness frames  [" + std::string(full, '#') + std::string(30 - full, '-') +
                 "]  " + number + "/5  " + number + ".0 MiB  "),
      EndsWith("iB/s\x1b[K"));
}

TEST(FramesTest, RedrawsABarOnATerminalAndRemovesIt) {
  const ScriptedGateway gateway;

  const auto outcome =
      VerifyOnTerminal(At(gateway, {"--frames", "5", "--frame-size", "1MiB", "--fps", "5"}), 80);

  EXPECT_EQ(outcome.exit_code, kVerified);
  const auto drawn = Drawn(outcome.err);
  EXPECT_THAT(drawn, Contains(AnyOf(Bar(1), Bar(2), Bar(3), Bar(4))));
  EXPECT_EQ(drawn.back(), "\x1b[K");
  EXPECT_LE(drawn.size(), outcome.took / milliseconds(100) + 3) << "ten times a second will do";
  EXPECT_EQ(outcome.err.find('\n'), std::string::npos);
  EXPECT_THAT(outcome.out, Not(HasSubstr("\r")));
}

TEST(FramesTest, KeepsTheBarWithinANarrowTerminal) {
  for (const int columns : {60, 40, 10, 1}) {
    const ScriptedGateway gateway;

    const auto outcome = VerifyOnTerminal(At(gateway, {"--frames", "3", "--fps", "10"}), columns);

    EXPECT_EQ(outcome.exit_code, kVerified);
    const auto drawn = Drawn(outcome.err);
    EXPECT_GE(drawn.size(), 3U);
    for (const auto& line : drawn) {
      EXPECT_LT(line.substr(0, line.find('\x1b')).size(), columns) << line;
    }
  }
}

TEST(FramesTest, RemovesTheBarBeforeItExplainsAFailure) {
  ScriptedGateway gateway;
  gateway.EndFramesAfter(1);
  gateway.Fail("StreamLivenessFrames", {grpc::StatusCode::NOT_FOUND, "gone"});

  const auto outcome = VerifyOnTerminal(At(gateway, {"--frames", "9"}), 80);

  EXPECT_EQ(outcome.exit_code, kNoDecision);
  EXPECT_THAT(outcome.err, HasSubstr("\r\x1b[K\r\nNo decision: liveness frames failed"));
}

TEST(FramesTest, RefusesBadFlagsInOneLine) {
  struct Row {
    std::vector<std::string> arguments;
    const char* says;
  };
  for (const auto& row : std::vector<Row>{
           {{"--frames"}, "--frames"},
           {{"--frames", "-1"}, "--frames: '-1' is no whole number between 0 and 1000000"},
           {{"--frames", "1.5"}, "--frames: '1.5' is no whole number"},
           {{"--frames", "1000001"}, "--frames: '1000001' is no whole number between"},
           {{"--frames", ""}, "--frames: '' is no whole number"},
           {{"--frame-size", "1KiB"}, "--frame-size requires --frames"},
           {{"--fps", "10"}, "--fps requires --frames"},
           {{"--frames", "1", "--frame-size", "0"}, "--frame-size: '0' is not between 1 and 64MiB"},
           {{"--frames", "1", "--frame-size", "65MiB"}, "--frame-size: '65MiB' is not between"},
           {{"--frames", "1", "--frame-size", "1kB"}, "--frame-size: '1kB' is no size"},
           {{"--frames", "1", "--frame-size", "-5"}, "--frame-size: '-5' is no size"},
           {{"--frames", "1", "--fps", "0"}, "--fps: '0' is no positive number"},
           {{"--frames", "1", "--fps", "-2"}, "--fps: '-2' is no positive number"},
           {{"--frames", "1", "--fps", "inf"}, "--fps: 'inf' is no positive number"},
           {{"--frames", "1", "--fps", "nan"}, "--fps: 'nan' is no positive number"},
           {{"--frames", "1", "--fps", "1e999"}, "--fps: '1e999' is no positive number"},
           {{"--frames", "1", "--fps", "ten"}, "--fps: 'ten' is no positive number"},
       }) {
    const auto outcome = Verify(row.arguments);

    EXPECT_EQ(outcome.exit_code, kNoDecision) << row.says;
    EXPECT_EQ(outcome.out, "") << row.says;
    EXPECT_THAT(Lines(outcome.err),
                ElementsAre(AllOf(StartsWith("idv-verify: "), HasSubstr(row.says))));
  }
}

TEST(FramesTest, AreInTheHelp) {
  EXPECT_THAT(Verify({"--help"}).out,
              AllOf(HasSubstr("--frames N=0"), HasSubstr("--frame-size BYTES=64KiB"),
                    HasSubstr("--fps F=10")));
}

}  // namespace
}  // namespace idv::verify
