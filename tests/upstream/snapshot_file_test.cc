#include "upstream/snapshot_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kora/idv/gateway/v1/cache_snapshot.pb.h"
#include "tests/upstream/temporary_folder.h"

namespace idv {
namespace {

using kora::idv::gateway::v1::CacheSnapshot;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kept = AnswerCache::Kept;

constexpr char kTenant[] = "550e8400-e29b-41d4-a716-446655440000";
constexpr char kFirstLine[] = "idv-gateway cache snapshot 1\n";

class SnapshotFileTest : public testing::Test {
 protected:
  static Kept Answer(std::string key, std::string message) {
    return {std::move(key), "\"etag\"", std::make_shared<const std::string>(std::move(message)),
            AnswerCache::WallTime(std::chrono::nanoseconds(1'764'000'000'123'456'789))};
  }
  // With a checksum that is right.
  static std::string FileWith(const std::string& content) {
    std::string digest(32, '\0');
    EVP_Digest(content.data(), content.size(), reinterpret_cast<unsigned char*>(digest.data()),
               nullptr, EVP_sha256(), nullptr);
    return kFirstLine + digest + content;
  }

  absl::Status Write(const std::vector<Kept>& kept) const {
    return WriteSnapshotFile(path_, kTenant, kept);
  }
  absl::Status ReadError() const { return ReadSnapshotFile(path_, kTenant).status(); }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.PathOf("one.snapshot");
  const std::string temporary_ = path_ + ".tmp";
};

TEST_F(SnapshotFileTest, ReadsWhatWasWritten) {
  const std::string any_bytes("\0\xff\n", 3);
  const Kept written = Answer("key" + any_bytes, "message" + any_bytes);
  ASSERT_TRUE(Write({written, Answer("", "")}).ok());

  const auto read = ReadSnapshotFile(path_, kTenant);

  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->front().key, written.key);
  EXPECT_EQ(read->front().etag, written.etag);
  EXPECT_EQ(*read->front().message, *written.message);
  EXPECT_EQ(read->front().fetched_at, written.fetched_at);
  EXPECT_EQ(read->back().key, "");
  EXPECT_EQ(*read->back().message, "");
}

TEST_F(SnapshotFileTest, NothingIsASnapshotToo) {
  ASSERT_TRUE(Write({}).ok());

  const auto read = ReadSnapshotFile(path_, kTenant);

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(*read, IsEmpty());
}

TEST_F(SnapshotFileTest, IsForItsOwnerAloneAndLeavesNothingElseBehind) {
  ASSERT_TRUE(Write({Answer("a", "1")}).ok());
  ASSERT_TRUE(Write({Answer("a", "2")}).ok());

  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_THAT(folder_.Names(), ElementsAre("one.snapshot"));
}

TEST_F(SnapshotFileTest, TellsWhyItTakesNoFile) {
  CacheSnapshot of_another;
  of_another.set_tenant_id("another");
  CacheSnapshot out_of_time;
  out_of_time.set_tenant_id(kTenant);
  auto& time = *out_of_time.add_entries()->mutable_fetched_at();
  time.set_seconds(9'000'000'001);
  CacheSnapshot before_time = out_of_time;
  before_time.mutable_entries(0)->mutable_fetched_at()->set_seconds(-1);
  CacheSnapshot odd_nanos = out_of_time;
  odd_nanos.mutable_entries(0)->mutable_fetched_at()->set_seconds(1);
  odd_nanos.mutable_entries(0)->mutable_fetched_at()->set_nanos(1'000'000'000);
  struct Row {
    const char* name;
    std::function<void()> make;
    absl::StatusCode code;
  };
  const auto content = [this](const std::string& bytes) {
    return [this, bytes] { WriteContent(path_, bytes); };
  };
  const Row rows[] = {
      {"none", [] {}, absl::StatusCode::kNotFound},
      {"empty", content(""), absl::StatusCode::kFailedPrecondition},
      {"something else", content("{}"), absl::StatusCode::kFailedPrecondition},
      {"another version", content("idv-gateway cache snapshot 2\n"),
       absl::StatusCode::kFailedPrecondition},
      {"no checksum", content(kFirstLine), absl::StatusCode::kDataLoss},
      {"no message", content(FileWith("\xff")), absl::StatusCode::kDataLoss},
      {"another tenant's", content(FileWith(of_another.SerializeAsString())),
       absl::StatusCode::kFailedPrecondition},
      {"beyond time", content(FileWith(out_of_time.SerializeAsString())),
       absl::StatusCode::kDataLoss},
      {"before time", content(FileWith(before_time.SerializeAsString())),
       absl::StatusCode::kDataLoss},
      {"odd nanos", content(FileWith(odd_nanos.SerializeAsString())), absl::StatusCode::kDataLoss},
      {"too large",
       [this] {
         WriteContent(path_, kFirstLine);
         std::filesystem::resize_file(path_, kMaxSnapshotBytes + 1);
       },
       absl::StatusCode::kResourceExhausted},
      {"as large as it may be",
       [this] {
         WriteContent(path_, kFirstLine);
         std::filesystem::resize_file(path_, kMaxSnapshotBytes);
       },
       absl::StatusCode::kDataLoss},
      {"a folder", [this] { std::filesystem::create_directory(path_); },
       absl::StatusCode::kFailedPrecondition},
      {"a pipe", [this] { mkfifo(path_.c_str(), 0600); }, absl::StatusCode::kFailedPrecondition},
      {"a link",
       [this] {
         ASSERT_TRUE(WriteSnapshotFile(folder_.PathOf("other"), kTenant, {}).ok());
         std::filesystem::create_symlink("other", path_);
       },
       absl::StatusCode::kUnknown},
  };
  for (const Row& row : rows) {
    row.make();
    EXPECT_EQ(ReadError().code(), row.code) << row.name << ": " << ReadError();
    EXPECT_THAT(std::string(ReadError().message()), HasSubstr(path_)) << row.name;
    std::filesystem::remove(path_);
  }
}

TEST_F(SnapshotFileTest, WritesNoMoreThanItReadsAndTheFirstAnswersOfIt) {
  const auto large = std::make_shared<const std::string>(15 << 20, 'x');
  std::vector<Kept> kept;
  for (const char* const key : {"a", "b", "c", "d", "e"}) kept.push_back({key, "", large, {}});

  ASSERT_TRUE(Write(kept).ok());

  const auto read = ReadSnapshotFile(path_, kTenant);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 4U);
  EXPECT_EQ(read->back().key, "d");
}

TEST_F(SnapshotFileTest, ATimeThatCannotBeWrittenIsNoReasonToLoseTheRest) {
  Kept ancient = Answer("a", "1");
  ancient.fetched_at = AnswerCache::WallTime(-std::chrono::hours(1));

  ASSERT_TRUE(Write({ancient}).ok());

  const auto read = ReadSnapshotFile(path_, kTenant);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->front().fetched_at, AnswerCache::WallTime());
}

TEST_F(SnapshotFileTest, FollowsNoLinkWhenItWrites) {
  const std::string victim = folder_.PathOf("victim");
  WriteContent(victim, "untouched");
  std::filesystem::create_symlink(victim, temporary_);
  std::filesystem::create_symlink(victim, path_);

  ASSERT_TRUE(Write({Answer("a", "1")}).ok());

  EXPECT_EQ(ContentOf(victim), "untouched");
  EXPECT_TRUE(ReadError().ok()) << ReadError();
  EXPECT_THAT(folder_.Names(), ElementsAre("one.snapshot", "victim"));
}

TEST_F(SnapshotFileTest, ReplacesWhatACrashHasLeft) {
  WriteContent(temporary_, "half of it");

  ASSERT_TRUE(Write({Answer("a", "1")}).ok());

  EXPECT_TRUE(ReadError().ok()) << ReadError();
  EXPECT_THAT(folder_.Names(), ElementsAre("one.snapshot"));
}

TEST_F(SnapshotFileTest, KeepsTheOneBeforeWhenTheNewOneCannotBeWritten) {
  ASSERT_TRUE(Write({Answer("a", "1")}).ok());
  const std::string before = ContentOf(path_);
  // As on a full disk: a part is written.
  signal(SIGXFSZ, SIG_IGN);
  rlimit usual{};
  getrlimit(RLIMIT_FSIZE, &usual);
  const rlimit small{4096, usual.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);

  const absl::Status result = Write({Answer("a", std::string(10'000, 'x'))});

  setrlimit(RLIMIT_FSIZE, &usual);
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(std::string(result.message()), HasSubstr(temporary_ + " cannot be written: "));
  EXPECT_EQ(ContentOf(path_), before);
  EXPECT_THAT(folder_.Names(), ElementsAre("one.snapshot"));
}

TEST_F(SnapshotFileTest, TellsWhyItCannotWrite) {
  std::filesystem::create_directory(path_);
  EXPECT_THAT(std::string(Write({}).message()), HasSubstr(temporary_ + " cannot be moved to "));
  EXPECT_THAT(folder_.Names(), ElementsAre("one.snapshot"));

  std::filesystem::create_directory(temporary_);
  EXPECT_THAT(std::string(Write({}).message()), HasSubstr(temporary_ + " cannot be removed: "));

  std::filesystem::remove_all(folder_.path());
  EXPECT_THAT(std::string(Write({}).message()), HasSubstr(temporary_ + " cannot be created: "));
}

}  // namespace
}  // namespace idv
