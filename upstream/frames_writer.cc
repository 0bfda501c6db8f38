#include "upstream/frames_writer.h"

#include <absl/strings/str_cat.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "upstream/failure.h"

namespace idv {
namespace {

using google::protobuf::FieldDescriptor;
using kora::idv::v1::LivenessFrame;
using kora::idv::v1::LivenessFramesHeader;

const FieldDescriptor* HeaderField(int number) {
  return LivenessFramesHeader::descriptor()->FindFieldByNumber(number);
}

const FieldDescriptor* FrameField(int number) {
  return LivenessFrame::descriptor()->FindFieldByNumber(number);
}

JsonEncoder CompileHeader(const FrameKeys& keys) {
  const std::set<const FieldDescriptor*> in_path = {
      HeaderField(LivenessFramesHeader::kVerificationIdFieldNumber)};
  const std::map<const FieldDescriptor*, std::string> names = {
      {HeaderField(LivenessFramesHeader::kChallengeTypeFieldNumber), keys.challenge_type},
      {HeaderField(LivenessFramesHeader::kFramesPerSecondFieldNumber), keys.frames_per_second}};
  return *JsonEncoder::Compile(*LivenessFramesHeader::descriptor(), in_path, names);
}

std::string Quoted(const std::string& key) { return absl::StrCat("\"", key, "\":"); }

// The longest that protobuf's Duration takes.
constexpr int64_t kLongestSeconds = 315'576'000'000;

bool IsOffset(const google::protobuf::Duration& offset) {
  return offset.seconds() >= 0 && offset.seconds() <= kLongestSeconds && offset.nanos() >= 0 &&
         offset.nanos() <= 999'999'999;
}

std::string Milliseconds(const google::protobuf::Duration& offset) {
  const double milliseconds =
      static_cast<double>(offset.seconds()) * 1e3 + static_cast<double>(offset.nanos()) / 1e6;
  std::array<char, 32> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), milliseconds, std::chars_format::fixed);
  return {text.data(), end.ptr};
}

absl::Status InvalidFrame(const char* field, const char* fault) {
  return InvalidFields({{absl::StrCat("frame.", field), fault}});
}

}  // namespace

FrameKeys::FrameKeys()
    : challenge_type(HeaderField(LivenessFramesHeader::kChallengeTypeFieldNumber)->json_name()),
      frames_per_second(
          HeaderField(LivenessFramesHeader::kFramesPerSecondFieldNumber)->json_name()),
      frames(FrameField(LivenessFrame::kImageFieldNumber)->json_name()),
      timestamps(FrameField(LivenessFrame::kCaptureOffsetFieldNumber)->json_name()) {}

FramesFormat::FramesFormat(const FrameKeys& keys)
    : header_(CompileHeader(keys)),
      frames_(Quoted(keys.frames)),
      timestamps_(Quoted(keys.timestamps)) {}

absl::Status FramesWriter::Begin(const LivenessFramesHeader& header, JsonBody& part) {
  const uint64_t before = part.left();
  std::vector<Failure::Violation> violations;
  format_.header_.Encode(header, part, violations);
  for (Failure::Violation& violation : violations) {
    violation.field = absl::StrCat("header.", violation.field);
  }
  if (!violations.empty()) return InvalidFields(violations);
  part.DropLast();  // the bracket that ends the header
  if (part.last() != '{') part.Append(',');
  part.Append(format_.frames_);
  part.Append('[');
  size_ += part.left() - before;
  return absl::OkStatus();
}

absl::Status FramesWriter::Add(const LivenessFrame& frame, std::vector<absl::string_view> image,
                               JsonBody& part) {
  if (image.empty()) return InvalidFrame("image", "required, but empty");
  if (absl::Status status = AddOffset(frame); !status.ok()) return status;
  const uint64_t before = part.left();
  part.Append(frames_ == 0 ? "\"" : ",\"");
  part.AppendBase64(std::move(image));
  part.Append('"');
  size_ += part.left() - before;
  ++frames_;
  return absl::OkStatus();
}

absl::Status FramesWriter::AddOffset(const LivenessFrame& frame) {
  if (frames_ == 0) have_offsets_ = frame.has_capture_offset();
  if (frame.has_capture_offset() != have_offsets_) {
    return InvalidFrame("capture_offset", "expected in every frame or in none");
  }
  if (!have_offsets_) return absl::OkStatus();
  if (!IsOffset(frame.capture_offset())) {
    return InvalidFrame("capture_offset", "expected a time since the first frame");
  }
  absl::StrAppend(&offsets_, frames_ == 0 ? "" : ",", Milliseconds(frame.capture_offset()));
  return absl::OkStatus();
}

void FramesWriter::End(JsonBody& part) {
  part.Append(']');
  if (have_offsets_) {
    part.Append(',');
    part.Append(format_.timestamps_);
    part.Append('[');
    part.Append(offsets_);
    part.Append(']');
  }
  part.Append('}');
}

uint64_t FramesWriter::size() const {
  const uint64_t timestamps =
      have_offsets_ ? std::string_view(",[]").size() + format_.timestamps_.size() + offsets_.size()
                    : 0;
  return size_ + std::string_view("]}").size() + timestamps;
}

}  // namespace idv
