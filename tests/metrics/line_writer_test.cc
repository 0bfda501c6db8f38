#include "metrics/line_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace idv {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// A pipe, of which a test reads or does not.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(fds_.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    CloseReader();
    close(fds_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int writer() const { return fds_[1]; }
  void CloseReader() {
    if (fds_[0] >= 0) close(fds_[0]);
    fds_[0] = -1;
  }
  // All that there is, and comes until `end` is among it.
  std::string ReadUntil(const std::string& end) const {
    std::string text;
    std::array<char, 65536> part{};
    while (text.find(end) == std::string::npos) {
      const ssize_t size = read(fds_[0], part.data(), part.size());
      if (size <= 0) break;
      text.append(part.data(), static_cast<size_t>(size));
    }
    return text;
  }

 private:
  std::array<int, 2> fds_{-1, -1};
};

std::string TellDropped(uint64_t lines) { return "dropped " + std::to_string(lines); }

class LineWriterTest : public testing::Test {
 protected:
  void Start(size_t max_bytes = size_t{1} << 20) {
    writer_.emplace(LineWriter::Options{
        .fd = pipe_.writer(), .max_bytes = max_bytes, .tell_dropped = TellDropped});
  }
  // More than a pipe and the writer hold.
  void Flood() {
    const std::string line(999, 'x');
    for (int i = 0; i < 1000; ++i) writer_->Write(line);
  }

  Pipe pipe_;
  std::optional<LineWriter> writer_;
};

TEST_F(LineWriterTest, WritesLinesInTheirOrder) {
  Start();
  writer_->Write("one");
  writer_->Write("two");
  writer_->Flush();
  writer_->Write("three");

  EXPECT_EQ(pipe_.ReadUntil("three\n"), "one\ntwo\nthree\n");
  EXPECT_EQ(writer_->dropped(), 0U);
}

TEST_F(LineWriterTest, WritesWhatIsThereBeforeItGoes) {
  Start();
  writer_->Write("last words");
  writer_.reset();

  EXPECT_EQ(pipe_.ReadUntil("\n"), "last words\n");
}

TEST_F(LineWriterTest, NobodyWaitsForAReaderThatDoesNotRead) {
  Start(/*max_bytes=*/100'000);
  const auto begin = steady_clock::now();
  Flood();

  EXPECT_LT(steady_clock::now() - begin, seconds(1));
  EXPECT_GT(writer_->dropped(), 500U);
}

TEST_F(LineWriterTest, TellsOfWhatWasDroppedWhenThereIsRoomAgain) {
  Start(/*max_bytes=*/100'000);
  Flood();
  const uint64_t dropped = writer_->dropped();
  std::thread later([&] {
    std::string text = pipe_.ReadUntil("and now\n");
    EXPECT_THAT(text, testing::EndsWith("and now\n"));
    EXPECT_THAT(text, testing::HasSubstr("\ndropped " + std::to_string(dropped) + "\n"));
  });
  writer_->Flush();
  writer_->Write("and now");
  later.join();
}

TEST_F(LineWriterTest, GoesThoughTheReaderDoesNotRead) {
  Start();
  Flood();
  const auto begin = steady_clock::now();
  writer_.reset();

  EXPECT_LT(steady_clock::now() - begin, seconds(5));
}

TEST_F(LineWriterTest, GoesOnWithoutAReader) {
  std::signal(SIGPIPE, SIG_IGN);  // as in the gateway
  Start();
  pipe_.CloseReader();
  const auto begin = steady_clock::now();
  Flood();
  writer_->Flush();
  writer_.reset();

  EXPECT_LT(steady_clock::now() - begin, seconds(5));
}

TEST_F(LineWriterTest, KeepsLinesOfManyThreadsWhole) {
  Start();
  constexpr int kThreads = 4;
  constexpr int kLines = 200;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kLines; ++j) writer_->Write(std::string(50, static_cast<char>('a' + i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  writer_->Write("end");
  const std::string text = pipe_.ReadUntil("end\n");

  std::vector<int> lines(kThreads);
  for (size_t at = 0; at + 51 <= text.size() - 4; at += 51) {
    const char letter = text[at];
    EXPECT_EQ(text.substr(at, 50), std::string(50, letter));
    EXPECT_EQ(text[at + 50], '\n');
    ++lines.at(static_cast<size_t>(letter - 'a'));
  }
  EXPECT_THAT(lines, testing::Each(kLines));
}

}  // namespace
}  // namespace idv
