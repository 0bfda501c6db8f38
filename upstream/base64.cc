#include "upstream/base64.h"

#include <algorithm>
#include <cstring>
#include <utility>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace idv {
namespace {

constexpr absl::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The two characters of every 12-bit value: half as many look-ups as one character at a time.
constexpr std::array<std::array<char, 2>, 4096> MakePairs() {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kAlphabet[i >> 6], kAlphabet[i & 63]};
  return pairs;
}
constexpr auto kPairs = MakePairs();

#ifdef __x86_64__

// 24 bytes to 32 characters a step: W. Mula, D. Lemire, "Faster Base64 Encoding and Decoding Using
// AVX2 Instructions", ACM Transactions on the Web 12(3), 2018, section 3.
__attribute__((target("avx2"))) void EncodeGroupsWithAvx2(const unsigned char* in, size_t groups,
                                                          char* out) {
  // In each half: the bytes of a group as 1 0 2 1, so that each 6 bits lie within 16.
  const __m256i spread = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10,  //
                                          1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  // What is to be added to a value for its character, by the class of the value: 0 for 26 to 51,
  // 1 to 10 for the digits, 11 and 12 for + and /, 13 for 0 to 25.
  const __m256i shift =
      _mm256_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                       '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0,  //
                       'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                       '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  // A step reads 28 bytes and uses 24.
  for (; groups >= 10; groups -= 8, in += 24, out += 32) {
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 12));
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), spread);
    const __m256i odd = _mm256_mulhi_epu16(_mm256_and_si256(bytes, _mm256_set1_epi32(0x0fc0fc00)),
                                           _mm256_set1_epi32(0x04000040));
    const __m256i even = _mm256_mullo_epi16(_mm256_and_si256(bytes, _mm256_set1_epi32(0x003f03f0)),
                                            _mm256_set1_epi32(0x01000010));
    const __m256i values = _mm256_or_si256(odd, even);
    const __m256i is_upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
    const __m256i classes = _mm256_or_si256(_mm256_subs_epu8(values, _mm256_set1_epi8(51)),
                                            _mm256_and_si256(is_upper, _mm256_set1_epi8(13)));
    const __m256i characters = _mm256_add_epi8(_mm256_shuffle_epi8(shift, classes), values);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), characters);
  }
  internal::EncodeGroupsAnywhere(in, groups, out);
}

#endif

internal::EncodeGroups BestEncodeGroups() {
  const internal::EncodeGroups fast = internal::FastEncodeGroups();
  return fast != nullptr ? fast : internal::EncodeGroupsAnywhere;
}

}  // namespace

namespace internal {

void EncodeGroupsAnywhere(const unsigned char* in, size_t groups, char* out) {
  for (; groups > 0; --groups, in += 3, out += 4) {
    const uint32_t bits =
        static_cast<uint32_t>(in[0]) << 16 | static_cast<uint32_t>(in[1]) << 8 | in[2];
    std::memcpy(out, kPairs[bits >> 12].data(), 2);
    std::memcpy(out + 2, kPairs[bits & 4095].data(), 2);
  }
}

EncodeGroups FastEncodeGroups() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") != 0) return EncodeGroupsWithAvx2;
#endif
  return nullptr;
}

}  // namespace internal

Base64Reader::Base64Reader(std::vector<absl::string_view> pieces) : pieces_(std::move(pieces)) {
  uint64_t bytes = 0;
  for (const absl::string_view piece : pieces_) bytes += piece.size();
  left_ = Base64Size(bytes);
}

size_t Base64Reader::TakeBytes(unsigned char* out, size_t count) {
  size_t taken = 0;
  while (taken < count && piece_ < pieces_.size()) {
    absl::string_view& piece = pieces_[piece_];
    const size_t here = std::min(count - taken, piece.size());
    std::memcpy(out + taken, piece.data(), here);
    piece.remove_prefix(here);
    taken += here;
    if (piece.empty()) ++piece_;
  }
  return taken;
}

size_t Base64Reader::Read(char* out, size_t capacity) {
  static const internal::EncodeGroups kEncodeGroups = BestEncodeGroups();
  size_t written = 0;
  while (written < capacity && written < left_) {
    if (group_left_ == 0 && piece_ < pieces_.size()) {
      absl::string_view& piece = pieces_[piece_];
      const size_t groups = std::min(piece.size() / 3, (capacity - written) / 4);
      if (groups > 0) {
        kEncodeGroups(reinterpret_cast<const unsigned char*>(piece.data()), groups, out + written);
        piece.remove_prefix(3 * groups);
        written += 4 * groups;
        continue;
      }
      // It spans pieces, is the last one, or has no room.
      std::array<unsigned char, 3> bytes{};
      const size_t taken = TakeBytes(bytes.data(), bytes.size());
      if (taken == 0) continue;  // that piece was empty
      internal::EncodeGroupsAnywhere(bytes.data(), 1, group_.data());
      if (taken < 3) group_[3] = '=';
      if (taken < 2) group_[2] = '=';
      group_left_ = group_.size();
    }
    const size_t count = std::min(group_left_, capacity - written);
    std::memcpy(out + written, group_.data() + group_.size() - group_left_, count);
    group_left_ -= count;
    written += count;
  }
  left_ -= written;
  return written;
}

}  // namespace idv
