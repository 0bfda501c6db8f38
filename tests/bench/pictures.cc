#include "tests/bench/pictures.h"

#include <cstdlib>
#include <random>

#include "kora/idv/v1/document_service.pb.h"
#include "kora/idv/v1/liveness_service.pb.h"
#include "tests/bench/sample.h"
#include "upstream/frames_writer.h"
#include "upstream/route.h"

namespace idv::bench {
namespace {

using kora::idv::v1::LivenessFramesHeader;
using kora::idv::v1::StreamLivenessFramesRequest;
using kora::idv::v1::UploadDocumentRequest;

// Like a JPEG it has no pattern, and it is the same each time.
std::string Picture(size_t bytes) {
  std::mt19937 random(1);
  std::string picture(bytes, '\0');
  for (char& byte : picture) byte = static_cast<char>(random());
  return picture;
}

LivenessFramesHeader Header() {
  LivenessFramesHeader header;
  header.set_verification_id(kVerificationId);
  header.set_challenge_type(kora::idv::v1::LIVENESS_CHALLENGE_TYPE_BLINK);
  header.set_frames_per_second(10);
  return header;
}

kora::idv::v1::LivenessFrame Frame(size_t image_bytes) {
  kora::idv::v1::LivenessFrame frame;
  frame.set_image(Picture(image_bytes));
  return frame;
}

UploadDocumentRequest UploadMessage(size_t image_bytes) {
  UploadDocumentRequest upload;
  upload.set_verification_id(kVerificationId);
  upload.set_document_type("international_passport");
  upload.set_image(Picture(image_bytes));
  return upload;
}

std::string Text(JsonBody& body) {
  std::string text(body.left(), '\0');
  if (body.Read(text.data(), text.size()) != text.size()) std::abort();
  return text;
}

}  // namespace

std::string FramesPath() {
  return std::string(kVerificationsPath) + kVerificationId + "/liveness/frames";
}

std::string StreamHeader() {
  StreamLivenessFramesRequest message;
  *message.mutable_header() = Header();
  return message.SerializeAsString();
}

std::string StreamFrame(size_t image_bytes) {
  StreamLivenessFramesRequest message;
  *message.mutable_frame() = Frame(image_bytes);
  return message.SerializeAsString();
}

std::string Upload(size_t image_bytes) { return UploadMessage(image_bytes).SerializeAsString(); }

FramesJson::FramesJson(size_t image_bytes) {
  const FramesFormat format((FrameKeys()));
  const kora::idv::v1::LivenessFrame frame = Frame(image_bytes);
  FramesWriter writer(format);
  const auto add = [&](JsonBody& part) { return writer.Add(frame, {frame.image()}, part).ok(); };
  JsonBody part;
  JsonBody further_part;
  JsonBody end_part;
  if (!writer.Begin(Header(), part).ok() || !add(part) || !add(further_part)) std::abort();
  writer.End(end_part);
  first = Text(part);
  further = Text(further_part);
  end = Text(end_part);
}

uint64_t UploadJsonSize(size_t image_bytes) {
  const UploadDocumentRequest upload = UploadMessage(image_bytes);
  const auto* const service =
      UploadDocumentRequest::descriptor()->file()->FindServiceByName("DocumentService");
  const auto route = Route::Compile(*service->FindMethodByName("UploadDocument"));
  if (!route.ok()) std::abort();
  const auto request = route->Encode(upload);
  if (!request.ok()) std::abort();
  return request->body->size().value();
}

}  // namespace idv::bench
