#include "upstream/sandbox/fields.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace idv::sandbox {
namespace {

TEST(FieldsTest, KeepsTheFirstProblem) {
  const Json json = {{"b", 1}};
  Fields fields(json);

  EXPECT_EQ(fields.RequiredText("a"), "");
  EXPECT_EQ(fields.OptionalText("b"), std::nullopt);

  ASSERT_TRUE(fields.refusal());
  EXPECT_EQ(Json::parse(fields.refusal().value_or(Response()).body)["details"]["field"], "a");
}

TEST(FieldsTest, ReadsNestedFieldsUnderTheirPath) {
  const Json json = Json::object();
  Fields outer(json);
  Fields inner(json, outer.Path("list", 3) + ".");

  inner.RequiredFlag("on");
  outer.Adopt(inner);

  EXPECT_EQ(Json::parse(outer.refusal().value_or(Response()).body)["details"]["field"],
            "list[3].on");
}

TEST(FieldsTest, RefusesNestingThatWouldExhaustTheStack) {
  const auto nested = [](int depth) {
    return R"({"metadata":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  const RequestHead head{};

  EXPECT_TRUE(std::holds_alternative<Json>(ParseBody(head, nested(90), BodyRule::kRequired)));
  EXPECT_TRUE(std::holds_alternative<Response>(ParseBody(head, nested(200), BodyRule::kRequired)));
  EXPECT_TRUE(
      std::holds_alternative<Response>(ParseBody(head, nested(1000000), BodyRule::kRequired)));
}

}  // namespace
}  // namespace idv::sandbox
