// HTTP/2 to an upstream that resets streams and says goodbye, frame by frame.

#include <gmock/gmock.h>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/footprint.h"
#include "tests/chaos/http2.h"
#include "tests/e2e/attempt.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/http2_server.h"
#include "tests/e2e/slack.h"
#include "tests/upstream/certificates.h"

namespace idv::e2e {
namespace {

namespace http2 = chaos::http2;

using Action = Http2Server::Handler;
using Reply = Http2Server::Reply;
using http2::Type;
using std::chrono::milliseconds;

constexpr milliseconds kPatience{3000};
// Long before the patience is over, however busy the machine is.
constexpr milliseconds kAtOnce{500};

// RFC 9113, section 7.
enum Error : uint32_t {
  kNoError = 0,
  kInternalError = 2,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11,
  kHttp11Required = 13,
};

constexpr char kStatus200 = '\x88';  // RFC 7541, appendix A
constexpr char kBody[] = R"({"id":"1","alerts":[]})";

std::string AnswerHead(uint32_t stream) {
  return http2::Headers(stream, std::string(1, kStatus200));
}
std::string Half(uint32_t stream) {
  return AnswerHead(stream) + http2::Frame(Type::kData, 0, stream, std::string(kBody).substr(0, 9));
}
std::string Answer(uint32_t stream) {
  return AnswerHead(stream) + http2::Frame(Type::kData, http2::kEndStream, stream, kBody);
}
std::string Goaway(uint32_t last_stream, uint32_t error) {
  return http2::Frame(Type::kGoaway, 0, 0, http2::Uint32(last_stream) + http2::Uint32(error));
}

// What the server does to the first request and to all others, what is told of it, and how many
// requests it gets for a GET. A POST is never repeated.
struct Row {
  std::string what;
  Action first;
  Action others;
  Told get;
  Told post;
  int gets_sent = 1;
};

Reply Fine(uint32_t stream) { return {.frames = Answer(stream)}; }

Reply Nonsense(uint32_t) { return {.frames = std::string(100, 'x')}; }
Reply LargeHeaders(uint32_t stream) {
  const std::string header = http2::Block({{"x-long", std::string(1 << 20, 'x')}});
  return {.frames = http2::Headers(stream, kStatus200 + header)};
}

Action Reset(uint32_t error) {
  return [error](uint32_t stream) { return Reply{.frames = http2::RstStream(stream, error)}; };
}
Action ResetHalfway(uint32_t error) {
  return [error](uint32_t stream) {
    return Reply{.frames = Half(stream) + http2::RstStream(stream, error)};
  };
}

std::vector<Row> Rows() {
  const auto refused_by_goaway = [](uint32_t) { return Reply{.frames = Goaway(0, kNoError)}; };
  return {
      {"answers", &Fine, &Fine, kFine, kFine},
      {"resets: INTERNAL_ERROR", Reset(kInternalError), &Fine, kLost, kLost},
      {"resets: CANCEL", Reset(kCancel), &Fine, kLost, kLost},
      {"resets: ENHANCE_YOUR_CALM", Reset(kEnhanceYourCalm), &Fine, kLost, kLost},
      {"resets: NO_ERROR", Reset(kNoError), &Fine, kLost, kLost},
      {"resets: HTTP_1_1_REQUIRED", Reset(kHttp11Required), &Fine, kLost, kLost},
      {"resets: REFUSED_STREAM once", Reset(kRefusedStream), &Fine, kFine, kLost, 2},
      {"resets: REFUSED_STREAM always", Reset(kRefusedStream), Reset(kRefusedStream), kLost, kLost,
       6},
      {"resets halfway: INTERNAL_ERROR", ResetHalfway(kInternalError), &Fine, kLost, kLost},
      {"resets halfway: CANCEL", ResetHalfway(kCancel), &Fine, kLost, kLost},
      {"resets halfway: REFUSED_STREAM", ResetHalfway(kRefusedStream), &Fine, kFine, kLost, 2},
      {"resets halfway: NO_ERROR", ResetHalfway(kNoError), &Fine, kFine, kLost, 2},
      {"says GOAWAY and answers",
       [](uint32_t stream) {
         return Reply{.frames = Goaway(stream, kNoError) + Answer(stream), .close = true};
       },
       &Fine, kFine, kFine},
      {"says GOAWAY for later and answers",
       [](uint32_t stream) {
         return Reply{.frames = Goaway(0x7fffffff, kNoError) + Answer(stream)};
       },
       &Fine, kFine, kFine},
      {"says GOAWAY without the request", refused_by_goaway, &Fine, kFine, kLost, 2},
      {"says GOAWAY: INTERNAL_ERROR and goes",
       [](uint32_t stream) {
         return Reply{.frames = Goaway(stream, kInternalError), .close = true};
       },
       &Fine, kFine, kLost, 2},
      {"says GOAWAY halfway and goes",
       [](uint32_t stream) {
         return Reply{.frames = Half(stream) + Goaway(stream, kNoError), .close = true};
       },
       &Fine, kLost, kLost},
      {"goes", [](uint32_t) { return Reply{.frames = "", .close = true}; }, &Fine, kFine, kLost, 2},
      {"goes halfway", [](uint32_t stream) { return Reply{.frames = Half(stream), .close = true}; },
       &Fine, kLost, kLost},
      {"talks nonsense", &Nonsense, &Nonsense, kLost, kLost, 2},
      // libnghttp2 takes no more than 64 KiB of them, and gives the connection up.
      {"sends a megabyte of headers", &LargeHeaders, &LargeHeaders, kLost, kLost, 2},
  };
}

class UpstreamHttp2Test : public testing::Test {
 protected:
  static Json Config(int port, const TestCertificates& certificates) {
    Json config =
        OneRequestPerCall(BasicConfig("https://localhost:" + std::to_string(port) + "/api/v1/idv"));
    config["upstream"]["ca_file"] = certificates.ca_file();
    return config;
  }

  // What the server does to the next request, and to all after it.
  void Do(Action next, Action others) {
    const std::lock_guard lock(mutex_);
    next_ = std::move(next);
    others_ = std::move(others);
  }
  Reply React(uint32_t stream) {
    const std::lock_guard lock(mutex_);
    return std::exchange(next_, others_)(stream);
  }

  void Try(const Row& row, const char* name, Attempt (*call)(const Client&), const Told& told,
           int sent) {
    Do(row.first, row.others);
    const int before = server_.requests();

    const Attempt attempt = call(client_);

    const int requests = server_.requests() - before;
    std::printf("%-40s %-4s %-28s %3d ms, %d sent\n", row.what.c_str(), name,
                Describe(attempt).c_str(), static_cast<int>(attempt.took.count()), requests);
    SCOPED_TRACE(row.what + " " + name);
    ExpectTold(attempt, told);
    EXPECT_LT(attempt.took, kAtOnce);
    EXPECT_EQ(requests, sent);
    Do(&Fine, &Fine);
    ExpectTold(TryGet(client_, kPatience), kFine);
  }

  const TestCertificates certificates_;
  std::mutex mutex_;
  Action next_ = &Fine;    // protected by mutex_
  Action others_ = &Fine;  // protected by mutex_
  Http2Server server_{certificates_, [this](uint32_t stream) { return React(stream); }};
  Gateway gateway_{Config(server_.port(), certificates_)};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(UpstreamHttp2Test, TellsTheTruthWhateverTheServerDoesAndStaysSmall) {
  constexpr size_t kGrowthKib = 8 << 10;
  ExpectTold(TryGet(client_, kPatience), kFine);
  const size_t before = chaos::StatusKib(gateway_.process().pid(), "VmHWM");

  for (const Row& row : Rows()) {
    Try(
        row, "GET", [](const Client& client) { return TryGet(client, kPatience); }, row.get,
        row.gets_sent);
    Try(row, "POST", [](const Client& client) { return TryPost(client, kPatience); }, row.post, 1);
  }

  EXPECT_LE(chaos::StatusKib(gateway_.process().pid(), "VmHWM") - before, kGrowthKib + kSlackKib);
}

}  // namespace
}  // namespace idv::e2e
