#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace idv::bench {

// The methods that take pictures, as gRPC names them, and where the frames of a stream go then,
// behind the upstream's base URL.
inline constexpr char kStreamMethod[] = "/kora.idv.v1.LivenessService/StreamLivenessFrames";
inline constexpr char kUploadMethod[] = "/kora.idv.v1.DocumentService/UploadDocument";
std::string FramesPath();

// The messages of a stream, in protobuf's wire format: the header, and a frame of so many bytes.
std::string StreamHeader();
std::string StreamFrame(size_t image_bytes);
// The same of an upload.
std::string Upload(size_t image_bytes);

// The JSON of a stream of at least one frame, as the gateway writes it, in parts.
struct FramesJson {
  explicit FramesJson(size_t image_bytes);

  uint64_t Size(uint64_t frames) const {
    return first.size() + (frames - 1) * further.size() + end.size();
  }

  std::string first;    // the header and a frame
  std::string further;  // another frame, as often as there are some
  std::string end;
};

// How much JSON the gateway makes of an upload.
uint64_t UploadJsonSize(size_t image_bytes);

}  // namespace idv::bench
