#ifndef UPSTREAM_SANDBOX_BODY_SINK_H_
#define UPSTREAM_SANDBOX_BODY_SINK_H_

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "upstream/sandbox/image_folding.h"

namespace idv::sandbox {

// Takes a request body in pieces: counts it, hashes it, and keeps its text, without the images
// where a route carries some.
class BodySink {
 public:
  // The vendor's hosts refuse HTTP/1 bodies over this size.
  static constexpr std::uint64_t kMaxBytes = 32ULL << 20;

  explicit BodySink(std::uint64_t max_bytes = kMaxBytes) : max_bytes_(max_bytes) {}

  enum class Keep { kEverything, kAllButImages };
  void SetKeep(Keep keep) { keep_ = keep; }

  // False when the body is now too large; the piece is not taken then.
  bool Add(std::string_view piece);

  std::uint64_t bytes() const { return bytes_; }

  // Each once, at the end.
  std::string TakeText();
  std::string Sha256();  // in lower-case hexadecimal digits

 private:
  struct FreeDigest {
    void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
  };

  const std::uint64_t max_bytes_;
  Keep keep_ = Keep::kEverything;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest_;  // made for the first byte
  std::string text_;
  ImageFolding folding_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_BODY_SINK_H_
