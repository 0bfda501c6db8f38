#include "gateway/completion.h"

#include "upstream/loop/task.h"

namespace idv {
namespace {

template <typename Awaitable>
Task<> CountEnd(Awaitable& awaitable, int& ended) {
  co_await awaitable;
  ++ended;
}

TEST(OperationTest, EndsItsWaitWhetherItsTagComesBeforeOrAfter) {
  Operation operation;
  int ended = 0;

  Spawn(CountEnd(operation, ended));
  EXPECT_EQ(ended, 0);
  operation.Complete(true);
  EXPECT_EQ(ended, 1);

  operation.Complete(true);
  EXPECT_EQ(ended, 1);
  Spawn(CountEnd(operation, ended));
  EXPECT_EQ(ended, 2);
}

TEST(CallDoneTest, EndsAWaitThatBeganBeforeItsTagCame) {
  const grpc::ServerContext context;
  Cancellation cancellation;
  CallDone done(context, cancellation);
  int ended = 0;
  Spawn(CountEnd(done, ended));
  EXPECT_EQ(ended, 0);

  done.Complete(true);

  EXPECT_EQ(ended, 1);
}

TEST(CallDoneTest, EndsAWaitThatBeginsAfterItsTagHasCome) {
  const grpc::ServerContext context;
  Cancellation cancellation;
  CallDone done(context, cancellation);
  int ended = 0;
  done.Complete(true);

  Spawn(CountEnd(done, ended));

  EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace idv
