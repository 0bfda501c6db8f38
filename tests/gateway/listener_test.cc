#include "gateway/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace idv {
namespace {

class ListenerTest : public testing::Test {
 protected:
  ListenerTest() {
    std::string name = testing::TempDir() + "idv-listener-XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~ListenerTest() override { std::filesystem::remove_all(directory_); }

  std::string Path() const { return directory_ + "/gateway.sock"; }
  absl::StatusOr<Listener> OpenUnix(mode_t mode = 0660) const {
    return Listener::Open("unix:" + Path(), {.unix_mode = mode});
  }
  mode_t ModeOf(const std::string& path) const {
    struct stat found{};
    return stat(path.c_str(), &found) == 0 ? found.st_mode & 0777U : 0;
  }

  std::string directory_;
};

TEST_F(ListenerTest, TellsThePortThatItGot) {
  const auto listener = Listener::Open("127.0.0.1:0", {});

  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_THAT(listener->address(), testing::MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
}

TEST_F(ListenerTest, ListensOnEveryAddressOfAHostWithTheSamePort) {
  const auto listener = Listener::Open("localhost:0", {});

  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_GE(listener->fds().size(), 1U);
  EXPECT_THAT(listener->address(), testing::MatchesRegex("localhost:[1-9][0-9]*"));
}

TEST_F(ListenerTest, SharesNoPort) {
  const auto first = Listener::Open("127.0.0.1:0", {});

  const auto second = Listener::Open(first->address(), {});

  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(second.status().message(),
            "cannot listen on " + first->address() + ": Address already in use");
}

TEST_F(ListenerTest, SaysWhyAHostCannotBeListenedOn) {
  const auto listener = Listener::Open("no-such-host.invalid:1", {});

  EXPECT_THAT(std::string(listener.status().message()),
              testing::StartsWith("cannot listen on no-such-host.invalid:1: "));
}

TEST_F(ListenerTest, GivesAUnixSocketItsModeWhateverTheUmask) {
  const mode_t umask_before = umask(0);
  for (const mode_t mode : {0600, 0660, 0666}) {
    for (const mode_t mask : {0, 022, 077}) {
      umask(mask);
      const auto listener = OpenUnix(mode);

      EXPECT_TRUE(listener.ok()) << listener.status();
      EXPECT_EQ(ModeOf(Path()), mode) << std::oct << mode << " under " << mask;
      EXPECT_EQ(umask(mask), mask);
    }
  }
  umask(umask_before);
}

TEST_F(ListenerTest, RefusesAUnixSocketThatAnotherListensOn) {
  const auto first = OpenUnix();

  const auto second = OpenUnix();

  EXPECT_EQ(second.status().message(),
            "cannot listen on unix:" + Path() + ": another gateway listens there");
  EXPECT_EQ(ModeOf(Path()), 0660U);
}

TEST_F(ListenerTest, RemovesItsUnixSocketAtTheEndAndCanBeOpenedAgain) {
  {
    const auto listener = OpenUnix();
  }
  EXPECT_FALSE(std::filesystem::exists(Path()));

  EXPECT_TRUE(OpenUnix().ok());
}

TEST_F(ListenerTest, ReplacesTheSocketOfAGatewayThatWasKilled) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  Path().copy(address.sun_path, sizeof address.sun_path - 1);
  const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(dead);
  ASSERT_TRUE(std::filesystem::exists(Path()));

  EXPECT_TRUE(OpenUnix().ok());
}

TEST_F(ListenerTest, LeavesAFileOfThatNameAlone) {
  std::ofstream(Path()) << "precious";

  const auto listener = OpenUnix();

  EXPECT_EQ(listener.status().message(),
            "cannot listen on unix:" + Path() + ": there is a file of that name");
  EXPECT_EQ(std::filesystem::file_size(Path()), 8U);
}

TEST_F(ListenerTest, NamesALockThatCannotBeMade) {
  const auto listener = Listener::Open("unix:" + directory_ + "/missing/gateway.sock", {});

  EXPECT_THAT(std::string(listener.status().message()),
              testing::HasSubstr("gateway.sock.lock: No such file or directory"));
}

}  // namespace
}  // namespace idv
