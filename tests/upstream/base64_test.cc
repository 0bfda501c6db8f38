#include "upstream/base64.h"

#include <absl/strings/escaping.h>

#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace idv {
namespace {

// Read in steps of so many characters.
std::string ReadBy(size_t step, std::vector<absl::string_view> pieces) {
  Base64Reader reader(std::move(pieces));
  std::string text;
  std::string chunk(step, '?');
  while (const size_t count = reader.Read(chunk.data(), step)) text.append(chunk, 0, count);
  EXPECT_EQ(reader.left(), 0U);
  return text;
}

std::string Whole(const std::string& bytes) { return ReadBy(1 << 20, {bytes}); }

std::string RandomBytes(size_t size) {
  std::minstd_rand random(static_cast<unsigned>(size) + 1);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

TEST(Base64Test, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(Whole(""), "");
  EXPECT_EQ(Whole("f"), "Zg==");
  EXPECT_EQ(Whole("fo"), "Zm8=");
  EXPECT_EQ(Whole("foo"), "Zm9v");
  EXPECT_EQ(Whole("foob"), "Zm9vYg==");
  EXPECT_EQ(Whole("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Whole("foobar"), "Zm9vYmFy");
}

TEST(Base64Test, AgreesWithAnotherEncoderForAnyBytes) {
  for (const size_t size : {1U, 2U, 3U, 100U, 255U, 256U, 4096U, 65537U}) {
    const std::string bytes = RandomBytes(size);

    EXPECT_EQ(Whole(bytes), absl::Base64Escape(bytes)) << size << " bytes";
  }
}

TEST(Base64Test, ReadsTheSameInStepsOfAnySizeHoweverTheBytesLie) {
  for (size_t size = 0; size <= 11; ++size) {
    const std::string bytes = RandomBytes(size);
    const std::string whole = absl::Base64Escape(bytes);
    // Every way to cut it, a bit for each place.
    for (unsigned cuts = 0; cuts < 1U << size; ++cuts) {
      std::vector<absl::string_view> pieces = {""};
      for (size_t i = 0; i < size; ++i) {
        if ((cuts >> i & 1) != 0) pieces.emplace_back();
        pieces.back() =
            absl::string_view(bytes).substr(i - pieces.back().size(), pieces.back().size() + 1);
      }
      for (size_t step = 1; step <= 9; ++step) {
        ASSERT_EQ(ReadBy(step, pieces), whole)
            << size << " bytes, cuts " << cuts << ", by " << step;
      }
    }
  }
}

TEST(Base64Test, KnowsHowMuchIsToCome) {
  Base64Reader reader({"abc", "d"});
  std::array<char, 5> out{};

  EXPECT_EQ(reader.left(), 8U);
  EXPECT_EQ(reader.Read(out.data(), out.size()), 5U);
  EXPECT_EQ(reader.left(), 3U);
  EXPECT_EQ(reader.Read(out.data(), out.size()), 3U);
  EXPECT_EQ(reader.left(), 0U);
}

TEST(Base64Test, IsTheSameWithAndWithoutTheProcessorsHelp) {
  const internal::EncodeGroups fast = internal::FastEncodeGroups();
  if (fast == nullptr) return;  // then there is one way only
  for (size_t groups = 0; groups <= 200; ++groups) {
    const std::string bytes = RandomBytes(3 * groups);  // its end is the end of the memory
    const auto* const in = reinterpret_cast<const unsigned char*>(bytes.data());
    std::string plain(4 * groups, '?');
    std::string quick(4 * groups, '?');

    internal::EncodeGroupsAnywhere(in, groups, plain.data());
    fast(in, groups, quick.data());

    ASSERT_EQ(quick, plain) << groups << " groups";
  }
}

TEST(Base64Test, HasACharacterForEverySixBits) {
  std::string bytes;
  for (unsigned i = 0; i < 64; i += 4) {
    const unsigned bits = i << 18 | (i + 1) << 12 | (i + 2) << 6 | (i + 3);
    for (const unsigned shift : {16U, 8U, 0U}) bytes += static_cast<char>(bits >> shift & 0xFF);
  }

  EXPECT_EQ(Whole(bytes), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}

}  // namespace
}  // namespace idv
