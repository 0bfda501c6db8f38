#include "upstream/sandbox/image_storage.h"

#include <charconv>
#include <cstdint>

#include "upstream/sandbox/digest.h"
#include "upstream/sandbox/refusals.h"
#include "upstream/sandbox/specimen.h"
#include "upstream/sandbox/target.h"

namespace idv::sandbox {
namespace {

constexpr std::string_view kPrefix = "/storage/";

std::int64_t UnixSeconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

bool HasPassed(const std::string& seconds, Time now) {
  std::int64_t expires = 0;
  const auto parsed = std::from_chars(seconds.data(), seconds.data() + seconds.size(), expires);
  return parsed.ec != std::errc() || UnixSeconds(now) >= expires;
}

}  // namespace

std::string ImageStorage::SignedUrl(const RequestHead& request, std::string_view verification_id,
                                    std::string_view image_type, Time now) const {
  const std::string* const host = request.Header("host");
  std::string path(kPrefix);
  path.append(verification_id).append("/").append(image_type).append(".jpg");
  const std::string expires = std::to_string(UnixSeconds(now + kUrlLifetime));
  return scheme_ + "://" + (host == nullptr ? "localhost" : *host) + path +
         "?GoogleAccessId=idv-sandbox&Expires=" + expires +
         "&Signature=" + Signature(path, expires);
}

std::string ImageStorage::Signature(std::string_view path, std::string_view expires) const {
  std::string signed_text(path);
  return HmacSha256(key_, signed_text.append("\n").append(expires));
}

bool ImageStorage::IsImagePath(std::string_view path) {
  return path.substr(0, kPrefix.size()) == kPrefix;
}

Response ImageStorage::Serve(const RequestHead& request, Time now) const {
  if (request.method != "GET" && request.method != "HEAD") return RefuseMethod("GET, HEAD");
  const std::string expires = QueryValue(request.query, "Expires").value_or("");
  const std::string signature = QueryValue(request.query, "Signature").value_or("");
  if (!EqualSignatures(signature, Signature(request.path, expires))) {
    return Refuse(403, "SIGNATURE_DOES_NOT_MATCH", "The URL was not signed so.");
  }
  if (HasPassed(expires, now)) return Refuse(400, "EXPIRED_TOKEN", "The URL has expired.");
  return {.status = 200, .body = SpecimenJpeg(), .content_type = "image/jpeg"};
}

}  // namespace idv::sandbox
