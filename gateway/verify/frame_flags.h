#pragma once

#include <absl/status/statusor.h>

#include <CLI/App.hpp>
#include <string>

#include "gateway/verify/frame_plan.h"

namespace idv::verify {

// --frames, --frame-size and --fps, as they stand on the command line.
struct FrameFlags {
  std::string frames = "0";
  std::string frame_size = "64KiB";
  std::string fps = "10";
};

// Makes `app` read the flags into `flags`, which must outlive it.
void DescribeFrameFlags(CLI::App& app, FrameFlags& flags);

// What the flags ask for. kInvalidArgument names the flag with a bad value, and what it takes.
absl::StatusOr<FramePlan> ReadFramePlan(const FrameFlags& flags);

}  // namespace idv::verify
