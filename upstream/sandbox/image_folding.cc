#include "upstream/sandbox/image_folding.h"

#include <algorithm>
#include <charconv>

namespace idv::sandbox {
namespace {

// Deeper than any request of the API; below it, a string is no longer looked at.
constexpr std::size_t kMaxLevels = 64;
constexpr std::size_t kMaxKey = 64;

bool NamesImages(std::string_view key) {
  return key == "imageBase64" || key == "frames" || key == "frameImages";
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20; }

}  // namespace

void ImageFolding::Add(std::string_view piece) {
  while (!piece.empty()) {
    switch (within_) {
      case Within::kStructure:
        piece = AddStructure(piece);
        break;
      case Within::kString:
        piece = AddString(piece);
        break;
      case Within::kImage:
        piece = AddImage(piece);
        break;
    }
  }
}

bool ImageFolding::AwaitsKey() const {
  return !levels_.empty() && levels_.back().is_object && last_token_ != ':';
}

const std::string& ImageFolding::Key() const {
  static const std::string kNone;
  return levels_.empty() ? kNone : levels_.back().key;
}

std::string_view ImageFolding::AddStructure(std::string_view rest) {
  const char c = rest.front();
  folded_ += c;
  switch (c) {
    case '"':
      BeginString();
      break;
    case '{':
    case '[':
      if (levels_.size() < kMaxLevels) levels_.push_back({c == '{', c == '{' ? "" : Key()});
      last_token_ = c;
      break;
    case '}':
    case ']':
      if (!levels_.empty()) levels_.pop_back();
      last_token_ = c;
      break;
    case ':':
    case ',':
      last_token_ = c;
      break;
    default:
      break;
  }
  return rest.substr(1);
}

void ImageFolding::BeginString() {
  is_key_ = AwaitsKey();
  key_.clear();
  const bool is_image = !is_key_ && levels_.size() < kMaxLevels && NamesImages(Key());
  within_ = is_image ? Within::kImage : Within::kString;
  image_ = {};
  escape_.clear();
}

void ImageFolding::EndString() {
  if (is_key_ && !levels_.empty()) levels_.back().key = key_;
  last_token_ = 's';
  within_ = Within::kStructure;
}

std::string_view ImageFolding::AddString(std::string_view rest) {
  const char c = rest.front();
  folded_ += c;
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    EndString();
    return rest.substr(1);
  }
  if (is_key_ && key_.size() < kMaxKey) key_ += c;
  return rest.substr(1);
}

std::string_view ImageFolding::AddImage(std::string_view rest) {
  if (escaped_) {
    AddEscapedToImage(rest.front());
    return rest.substr(1);
  }
  const auto is_plain = [](char c) { return c != '"' && c != '\\' && !IsControl(c); };
  const auto* const end = std::find_if_not(rest.begin(), rest.end(), is_plain);
  const auto plain = static_cast<std::size_t>(end - rest.begin());
  image_.Add(rest.substr(0, plain));
  if (plain == rest.size()) return {};
  if (*end == '"') {
    EndImage();
  } else if (*end == '\\') {
    escaped_ = true;
  } else {
    folded_ += *end;  // a bare control character: the parser shall refuse it
  }
  return rest.substr(plain + 1);
}

// Some writers of JSON escape '/' as "\/", or '+' as "\u002B".
void ImageFolding::AddEscapedToImage(char c) {
  escape_ += c;
  if (escape_.front() == 'u' && escape_.size() < 5) return;
  unsigned code = static_cast<unsigned char>(c);
  if (escape_.front() == 'u') {
    const auto* const end = escape_.data() + escape_.size();
    const auto parsed = std::from_chars(escape_.data() + 1, end, code, 16);
    if (parsed.ptr != end) folded_ += '\n';  // no JSON: the parser shall refuse it
  }
  const char plain = code < 0x80 && code != 0 ? static_cast<char>(code) : '!';
  image_.Add({&plain, 1});
  escape_.clear();
  escaped_ = false;
}

void ImageFolding::EndImage() {
  if (!image_.IsEmpty()) folded_ += image_.IsValid() ? kValidImage : kInvalidImage;
  folded_ += '"';
  EndString();
}

}  // namespace idv::sandbox
