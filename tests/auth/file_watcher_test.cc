#include "auth/file_watcher.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/eventually.h"

namespace idv {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::milliseconds;

class FileWatcherTest : public testing::Test {
 protected:
  FileWatcherTest() {
    std::string name = testing::TempDir() + "/watched.XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~FileWatcherTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
  }
  std::function<std::vector<std::string>()> Count() {
    return [this] {
      ++looks_;
      return std::vector<std::string>();
    };
  }

  // Runs `change` and waits until somebody looks; one look may be for what was done before.
  template <typename Change>
  bool IsSeen(const Change& change) {
    std::this_thread::sleep_for(milliseconds(50));
    const int before = looks_;
    change();
    return Eventually([&] { return looks_ > before; });
  }

  fs::path folder_;
  std::atomic<int> looks_ = 0;
  const FileWatcher::Options quick_{.poll = hours(1), .settle = milliseconds(5)};
};

TEST_F(FileWatcherTest, SeesAFileBeWrittenReplacedAndRemoved) {
  Write("a", "1");
  const FileWatcher watcher({Path("a")}, quick_, Count());

  EXPECT_TRUE(IsSeen([&] { Write("a", "2"); }));
  EXPECT_TRUE(IsSeen([&] {
    Write("a.new", "3");
    fs::rename(Path("a.new"), Path("a"));
  }));
  EXPECT_TRUE(IsSeen([&] { fs::remove(Path("a")); }));
  EXPECT_TRUE(IsSeen([&] { Write("a", "4"); }));
}

TEST_F(FileWatcherTest, SeesKubernetesReplaceALink) {
  const auto publish = [&](const std::string& version, const std::string& text) {
    fs::create_directory(Path(version));
    Write(version + "/key", text);
    fs::create_directory_symlink(version, Path("..data_tmp"));
    fs::rename(Path("..data_tmp"), Path("..data"));
  };
  publish("..1", "one");
  fs::create_symlink("..data/key", Path("key"));
  const FileWatcher watcher({Path("key")}, quick_, Count());

  EXPECT_TRUE(IsSeen([&] { publish("..2", "two"); }));
}

TEST_F(FileWatcherTest, LooksNowAndThenEvenWhenNothingIsSeen) {
  const FileWatcher watcher({Path("no/such/folder/key")},
                            {.poll = milliseconds(20), .settle = milliseconds(5)}, Count());

  EXPECT_TRUE(Eventually([&] { return looks_ >= 2; }));
}

TEST_F(FileWatcherTest, LooksWhenItIsToldTo) {
  const FileWatcher watcher({Path("a")}, quick_, Count());

  EXPECT_TRUE(IsSeen([&] { watcher.Look(); }));
}

TEST_F(FileWatcherTest, WatchesWhatALookHasFound) {
  fs::create_directory(Path("more"));
  const FileWatcher watcher({Path("a")}, quick_, [&] {
    ++looks_;
    return std::vector<std::string>{Path("more/b")};
  });
  watcher.Look();
  // What was written before the folder was watched is looked at once more.
  EXPECT_TRUE(Eventually([&] { return looks_ >= 2; }));

  EXPECT_TRUE(IsSeen([&] { Write("more/b", "1"); }));
}

TEST_F(FileWatcherTest, EndsAtOnceAndLooksNoMoreAfterwards) {
  const auto begin = std::chrono::steady_clock::now();
  {
    const FileWatcher watcher({Path("a")}, {.poll = hours(1), .settle = hours(1)}, Count());
    Write("a", "1");
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  Write("a", "2");
  EXPECT_EQ(looks_, 0);
}

}  // namespace
}  // namespace idv
