#include "upstream/loop/cancellation.h"

#include <memory>

namespace idv {
namespace {

TEST(CancellationTest, TellsEveryListenerOnce) {
  Cancellation cancellation;
  int first = 0;
  int second = 0;
  const Cancellation::Listener one(cancellation, [&] { ++first; });
  const Cancellation::Listener two(cancellation, [&] { ++second; });

  cancellation.Fire();
  cancellation.Fire();

  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 1);
  EXPECT_TRUE(cancellation.fired());
}

TEST(CancellationTest, DoesNotTellAListenerThatHasGone) {
  Cancellation cancellation;
  int told = 0;
  auto listener = std::make_unique<Cancellation::Listener>(cancellation, [&] { ++told; });

  listener.reset();
  cancellation.Fire();

  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace idv
