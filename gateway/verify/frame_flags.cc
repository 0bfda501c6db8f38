#include "gateway/verify/frame_flags.h"

#include <absl/status/status.h>
#include <absl/strings/numbers.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "gateway/quantity.h"

namespace idv::verify {
namespace {

constexpr int kMaxFrames = 1'000'000;
// As much as --image may have: far above what the gateway takes, so that its own refusal can still
// be seen.
constexpr std::size_t kMaxFrameBytes = std::size_t{64} << 20;

absl::Status Mistake(const std::string& text) { return absl::InvalidArgumentError(text); }

absl::Status ReadCount(const std::string& text, int& count) {
  if (absl::SimpleAtoi(text, &count) && count >= 0 && count <= kMaxFrames) {
    return absl::OkStatus();
  }
  return Mistake("--frames: '" + text + "' is no whole number between 0 and 1000000");
}

absl::Status ReadFrameSize(const std::string& text, std::size_t& bytes) {
  const auto size = ParseSize(text);
  if (!size.ok()) return Mistake("--frame-size: " + std::string(size.status().message()));
  if (*size < 1 || *size > kMaxFrameBytes) {
    return Mistake("--frame-size: '" + text + "' is not between 1 and 64MiB");
  }
  bytes = *size;
  return absl::OkStatus();
}

absl::Status ReadRate(const std::string& text, double& per_second) {
  if (absl::SimpleAtod(text, &per_second) && std::isfinite(per_second) && per_second > 0) {
    return absl::OkStatus();
  }
  return Mistake("--fps: '" + text + "' is no positive number such as 10 or 29.97");
}

}  // namespace

void DescribeFrameFlags(CLI::App& app, FrameFlags& flags) {
  auto* const frames =
      app.add_option(
             "--frames", flags.frames,
             "Liveness frames to stream after the challenges; a terminal shows how far it is")
          ->type_name("N")
          ->capture_default_str();
  app.add_option("--frame-size", flags.frame_size,
                 "Of each: 1500, 64KiB, 2MiB. The picture, cut or filled up, numbered at the end")
      ->type_name("BYTES")
      ->capture_default_str()
      ->needs(frames);
  app.add_option("--fps", flags.fps, "Frames per second: what the gateway is told, and the pace")
      ->type_name("F")
      ->capture_default_str()
      ->needs(frames);
}

absl::StatusOr<FramePlan> ReadFramePlan(const FrameFlags& flags) {
  FramePlan plan;
  if (auto read = ReadCount(flags.frames, plan.count); !read.ok()) return read;
  if (auto read = ReadFrameSize(flags.frame_size, plan.bytes); !read.ok()) return read;
  if (auto read = ReadRate(flags.fps, plan.per_second); !read.ok()) return read;
  return plan;
}

}  // namespace idv::verify
