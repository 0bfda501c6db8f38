// Measures frame streams through the gateway beside the bare parts they are made of, and uploads
// that are held at the same time; streams.sh says what and how. The rounds take turns, so that a
// noisy machine disturbs all alike.

#include <curl/curl.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/pictures.h"
#include "tests/bench/stage.h"
#include "tests/bench/streams_report.h"

namespace idv::bench {
namespace {

constexpr uint64_t kMegabyte = 1'000'000;
constexpr size_t kFrameBytes = 1 << 20;

// Before what counts, in the same way. Small ones, so that no memory is left over for the others.
constexpr uint64_t kWarmUps = 4;
constexpr size_t kWarmUpBytes = 16 << 10;

struct Options {
  int rounds = 5;
  uint64_t megabytes = 500;
  uint64_t uploads = 50;
  uint64_t upload_megabytes = 8;
  bool anywhere = false;
  std::string json;
  std::string gateway = IDV_GATEWAY_PATH;

  uint64_t frames() const { return (megabytes * kMegabyte + kFrameBytes - 1) / kFrameBytes; }
  size_t upload_bytes() const { return upload_megabytes * kMegabyte; }
};

// Above what is measured.
nlohmann::json Limits(const Options& options) {
  return {{"frames", 1'000'000},
          {"stream_bytes", "64GiB"},
          {"max_image", std::to_string(std::max<size_t>(options.upload_bytes(), kFrameBytes))},
          {"upload_memory", "1GiB"},
          {"max_deadline", "600s"},
          {"frame_idle", "60s"},
          {"upstream_stall", "60s"}};
}

using Arguments = std::vector<std::string>;

// So many pictures, for a client.
Arguments Pictures(const char* what, uint64_t count, size_t image_bytes) {
  return {what, std::to_string(count), "--image-bytes", std::to_string(image_bytes)};
}

class Streams {
 public:
  explicit Streams(const Options& options) : options_(options) {
    findings_.stream_bytes = options.frames() * kFrameBytes;
    findings_.uploads = options.uploads;
    findings_.upload_bytes = options.upload_bytes();
  }

  StreamsFindings Run();

 private:
  StreamsRound MeasureRound();
  nlohmann::json MeasureReceive() const;
  nlohmann::json MeasureSend();
  nlohmann::json MeasureGateway();
  nlohmann::json MeasureUploads();
  void ExpectStream(uint64_t frames, size_t image_bytes);
  void ExpectUploads(uint64_t uploads, size_t image_bytes);

  const Options& options_;
  const Listener upstream_{IDV_BENCH_SINK_PATH, {}};
  StreamsFindings findings_;
};

template <typename Server>
nlohmann::json Send(const Server& server, const Arguments& pictures) {
  Arguments arguments = {"--target", server.address(), "--server-pid",
                         std::to_string(server.pid())};
  arguments.insert(arguments.end(), pictures.begin(), pictures.end());
  return RunClient(IDV_BENCH_UPLOAD_PATH, arguments);
}

template <typename Server>
nlohmann::json SendStream(const Server& server, uint64_t frames) {
  Send(server, Pictures("--frames", kWarmUps, kWarmUpBytes));
  return Send(server, Pictures("--frames", frames, kFrameBytes));
}

void Streams::ExpectStream(uint64_t frames, size_t image_bytes) {
  ++findings_.requests_expected;
  findings_.body_bytes_expected += FramesJson(image_bytes).Size(frames);
}

void Streams::ExpectUploads(uint64_t uploads, size_t image_bytes) {
  findings_.requests_expected += uploads;
  findings_.body_bytes_expected += uploads * UploadJsonSize(image_bytes);
}

nlohmann::json Streams::MeasureReceive() const {
  return SendStream(Listener(IDV_BENCH_RECEIVE_PATH, {}), options_.frames());
}

nlohmann::json Streams::MeasureSend() {
  Arguments arguments = {"--upstream", "http://" + upstream_.address(), "--warm-up",
                         std::to_string(kWarmUps)};
  const Arguments pictures = Pictures("--frames", options_.frames(), kFrameBytes);
  arguments.insert(arguments.end(), pictures.begin(), pictures.end());
  ExpectStream(kWarmUps, kFrameBytes);
  ExpectStream(options_.frames(), kFrameBytes);
  return RunClient(IDV_BENCH_SEND_PATH, arguments);
}

nlohmann::json Streams::MeasureGateway() {
  const ServingGateway gateway(options_.gateway, upstream_.address(), Limits(options_));
  ExpectStream(kWarmUps, kWarmUpBytes);
  ExpectStream(options_.frames(), kFrameBytes);
  return SendStream(gateway, options_.frames());
}

// The upstream takes nothing of any of them before it has heard of all.
nlohmann::json Streams::MeasureUploads() {
  const ServingGateway gateway(options_.gateway, upstream_.address(), Limits(options_));
  ExpectUploads(kWarmUps, kWarmUpBytes);
  ExpectUploads(options_.uploads, options_.upload_bytes());
  Send(gateway, Pictures("--uploads", kWarmUps, kWarmUpBytes));
  Ask(upstream_, "/hold/" + std::to_string(options_.uploads));
  return Send(gateway, Pictures("--uploads", options_.uploads, options_.upload_bytes()));
}

StreamsRound Streams::MeasureRound() {
  StreamsRound round;
  round.receive = MeasureReceive();
  round.send = MeasureSend();
  round.gateway = MeasureGateway();
  round.uploads = MeasureUploads();
  return round;
}

StreamsFindings Streams::Run() {
  for (int i = 0; i < options_.rounds; ++i) {
    std::fprintf(stderr, "round %d of %d\n", i + 1, options_.rounds);
    findings_.rounds.push_back(MeasureRound());
  }
  findings_.requests_served = ServedBy(upstream_);
  findings_.body_bytes_served = Ask(upstream_, "/bytes");
  return findings_;
}

// Has this program, and all that it starts, run on one processor, the first that it may use.
void StayOnOneProcessor() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) throw Broken("no processors to use");
  size_t first = 0;
  while (first + 1 < CPU_SETSIZE && !CPU_ISSET(first, &allowed)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) throw Broken("cannot stay on one processor");
}

int Main(const Options& options) {
  if (!options.anywhere) StayOnOneProcessor();
  const StreamsFindings findings = Streams(options).Run();
  PrintReport(findings);
  if (!options.json.empty()) {
    std::ofstream file(options.json);
    file << ToJson(findings).dump(2) << "\n";
    if (!file.flush()) throw Broken("cannot write " + options.json);
  }
  if (!findings.is_complete()) throw Broken("not everything has come to the upstream whole");
  return 0;
}

}  // namespace
}  // namespace idv::bench

int main(int argc, char** argv) {
  CLI::App app("Measures frame streams and uploads through idv-gateway beside the bare parts.",
               "tests/bench/streams.sh");
  idv::bench::Options options;
  app.add_option("--rounds", options.rounds, "Rounds; figures are medians of them")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--megabytes", options.megabytes, "Images of a stream")
      ->check(CLI::Range(1, 40'000))
      ->capture_default_str();
  app.add_option("--uploads", options.uploads, "Uploads at the same time")
      ->check(CLI::Range(1, 250))
      ->capture_default_str();
  app.add_option("--upload-megabytes", options.upload_megabytes, "Image of an upload")
      ->check(CLI::Range(1, 500))
      ->capture_default_str();
  app.add_flag("--anywhere", options.anywhere, "Use all processors instead of one");
  app.add_option("--json", options.json, "Also write the figures to this file");
  app.add_option("--gateway", options.gateway, "Measure this build of the gateway")
      ->check(CLI::ExistingFile);
  app.footer("Exit codes: 0 measured, whatever came out; 1 something does not work.");
  CLI11_PARSE(app, argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  try {
    return idv::bench::Main(options);
  } catch (const idv::bench::Broken& broken) {
    std::cerr << "streams: " << broken.what() << "\n";
    return 1;
  }
}
