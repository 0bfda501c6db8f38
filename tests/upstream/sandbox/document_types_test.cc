#include "upstream/sandbox/document_types.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace idv::sandbox {
namespace {

TEST(DocumentTypesTest, ListsEveryTypeOnceWithACountryThatIsListed) {
  std::set<std::string_view> countries;
  for (const Country& country : Countries()) {
    EXPECT_TRUE(countries.insert(country.code).second) << country.code;
  }
  std::set<std::string_view> codes;
  std::set<std::string_view> used;
  for (const DocumentType& type : DocumentTypes()) {
    EXPECT_TRUE(codes.insert(type.code).second) << type.code;
    EXPECT_EQ(countries.count(type.country), 1U) << type.code;
    used.insert(type.country);
  }
  EXPECT_EQ(codes.size(), 42U);
  EXPECT_EQ(used, countries);
}

TEST(DocumentTypesTest, FindsATypeByItsCode) {
  EXPECT_TRUE(FindDocumentType("uk_brp")->has_mrz);
  EXPECT_FALSE(FindDocumentType("ng_nin")->requires_back);
  EXPECT_EQ(FindDocumentType("us_passport"), nullptr);
}

}  // namespace
}  // namespace idv::sandbox
