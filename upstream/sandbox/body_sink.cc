#include "upstream/sandbox/body_sink.h"

#include <array>
#include <utility>

#include "upstream/sandbox/digest.h"

namespace idv::sandbox {
namespace {

constexpr std::string_view kSha256OfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

}  // namespace

bool BodySink::Add(std::string_view piece) {
  if (bytes_ + piece.size() > max_bytes_) return false;
  bytes_ += piece.size();
  if (digest_ == nullptr) {
    digest_.reset(EVP_MD_CTX_new());
    EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr);
  }
  EVP_DigestUpdate(digest_.get(), piece.data(), piece.size());
  if (keep_ == Keep::kAllButImages) {
    folding_.Add(piece);
  } else {
    text_ += piece;
  }
  return true;
}

std::string BodySink::TakeText() {
  return keep_ == Keep::kAllButImages ? folding_.Take() : std::move(text_);
}

std::string BodySink::Sha256() {
  if (digest_ == nullptr) return std::string(kSha256OfNothing);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_DigestFinal_ex(digest_.get(), digest.data(), &size);
  return Hex(std::span(digest).first(size));
}

}  // namespace idv::sandbox
