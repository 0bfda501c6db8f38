#include "upstream/images.h"

#include <algorithm>
#include <cstring>

#include "upstream/wire_writer.h"

namespace idv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// As protobuf's parsers.
constexpr int kMaxDepth = 100;

enum WireType : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kLengthDelimited = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5,
};

// Reads bytes that lie in pieces.
class PieceReader {
 public:
  explicit PieceReader(const std::vector<absl::string_view>& pieces) : pieces_(pieces) {
    for (const absl::string_view piece : pieces) left_ += piece.size();
    SkipEmpty();
  }

  // Bytes that are still to come.
  uint64_t left() const { return left_; }

  // False when it is none, or over 64 bits.
  bool ReadVarint(uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_ == 0) return false;
      const auto byte = static_cast<unsigned char>(pieces_[piece_][at_]);
      Advance(1);
      value |= uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  // Hands the next `count` bytes to `take`, piece by piece; there must be so many.
  template <typename Take>
  void Read(uint64_t count, Take take) {
    while (count > 0) {
      const absl::string_view here = pieces_[piece_].substr(at_, count);
      take(here);
      Advance(here.size());
      count -= here.size();
    }
  }

 private:
  void Advance(size_t count) {
    at_ += count;
    left_ -= count;
    if (at_ == pieces_[piece_].size()) {
      ++piece_;
      at_ = 0;
      SkipEmpty();
    }
  }
  void SkipEmpty() {
    while (piece_ < pieces_.size() && pieces_[piece_].empty()) ++piece_;
  }

  const std::vector<absl::string_view>& pieces_;
  size_t piece_ = 0;
  size_t at_ = 0;
  uint64_t left_ = 0;
};

}  // namespace

// Copies a message field by field, but for its images.
class Images::Cutter {
 public:
  Cutter(Images& images, const Types& types, PieceReader& in, std::string& out)
      : images_(images), types_(types), in_(in), out_(out), writer_(out) {}

  // Of `type`, as long as `size` says.
  bool CopyMessage(const Descriptor& type, uint64_t size, int depth) {
    if (depth > kMaxDepth || size > in_.left()) return false;
    const uint64_t end = in_.left() - size;
    int open_groups = 0;  // of fields that no type here has, so that they are copied as they are
    while (in_.left() > end) {
      uint64_t tag = 0;
      if (!in_.ReadVarint(tag) || tag > UINT32_MAX) return false;
      writer_.BareVarint(tag);
      const FieldDescriptor* const field =
          open_groups > 0 ? nullptr : type.FindFieldByNumber(static_cast<int>(tag >> 3));
      switch (static_cast<WireType>(tag & 7)) {
        case kStartGroup:
          ++open_groups;
          break;
        case kEndGroup:
          --open_groups;
          break;
        default:
          if (!CopyValue(static_cast<WireType>(tag & 7), field, end, depth)) return false;
      }
      if (open_groups < 0 || in_.left() < end) return false;
    }
    return open_groups == 0;
  }

 private:
  // `end`: what is left when the message that holds it ends.
  bool CopyValue(WireType wire_type, const FieldDescriptor* field, uint64_t end, int depth) {
    uint64_t value = 0;
    switch (wire_type) {
      case kVarint:
        if (!in_.ReadVarint(value)) return false;
        writer_.BareVarint(value);
        return true;
      case kFixed64:
        return CopyBytes(8, end);
      case kFixed32:
        return CopyBytes(4, end);
      case kLengthDelimited:
        if (!in_.ReadVarint(value) || in_.left() < end || value > in_.left() - end) return false;
        return CopyLengthDelimited(field, value, end, depth);
      default:
        return false;
    }
  }

  bool CopyLengthDelimited(const FieldDescriptor* field, uint64_t size, uint64_t end, int depth) {
    if (field != nullptr && field->type() == FieldDescriptor::TYPE_BYTES && size > 0) {
      TakeImage(size);
      return true;
    }
    if (field != nullptr && field->message_type() != nullptr &&
        types_.contains(field->message_type())) {
      const size_t begin = writer_.BeginBare();
      if (!CopyMessage(*field->message_type(), size, depth + 1)) return false;
      writer_.End(begin);
      return true;
    }
    writer_.BareVarint(size);
    return CopyBytes(size, end);
  }

  void TakeImage(uint64_t size) {
    const auto mark = static_cast<uint32_t>(images_.ends_.size());
    writer_.BareVarint(sizeof mark);
    out_.append(reinterpret_cast<const char*>(&mark), sizeof mark);
    in_.Read(size, [this](absl::string_view bytes) { images_.pieces_.push_back(bytes); });
    images_.ends_.push_back(static_cast<uint32_t>(images_.pieces_.size()));
    images_.largest_ = std::max<size_t>(images_.largest_, size);
  }

  bool CopyBytes(uint64_t count, uint64_t end) {
    if (in_.left() < end || count > in_.left() - end) return false;
    in_.Read(count, [this](absl::string_view bytes) { out_.append(bytes.data(), bytes.size()); });
    return true;
  }

  Images& images_;
  const Types& types_;
  PieceReader& in_;
  std::string& out_;
  WireWriter writer_;
};

bool Images::CutOut(const Descriptor& type, const Types& types,
                    const std::vector<absl::string_view>& pieces, std::string& rest) {
  PieceReader in(pieces);
  return Cutter(*this, types, in, rest).CopyMessage(type, in.left(), 1);
}

std::vector<absl::string_view> Images::Of(absl::string_view mark) const {
  uint32_t index = 0;
  std::memcpy(&index, mark.data(), sizeof index);
  const auto first = index == 0 ? 0 : ends_[index - 1];
  return {pieces_.begin() + first, pieces_.begin() + ends_[index]};
}

void Images::FindTypes(const Descriptor& type, Types& types) {
  // Whether a type has images may depend on itself, so: until nothing more is found.
  std::vector<const Descriptor*> reachable = {&type};
  for (size_t i = 0; i < reachable.size(); ++i) {
    for (int j = 0; j < reachable[i]->field_count(); ++j) {
      const Descriptor* const inner = reachable[i]->field(j)->message_type();
      const bool is_known = inner == nullptr ||
                            std::find(reachable.begin(), reachable.end(), inner) != reachable.end();
      if (!is_known) reachable.push_back(inner);
    }
  }
  const auto has_images = [&types](const Descriptor& candidate) {
    for (int i = 0; i < candidate.field_count(); ++i) {
      const FieldDescriptor& field = *candidate.field(i);
      if (field.type() == FieldDescriptor::TYPE_BYTES) return true;
      if (field.message_type() != nullptr && types.contains(field.message_type())) return true;
    }
    return false;
  };
  for (bool found = true; found;) {
    found = false;
    for (const Descriptor* candidate : reachable) {
      if (!types.contains(candidate) && has_images(*candidate))
        found = types.insert(candidate).second;
    }
  }
}

}  // namespace idv
