#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kora/idv/v1/liveness_service.pb.h"
#include "upstream/json_body.h"
#include "upstream/json_encoder.h"

namespace idv {

// What the members of a frame stream's JSON object are called. The upstream's side of that is not
// documented, so a configuration may know better than our proto; each is a text that JSON need not
// escape.
struct FrameKeys {
  // Those of the proto.
  FrameKeys();

  std::string challenge_type;
  std::string frames_per_second;
  std::string frames;
  std::string timestamps;
};

// How frame streams are written. Immutable, so thread-safe.
class FramesFormat {
 public:
  explicit FramesFormat(const FrameKeys& keys);

 private:
  friend class FramesWriter;

  const JsonEncoder header_;
  const std::string frames_;      // quoted, with the colon
  const std::string timestamps_;  // the same
};

// Writes one stream of frames as one JSON object, part by part as they come:
//   {"challengeType":"blink","fps":10,"frames":["...","..."],"timestamps":[0,33.3]}
// What of the header is unset is left out, and so are the timestamps (milliseconds since the first
// frame) if the frames have none. Each function appends what comes next to `part`.
class FramesWriter {
 public:
  // Borrows the format.
  explicit FramesWriter(const FramesFormat& format) : format_(format) {}

  // INVALID_FIELD, by proto path: a value cannot be sent.
  absl::Status Begin(const kora::idv::v1::LivenessFramesHeader& header, JsonBody& part);

  // `image` is in place of the frame's own, and is borrowed. INVALID_FIELD: it is empty, or the
  // capture offset is no time since the first frame, or is there in some frames only.
  absl::Status Add(const kora::idv::v1::LivenessFrame& frame, std::vector<absl::string_view> image,
                   JsonBody& part);

  void End(JsonBody& part);

  // How many were added.
  int frames() const { return frames_; }
  // Of the object, in bytes, if it ended now.
  uint64_t size() const;

 private:
  absl::Status AddOffset(const kora::idv::v1::LivenessFrame& frame);

  const FramesFormat& format_;
  int frames_ = 0;
  bool have_offsets_ = false;
  std::string offsets_;
  uint64_t size_ = 0;
};

}  // namespace idv
