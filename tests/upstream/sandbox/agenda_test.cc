#include "upstream/sandbox/agenda.h"

#include <gtest/gtest.h>

#include <string>

namespace idv::sandbox {
namespace {

using namespace std::chrono_literals;

class AgendaTest : public testing::Test {
 protected:
  void Note(char what, std::chrono::seconds in) {
    agenda_.At(clock_.Now() + in, [this, what] { done_ += what; });
  }

  // Whatever can be done without waiting.
  void Poll() {
    io_.restart();
    io_.poll();
  }

  Clock clock_;
  boost::asio::io_context io_;
  Agenda agenda_{io_, clock_};
  std::string done_;
};

TEST_F(AgendaTest, DoesWhatIsDueInTheOrderOfItsTime) {
  Note('c', 30s);
  Note('a', 10s);
  Note('b', 20s);

  Poll();
  EXPECT_EQ(done_, "");
  clock_.Advance(21s);
  Poll();
  EXPECT_EQ(done_, "ab");
  clock_.Advance(10s);
  Poll();
  EXPECT_EQ(done_, "abc");
}

TEST_F(AgendaTest, DoesNothingFromWithin) {
  Note('a', -1s);
  EXPECT_EQ(done_, "");

  Poll();
  EXPECT_EQ(done_, "a");
}

TEST_F(AgendaTest, WaitsAgainWhenTheClockIsSetBack) {
  clock_.Advance(1h);
  Note('a', 1s);
  clock_.Reset();

  Poll();
  EXPECT_EQ(done_, "");
  clock_.Advance(1h + 1s);
  Poll();
  EXPECT_EQ(done_, "a");
}

TEST_F(AgendaTest, DoesWhatATaskAdds) {
  agenda_.At(clock_.Now(), [this] { Note('a', 5s); });

  Poll();
  clock_.Advance(5s);
  Poll();
  EXPECT_EQ(done_, "a");
}

TEST_F(AgendaTest, DropsWhatIsCleared) {
  Note('a', 1s);
  agenda_.Clear();
  clock_.Advance(1min);

  Poll();
  EXPECT_EQ(done_, "");
}

}  // namespace
}  // namespace idv::sandbox
