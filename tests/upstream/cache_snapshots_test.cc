#include "upstream/cache_snapshots.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/eventually.h"
#include "tests/rounds.h"
#include "tests/upstream/temporary_folder.h"
#include "upstream/snapshot_file.h"

namespace idv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::system_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr AnswerCache::Lifetime kLifetime{
    .fresh = hours(1), .stale = hours(2), .stale_if_error = hours(3), .is_kept = true};
const std::string kOne = "11111111-e29b-41d4-a716-446655440000";
const std::string kTwo = "22222222-e29b-41d4-a716-446655440000";

class CacheSnapshotsTest : public testing::Test {
 protected:
  // Writes only at its end.
  static constexpr hours kAtTheEnd{1};
  static constexpr milliseconds kAtOnce{1};

  std::unique_ptr<CacheSnapshots> Open(milliseconds write_interval) {
    auto snapshots =
        CacheSnapshots::Open({.directory = folder_.path(), .write_interval = write_interval},
                             [this](const absl::Status& problem) {
                               const std::lock_guard lock(mutex_);
                               problems_.emplace_back(problem.ToString());
                             });
    EXPECT_TRUE(snapshots.ok()) << snapshots.status();
    return *std::move(snapshots);
  }
  std::vector<std::string> Problems() {
    const std::lock_guard lock(mutex_);
    return problems_;
  }
  static std::shared_ptr<AnswerCache> NewCache() { return std::make_shared<AnswerCache>(100'000); }
  static void Put(AnswerCache& cache, const std::string& key, const std::string& text) {
    cache.Put(key, std::make_shared<const std::string>(text), "\"etag\"", kLifetime,
              system_clock::now());
  }
  // "" for none.
  static std::string TextOf(AnswerCache& cache, const std::string& key) {
    const AnswerCache::Found found = cache.Find(key, system_clock::now());
    return found.message == nullptr ? "" : *found.message;
  }
  std::string PathOf(const std::string& tenant_id) const {
    return folder_.PathOf(tenant_id + ".snapshot");
  }
  // In the file; "" for none.
  std::string TextInFile(const std::string& tenant_id, const std::string& key) const {
    const auto kept = ReadSnapshotFile(PathOf(tenant_id), tenant_id);
    if (!kept.ok()) return "";
    for (const AnswerCache::Kept& one : *kept) {
      if (one.key == key) return *one.message;
    }
    return "";
  }
  bool IsSoonInFile(const std::string& tenant_id, const std::string& key, const std::string& text) {
    return Eventually([&] { return TextInFile(tenant_id, key) == text; });
  }
  const TemporaryFolder folder_;
  std::mutex mutex_;
  std::vector<std::string> problems_;  // protected by mutex_
};

TEST_F(CacheSnapshotsTest, MakesADirectoryForItselfAlone) {
  const std::string directory = folder_.PathOf("cache");

  const auto first = CacheSnapshots::Open({.directory = directory}, [](const absl::Status&) {});
  const auto second = CacheSnapshots::Open({.directory = directory}, [](const absl::Status&) {});

  EXPECT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(second.ok()) << second.status();
  struct stat status{};
  ASSERT_EQ(stat(directory.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(CacheSnapshotsTest, RefusesADirectoryItCannotUse) {
  WriteContent(folder_.PathOf("file"), "");
  std::filesystem::create_directory(folder_.PathOf("locked"));
  chmod(folder_.path().c_str(), 0755);
  chmod(folder_.PathOf("locked").c_str(), 0555);
  const uid_t usual = geteuid();
  // Permissions mean nothing to root.
  ASSERT_EQ(seteuid(usual == 0 ? 65534 : usual), 0);
  for (const std::string& directory :
       {std::string(), folder_.PathOf("file"), folder_.PathOf("file/below"),
        folder_.PathOf("not there/below"), folder_.PathOf("locked"),
        folder_.PathOf("locked/below")}) {
    const auto snapshots =
        CacheSnapshots::Open({.directory = directory}, [](const absl::Status&) {});

    EXPECT_EQ(snapshots.status().code(), absl::StatusCode::kInvalidArgument) << directory;
    EXPECT_THAT(std::string(snapshots.status().message()),
                HasSubstr(absl::StrCat("\"", directory, "\" should be a directory")));
  }
  ASSERT_EQ(seteuid(usual), 0);
}

TEST_F(CacheSnapshotsTest, AStartFindsWhatWasThereAtTheEnd) {
  const auto before = NewCache();
  {
    const auto snapshots = Open(kAtTheEnd);
    snapshots->Follow(kOne, before, kLifetime);
    Put(*before, "key", "answer");
    EXPECT_THAT(folder_.Names(), IsEmpty());
  }

  const auto after = NewCache();
  Open(kAtTheEnd)->Follow(kOne, after, kLifetime);

  const AnswerCache::Found found = after->Find("key", system_clock::now());
  EXPECT_EQ(found.use, AnswerCache::Use::kFresh);
  EXPECT_EQ(*found.message, "answer");
  EXPECT_EQ(found.etag, "\"etag\"");
  EXPECT_EQ(found.fetched_at, before->kept().front().fetched_at);
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_THAT(folder_.Names(), ElementsAre(kOne + ".snapshot"));
}

TEST_F(CacheSnapshotsTest, WritesWhatWasThereBeforeItWasFollowed) {
  const auto cache = NewCache();
  Put(*cache, "key", "answer");

  Open(kAtTheEnd)->Follow(kOne, cache, kLifetime);

  EXPECT_EQ(TextInFile(kOne, "key"), "answer");
}

TEST_F(CacheSnapshotsTest, KeepsTenantsApart) {
  const auto one = NewCache();
  const auto two = NewCache();
  const auto snapshots = Open(kAtOnce);
  snapshots->Follow(kOne, one, kLifetime);
  snapshots->Follow(kTwo, two, kLifetime);

  Put(*one, "key", "of one");
  Put(*two, "key", "of two");

  EXPECT_TRUE(IsSoonInFile(kOne, "key", "of one"));
  EXPECT_TRUE(IsSoonInFile(kTwo, "key", "of two"));
  // Not even by a mistake in the directory.
  std::filesystem::copy_file(PathOf(kOne), PathOf("33333333"));
  const auto three = NewCache();
  snapshots->Follow("33333333", three, kLifetime);
  EXPECT_EQ(TextOf(*three, "key"), "");
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("33333333.snapshot is of another tenant")));
}

TEST_F(CacheSnapshotsTest, WritesOnlyWhatHasChangedAndIsKept) {
  const auto one = NewCache();
  const auto two = NewCache();
  const auto snapshots = Open(kAtOnce);
  snapshots->Follow(kOne, one, kLifetime);
  snapshots->Follow(kTwo, two, kLifetime);
  Put(*one, "key", "1");
  ASSERT_TRUE(IsSoonInFile(kOne, "key", "1"));
  // The first round may have written it twice.
  Put(*two, "key", "1");
  ASSERT_TRUE(IsSoonInFile(kTwo, "key", "1"));
  std::filesystem::remove(PathOf(kOne));

  one->Find("key", system_clock::now());
  one->Put("personal", std::make_shared<const std::string>("x"), "", {.fresh = hours(1)},
           system_clock::now());
  Put(*two, "key", "2");
  ASSERT_TRUE(IsSoonInFile(kTwo, "key", "2"));

  EXPECT_EQ(ContentOf(PathOf(kOne)), "");
  one->Renew("key", system_clock::now());
  EXPECT_TRUE(IsSoonInFile(kOne, "key", "1"));
}

TEST_F(CacheSnapshotsTest, ForgetsACacheThatIsGoneButNotItsFile) {
  auto one = NewCache();
  const std::weak_ptr<AnswerCache> watched = one;
  const auto snapshots = Open(kAtOnce);
  snapshots->Follow(kOne, one, kLifetime);
  Put(*one, "key", "1");
  ASSERT_TRUE(IsSoonInFile(kOne, "key", "1"));

  one.reset();

  EXPECT_TRUE(Eventually([&] { return watched.expired(); }));
  const auto two = NewCache();
  snapshots->Follow(kTwo, two, kLifetime);
  Put(*two, "key", "1");
  ASSERT_TRUE(IsSoonInFile(kTwo, "key", "1"));
  EXPECT_EQ(TextInFile(kOne, "key"), "1");
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(CacheSnapshotsTest, OfTwoCachesOfATenantTheLastIsWritten) {
  const auto former = NewCache();
  const auto current = NewCache();
  {
    const auto snapshots = Open(kAtTheEnd);
    snapshots->Follow(kOne, former, kLifetime);
    snapshots->Follow(kOne, current, kLifetime);
    Put(*former, "key", "former");
    Put(*current, "key", "current");
  }

  EXPECT_EQ(TextInFile(kOne, "key"), "current");
}

class DamagedSnapshotTest : public CacheSnapshotsTest {
 protected:
  void SetUp() override {
    const auto cache = NewCache();
    Put(*cache, "k", "m");
    Open(kAtTheEnd)->Follow(kOne, cache, kLifetime);
    whole_ = ContentOf(PathOf(kOne));
    ASSERT_FALSE(whole_.empty());
    snapshots_ = Open(kAtTheEnd);
  }
  // How many problems are told, and answers taken, when that is in the file.
  std::pair<size_t, size_t> Take(const std::string& content) {
    WriteContent(PathOf(kOne), content);
    const size_t before = Problems().size();
    const auto cache = NewCache();
    snapshots_->Follow(kOne, cache, kLifetime);
    return {Problems().size() - before, cache->summary(system_clock::now()).entries};
  }
  const std::pair<size_t, size_t> kWhole{0, 1};
  const std::pair<size_t, size_t> kDamaged{1, 0};

  std::string whole_;
  std::unique_ptr<CacheSnapshots> snapshots_;
};

TEST_F(DamagedSnapshotTest, NothingIsTakenOfAFileThatIsDamagedAnywhere) {
  ASSERT_EQ(Take(whole_), kWhole);
  for (size_t at = 0; at < whole_.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole_;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      EXPECT_EQ(Take(damaged), kDamaged) << at << " " << bit;
    }
  }
}

TEST_F(DamagedSnapshotTest, NothingIsTakenOfAFileThatIsCutOffOrContinuedAnywhere) {
  for (size_t size = 0; size < whole_.size(); ++size) {
    EXPECT_EQ(Take(whole_.substr(0, size)), kDamaged) << size;
  }
  EXPECT_EQ(Take(whole_ + '\0'), kDamaged);
  EXPECT_EQ(Take(whole_ + whole_), kDamaged);
}

TEST_F(DamagedSnapshotTest, ADamagedFileStaysUntilThereIsSomethingToWrite) {
  const std::string damaged = whole_ + "x";
  ASSERT_EQ(Take(damaged), kDamaged);
  const auto cache = NewCache();
  snapshots_->Follow(kOne, cache, kLifetime);
  snapshots_.reset();
  EXPECT_EQ(ContentOf(PathOf(kOne)), damaged);

  snapshots_ = Open(kAtOnce);
  snapshots_->Follow(kOne, cache, kLifetime);
  Put(*cache, "key", "answer");

  EXPECT_TRUE(IsSoonInFile(kOne, "key", "answer"));
}

TEST_F(CacheSnapshotsTest, RefusesATenantWhoseIdIsNoSafeName) {
  const auto cache = NewCache();
  Put(*cache, "key", "answer");
  {
    const auto snapshots = Open(kAtTheEnd);
    for (const char* const id : {"", ".", "../1", "1/2", "a.b", "g", "1\n"}) {
      snapshots->Follow(id, cache, kLifetime);
    }
    EXPECT_THAT(Problems(), SizeIs(7));
    EXPECT_THAT(Problems().back(), HasSubstr("hexadecimal digits and hyphens"));
  }

  EXPECT_THAT(folder_.Names(), IsEmpty());
}

TEST_F(CacheSnapshotsTest, TellsOnceThatItCannotWriteUntilItCouldAgain) {
  const auto one = NewCache();
  const auto two = NewCache();
  const auto snapshots = Open(kAtOnce);
  snapshots->Follow(kOne, one, kLifetime);
  snapshots->Follow(kTwo, two, kLifetime);
  for (const size_t times : {1U, 2U}) {
    std::filesystem::remove(PathOf(kOne));
    std::filesystem::create_directory(PathOf(kOne));
    Put(*one, "key", absl::StrCat(times));
    ASSERT_TRUE(Eventually([&] { return Problems().size() == times; }));
    EXPECT_THAT(Problems().back(), HasSubstr(PathOf(kOne)));

    // The other's file tells that further rounds have passed.
    for (const char* const text : {"a", "b", "c"}) {
      Put(*two, "key", text);
      ASSERT_TRUE(IsSoonInFile(kTwo, "key", text));
    }

    EXPECT_THAT(Problems(), SizeIs(times));
    std::filesystem::remove(PathOf(kOne));
    EXPECT_TRUE(IsSoonInFile(kOne, "key", absl::StrCat(times)));
  }
}

TEST_F(CacheSnapshotsTest, GoesOnWhenItsDirectoryHasComeBack) {
  const auto one = NewCache();
  const auto two = NewCache();
  const auto snapshots = Open(kAtOnce);
  snapshots->Follow(kOne, one, kLifetime);
  snapshots->Follow(kTwo, two, kLifetime);
  std::filesystem::remove_all(folder_.path());
  Put(*one, "key", "1");
  Put(*two, "key", "2");
  ASSERT_TRUE(Eventually([&] { return !Problems().empty(); }));

  std::filesystem::create_directory(folder_.path());

  EXPECT_TRUE(IsSoonInFile(kOne, "key", "1"));
  EXPECT_TRUE(IsSoonInFile(kTwo, "key", "2"));
  EXPECT_THAT(Problems(), SizeIs(1));
}

// Meant for ThreadSanitizer above all.
TEST_F(CacheSnapshotsTest, CallsGoOnWhileItWrites) {
  const std::vector<std::shared_ptr<AnswerCache>> caches{NewCache(), NewCache()};
  auto snapshots = Open(kAtOnce);
  snapshots->Follow(kOne, caches[0], kLifetime);
  const int rounds = Rounds(2000, 20'000);
  const auto call = [&](unsigned seed) {
    std::minstd_rand random(seed);
    for (int i = 0; i < rounds; ++i) {
      AnswerCache& cache = *caches[random() % 2];
      const std::string key = absl::StrCat(random() % 50);
      const auto now = system_clock::now();
      const std::string expected = absl::StrCat("answer to ", key);
      switch (random() % 8) {
        case 0:
          Put(cache, key, expected + std::string(3000, 'x'));
          break;
        case 1:
          cache.Renew(key, now);
          break;
        case 2:
          cache.RenewalFailed(key, now);
          break;
        case 3:
          cache.Drop(key);
          break;
        case 4:
          EXPECT_LE(cache.summary(now).bytes, 100'000U);
          break;
        default: {
          const AnswerCache::Found found = cache.Find(key, now);
          if (found.message == nullptr) break;
          EXPECT_EQ(found.message->substr(0, expected.size()), expected);
        }
      }
    }
  };

  std::vector<std::thread> threads;
  for (const unsigned seed : {1U, 2U, 3U}) threads.emplace_back(call, seed);
  threads.emplace_back([&] { snapshots->Follow(kTwo, caches[1], kLifetime); });
  for (std::thread& thread : threads) thread.join();
  snapshots.reset();

  EXPECT_THAT(Problems(), IsEmpty());
  for (const auto& [tenant_id, cache] : {std::pair(kOne, caches[0]), std::pair(kTwo, caches[1])}) {
    const auto kept = ReadSnapshotFile(PathOf(tenant_id), tenant_id);
    ASSERT_TRUE(kept.ok()) << kept.status();
    EXPECT_EQ(kept->size(), cache->kept().size());
  }
}

}  // namespace
}  // namespace idv
