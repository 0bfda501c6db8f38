#include "upstream/cache_snapshots.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "upstream/snapshot_file.h"

namespace idv {
namespace {

bool IsSafeName(const std::string& tenant_id) {
  return !tenant_id.empty() && absl::c_all_of(tenant_id, [](char c) {
    return c == '-' || absl::ascii_isxdigit(static_cast<unsigned char>(c));
  });
}

// These return 0 or an error of the system.

int CheckWritable(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  return faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

int CheckDirectory(const std::string& path) {
  const int error = CheckWritable(path);
  if (error != ENOENT) return error;
  return CheckWritable(std::filesystem::path(path).lexically_normal().parent_path());
}

int PrepareDirectory(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) return errno;
  return CheckWritable(path);
}

absl::Status Unusable(const std::string& directory, int error) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", directory,
      "\" should be a directory, there or to be made, that this process may write to: ",
      strerrordesc_np(error)));
}

}  // namespace

absl::Status CacheSnapshots::Check(const std::string& directory) {
  const int error = CheckDirectory(directory);
  return error == 0 ? absl::OkStatus() : Unusable(directory, error);
}

absl::StatusOr<std::unique_ptr<CacheSnapshots>> CacheSnapshots::Open(const Options& options,
                                                                     OnProblem on_problem) {
  if (const int error = PrepareDirectory(options.directory); error != 0) {
    return Unusable(options.directory, error);
  }
  return std::unique_ptr<CacheSnapshots>(new CacheSnapshots(options, std::move(on_problem)));
}

CacheSnapshots::CacheSnapshots(const Options& options, OnProblem on_problem)
    : options_(options), on_problem_(std::move(on_problem)), thread_([this] { Run(); }) {}

CacheSnapshots::~CacheSnapshots() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    ending_.notify_one();
  }
  thread_.join();
}

void CacheSnapshots::Follow(const std::string& tenant_id, const std::shared_ptr<AnswerCache>& cache,
                            const AnswerCache::Lifetime& lifetime) {
  if (!IsSafeName(tenant_id)) {
    on_problem_(absl::InvalidArgumentError(
        "a tenant id should be of hexadecimal digits and hyphens to have its answers kept"));
    return;
  }
  auto kept = ReadSnapshotFile(PathOf(tenant_id), tenant_id);
  if (kept.ok()) {
    cache->Restore(*std::move(kept), lifetime, std::chrono::system_clock::now());
  } else if (!absl::IsNotFound(kept.status())) {
    on_problem_(kept.status());
  }
  const std::lock_guard lock(mutex_);
  followed_[tenant_id] = std::make_shared<Followed>(Followed{.cache = cache});
}

std::string CacheSnapshots::PathOf(const std::string& tenant_id) const {
  return absl::StrCat(options_.directory, "/", tenant_id, ".snapshot");
}

void CacheSnapshots::Run() {
  for (bool is_last = false; !is_last;) {
    {
      std::unique_lock lock(mutex_);
      is_last = ending_.wait_for(lock, options_.write_interval, [this] { return is_ending_; });
    }
    WriteChanged();
  }
}

void CacheSnapshots::WriteChanged() {
  std::map<std::string, std::shared_ptr<Followed>> followed;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(followed_, [](const auto& one) { return one.second->cache.expired(); });
    followed = followed_;
  }
  absl::Status first_problem;
  for (const auto& [tenant_id, one] : followed) {
    const std::shared_ptr<AnswerCache> cache = one->cache.lock();
    if (cache == nullptr) continue;
    // First the version: what changes in between is written the next time.
    const uint64_t version = cache->kept_version();
    if (version == one->written_version) continue;
    const absl::Status result = WriteSnapshotFile(PathOf(tenant_id), tenant_id, cache->kept());
    if (result.ok()) one->written_version = version;
    first_problem.Update(result);
  }
  Tell(first_problem);
}

// A full disk would else be told for each tenant again and again.
void CacheSnapshots::Tell(const absl::Status& first_problem) {
  const bool is_news = !first_problem.ok() && !is_told_;
  is_told_ = !first_problem.ok();
  if (is_news) on_problem_(first_problem);
}

}  // namespace idv
