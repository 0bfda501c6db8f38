#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "upstream/answer_cache.h"

namespace idv {

// Keeps on disk what is kept of the tenants' caches, so that a gateway that starts while the
// upstream is down still has answers. There is a file for each tenant, "<tenant_id>.snapshot"; see
// snapshot_file.h. One thread writes, so no call ever waits for the disk. Thread-safe.
//
// A directory is for one gateway at a time: with two, the snapshot of either may be lost, and is
// never mixed with the other's.
class CacheSnapshots {
 public:
  struct Options {
    // Made if it is not there; what it lies in must be.
    std::string directory;
    // More than 0. A tenant's file is written at most that often: what changed since then is lost
    // in a crash.
    std::chrono::milliseconds write_interval{5000};
  };

  // What is wrong with a file; its name is in it. Called without a lock held, on the thread that
  // calls Follow() or on the one that writes. Of writing only the first problem is told, until
  // everything could be written again.
  using OnProblem = std::function<void(const absl::Status&)>;

  // Whether Open() would take the directory, as far as that can be told without making it. Errors:
  // the same.
  static absl::Status Check(const std::string& directory);
  // kInvalidArgument: the directory is none, cannot be made or may not be written to.
  static absl::StatusOr<std::unique_ptr<CacheSnapshots>> Open(const Options& options,
                                                              OnProblem on_problem);
  // Writes what has changed; the caches must still be there for it.
  ~CacheSnapshots();
  CacheSnapshots(const CacheSnapshots&) = delete;
  CacheSnapshots& operator=(const CacheSnapshots&) = delete;

  // Fills the cache from the tenant's file, and writes the file again whenever what is kept has
  // changed, for as long as somebody else holds the cache; the file stays behind. Of the caches of
  // one tenant only the last one is written. Blocks while it reads. What is told as a problem:
  //   a file that cannot be read, or is damaged or foreign: nothing of it is taken, and it stays
  //   until there is something to write
  //   a tenant id that is not of hexadecimal digits and hyphens alone, since it names the file: its
  //   cache is not followed
  void Follow(const std::string& tenant_id, const std::shared_ptr<AnswerCache>& cache,
              const AnswerCache::Lifetime& lifetime);

 private:
  struct Followed {
    std::weak_ptr<AnswerCache> cache;
    uint64_t written_version = 0;  // 0: nothing is there that would have to be written
  };

  CacheSnapshots(const Options& options, OnProblem on_problem);
  std::string PathOf(const std::string& tenant_id) const;
  void Run();
  void WriteChanged();
  void Tell(const absl::Status& first_problem);

  const Options options_;
  const OnProblem on_problem_;

  bool is_told_ = false;  // of the thread that writes

  std::mutex mutex_;
  std::condition_variable ending_;
  // Protected by mutex_:
  std::map<std::string, std::shared_ptr<Followed>> followed_;  // by tenant id
  bool is_ending_ = false;

  std::thread thread_;
};

}  // namespace idv
