#pragma once

#include <absl/strings/string_view.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace idv {

// Appends fields in protobuf's wire format (protobuf.dev/programming-guides/encoding) to a string.
// Knows no descriptors: what it is told to write, it writes, default values too.
class WireWriter {
 public:
  // Borrows the string.
  explicit WireWriter(std::string& out) : out_(out) {}

  // Field numbers are those of the proto. A negative integer is given sign-extended to 64 bits.
  void Varint(int field, uint64_t value) {
    Tag(field, kVarint);
    BareVarint(value);
  }
  void Double(int field, double value) {
    Tag(field, kFixed64);
    BareDouble(value);
  }
  void Bytes(int field, absl::string_view bytes) {
    Tag(field, kLengthDelimited);
    BareVarint(bytes.size());
    out_.append(bytes.data(), bytes.size());
  }

  // What is written between the two is a message, a map entry or a packed list, whose place
  // Begin() returns. One in the other is fine.
  size_t Begin(int field) {
    Tag(field, kLengthDelimited);
    return BeginBare();
  }
  // After a tag that was written by other means.
  size_t BeginBare() {
    out_.push_back('\0');  // the length, which is mostly below 128
    return out_.size();
  }
  void End(size_t begin) {
    const size_t length = out_.size() - begin;
    if (length < 0x80) {
      out_[begin - 1] = static_cast<char>(length);
    } else {
      SpreadLength(begin, length);
    }
  }

  // The elements of a packed list.
  void BareVarint(uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }
  void BareDouble(double value) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire is little-endian");
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out_.append(bytes, sizeof bytes);
  }

  // How far it is, and back to there: for what turns out to be no value of its field.
  size_t size() const { return out_.size(); }
  void BackTo(size_t size) { out_.resize(size); }

 private:
  enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2 };

  void Tag(int field, WireType type) { BareVarint(static_cast<uint32_t>(field) << 3 | type); }

  // Makes room for a length of more than one byte.
  void SpreadLength(size_t begin, size_t length) {
    std::string bytes;
    WireWriter(bytes).BareVarint(length);
    out_.replace(begin - 1, 1, bytes);
  }

  std::string& out_;
};

}  // namespace idv
