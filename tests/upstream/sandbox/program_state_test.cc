// What the real program keeps from one run to the next.

#include <fstream>

#include "tests/upstream/sandbox/program.h"

namespace idv::sandbox {
namespace {

using testing::HasSubstr;

class StateTest : public ProgramTest {
 protected:
  ~StateTest() override { unlink(file_.c_str()); }

  void StartWithState() { Start({"--state", file_}); }

  void Stop(int signal) {
    program_->Signal(signal);
    program_->Wait();
  }

  json Get(const std::string& target) { return Client(port_).Call("GET", target).body; }

  const std::string file_ = testing::TempDir() + "/state-" + std::to_string(getpid());
};

TEST_F(StateTest, OutlivesTheProcessHoweverItEnds) {
  StartWithState();
  for (const int signal : {SIGTERM, SIGKILL}) {
    Client client(port_);
    const json verification = RunFlow(client, "test-fraud-" + std::to_string(signal));
    const json alerts = Get("/api/v1/alerts");

    Stop(signal);
    StartWithState();

    EXPECT_EQ(Get("/api/v1/verifications/" + std::string(verification["id"])), verification);
    EXPECT_EQ(Get("/api/v1/alerts"), alerts);
    EXPECT_EQ(Get("/__sandbox/requests")["requests"].size(), 2U);
  }
}

TEST_F(StateTest, LetsSlowScoringEndAfterARestart) {
  StartWithState();
  Client client(port_);
  RunFlow(client, "test-slow-1");
  Stop(SIGKILL);
  StartWithState();

  Client(port_).Call("POST", "/__sandbox/clock", R"({"advance":"10s"})");
  // Without a request for it: it is in the file by itself.
  std::string text;
  Await([&] {
    std::ifstream stream(file_);
    text.assign(std::istreambuf_iterator<char>(stream), {});
    return text.find("auto_approve") != std::string::npos;
  });

  EXPECT_THAT(text, HasSubstr("auto_approve"));
}

TEST_F(StateTest, IsEmptyAfterAReset) {
  StartWithState();
  Client client(port_);
  RunFlow(client, "test-approve-1");

  EXPECT_EQ(Client(port_).Call("POST", "/__sandbox/reset").status, 200);
  Stop(SIGTERM);
  StartWithState();

  EXPECT_EQ(Get("/api/v1/subjects/test-approve-1/verifications")["total"], 0);
}

TEST_F(StateTest, RefusesAFileOfAnotherKind) {
  std::ofstream(file_) << "my letters\n";

  Process process({"--state", file_});

  EXPECT_EQ(process.ErrLine(), "idv-sandbox: " + file_ + ": is no state of idv-sandbox");
  EXPECT_EQ(process.Wait(), 2);
}

}  // namespace
}  // namespace idv::sandbox
