#include "upstream/images.h"

#include <random>

#include "tests/upstream/probe.pb.h"
#include "upstream/wire_writer.h"

namespace idv {
namespace {

using idv::test::StoreRequest;

class ImagesTest : public testing::Test {
 protected:
  ImagesTest() { Images::FindTypes(*StoreRequest::descriptor(), types_); }

  bool CutOut(const std::vector<absl::string_view>& pieces) {
    images_ = {};
    rest_.clear();
    return images_.CutOut(*StoreRequest::descriptor(), types_, pieces, rest_);
  }

  std::string Joined(absl::string_view mark) const {
    std::string image;
    for (const absl::string_view piece : images_.Of(mark)) image.append(piece.data(), piece.size());
    return image;
  }

  Images::Types types_;
  Images images_;
  std::string rest_;
};

TEST_F(ImagesTest, LeavesAMarkInPlaceOfEachImageHoweverTheBytesLie) {
  StoreRequest request;
  request.set_probe_id("id");
  request.set_picture("one picture");
  request.add_pictures("another");
  request.add_pictures("");
  request.add_pictures(std::string(300, 'x'));
  request.set_count(7);
  const std::string wire = request.SerializeAsString();
  for (size_t size = 1; size <= wire.size(); ++size) {
    std::vector<absl::string_view> pieces;
    for (absl::string_view left = wire; !left.empty();
         left.remove_prefix(std::min(size, left.size()))) {
      pieces.push_back(left.substr(0, size));
      pieces.emplace_back();
    }

    ASSERT_TRUE(CutOut(pieces)) << size;
    StoreRequest marked;
    ASSERT_TRUE(marked.ParseFromString(rest_)) << size;

    EXPECT_LT(rest_.size(), 60U);
    EXPECT_EQ(marked.probe_id(), "id");
    EXPECT_EQ(marked.count(), 7);
    EXPECT_EQ(Joined(marked.picture()), "one picture") << size;
    ASSERT_EQ(marked.pictures_size(), 3);
    EXPECT_EQ(Joined(marked.pictures(0)), "another") << size;
    EXPECT_EQ(marked.pictures(1), "");
    EXPECT_EQ(Joined(marked.pictures(2)), std::string(300, 'x')) << size;
    EXPECT_EQ(images_.largest(), 300U);
  }
}

TEST_F(ImagesTest, CopiesNoImage) {
  StoreRequest request;
  request.set_picture("one picture");
  const std::string wire = request.SerializeAsString();
  ASSERT_TRUE(CutOut({wire}));
  StoreRequest marked;
  ASSERT_TRUE(marked.ParseFromString(rest_));

  const auto pieces = images_.Of(marked.picture());

  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].data(), wire.data() + wire.find("one"));
}

TEST_F(ImagesTest, CopiesWhatItDoesNotKnowAsItIs) {
  std::string wire;
  WireWriter writer(wire);
  writer.Varint(100, 1);
  writer.Double(101, 2.5);
  writer.Bytes(102, "text");
  writer.BareVarint(103 << 3 | 5);  // four bytes
  wire += "1234";
  writer.BareVarint(104 << 3 | 3);  // a group, with what would be an image outside of it
  writer.Bytes(6, "no picture");
  writer.BareVarint(104 << 3 | 4);

  ASSERT_TRUE(CutOut({wire}));

  EXPECT_EQ(rest_, wire);
  EXPECT_EQ(images_.largest(), 0U);
}

TEST_F(ImagesTest, RefusesWhatIsNoWireFormat) {
  const auto with = [](auto write) {
    std::string wire;
    WireWriter writer(wire);
    write(writer, wire);
    return wire;
  };
  const std::vector<std::pair<const char*, std::string>> rows = {
      {"a length without its bytes", with([](WireWriter& w, std::string&) {
         w.BareVarint(6 << 3 | 2);
         w.BareVarint(5);
       })},
      {"a length beyond the end", with([](WireWriter& w, std::string& wire) {
         w.BareVarint(6 << 3 | 2);
         w.BareVarint(5);
         wire += "1234";
       })},
      {"a huge length", with([](WireWriter& w, std::string& wire) {
         w.BareVarint(6 << 3 | 2);
         w.BareVarint(UINT64_MAX);
         wire += "1234";
       })},
      {"a number of no end", std::string(11, '\xFF')},
      {"half a number", "\x08\xFF"},
      {"half a double", "\x51xxxx"},
      {"a wire type that there is not", "\x0F"},
      {"a tag of over 32 bits",
       with([](WireWriter& w, std::string&) { w.BareVarint(1ULL << 35 | 8); })},
      {"the end of no group", with([](WireWriter& w, std::string&) { w.BareVarint(9 << 3 | 4); })},
      {"a group without an end",
       with([](WireWriter& w, std::string&) { w.BareVarint(9 << 3 | 3); })},
  };
  for (const auto& [name, wire] : rows) EXPECT_FALSE(CutOut({wire})) << name;
  EXPECT_TRUE(CutOut({}));
  EXPECT_EQ(rest_, "");
}

}  // namespace
}  // namespace idv
