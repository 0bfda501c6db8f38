#ifndef UPSTREAM_SANDBOX_IMAGE_STORAGE_H_
#define UPSTREAM_SANDBOX_IMAGE_STORAGE_H_

#include <chrono>
#include <string>
#include <string_view>

#include "upstream/sandbox/http_message.h"
#include "upstream/sandbox/timestamps.h"

namespace idv::sandbox {

// Stands in for the storage service that the vendor's signed URLs lead to (upstream-api.md sections
// 9.14 and 13): whoever has such a URL gets the image, without a key, until it expires. The images
// themselves are never kept: every URL leads to the same picture. Immutable.
class ImageStorage {
 public:
  static constexpr std::chrono::seconds kUrlLifetime{900};

  // `scheme`: "http" or "https". `key`: what URLs are signed with.
  ImageStorage(std::string scheme, std::string key)
      : scheme_(std::move(scheme)), key_(std::move(key)) {}

  // On the host that `request` was sent to, so that whoever can reach the API can follow it.
  std::string SignedUrl(const RequestHead& request, std::string_view verification_id,
                        std::string_view image_type, Time now) const;

  static bool IsImagePath(std::string_view path);

  // 200 with a JPEG; 403 for what was not signed so, 400 for what has expired, 405 for a method
  // other than GET and HEAD.
  Response Serve(const RequestHead& request, Time now) const;

 private:
  std::string Signature(std::string_view path, std::string_view expires) const;

  const std::string scheme_;
  const std::string key_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_IMAGE_STORAGE_H_
