#include "upstream/snapshot_file.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <absl/strings/strip.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "kora/idv/gateway/v1/cache_snapshot.pb.h"

namespace idv {
namespace {

using kora::idv::gateway::v1::CacheSnapshot;
using kora::idv::gateway::v1::CacheSnapshotEntry;
using WallTime = AnswerCache::WallTime;

constexpr absl::string_view kFirstLine = "idv-gateway cache snapshot 1\n";
constexpr size_t kDigestBytes = 32;
constexpr size_t kMaxContentBytes = kMaxSnapshotBytes - kFirstLine.size() - kDigestBytes;
// The year 2255: nanoseconds since 1970 can say no more.
constexpr int64_t kMaxSeconds = 9'000'000'000;

// Closes the file when it goes.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status LastError(const std::string& path, absl::string_view what) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(path, " cannot be ", what));
}

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);  // in case it is a pipe
  struct stat status{};
  if (!file.is_open() || fstat(file.get(), &status) != 0) return LastError(path, "read");
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is no regular file"));
  }
  const auto size = static_cast<size_t>(status.st_size);
  if (size > kMaxSnapshotBytes) {
    return absl::ResourceExhaustedError(absl::StrCat(path, " has more than 64 MiB"));
  }
  std::string bytes(size, '\0');
  size_t count = 0;
  while (count < size) {
    const ssize_t some = read(file.get(), bytes.data() + count, size - count);
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) return LastError(path, "read");
    if (some == 0) break;  // it was cut off just now
    count += static_cast<size_t>(some);
  }
  bytes.resize(count);
  return bytes;
}

bool WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t some = write(fd, bytes.data(), bytes.size());
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(some));
  }
  return true;
}

std::string Sha256(absl::string_view bytes) {
  std::string digest(kDigestBytes, '\0');
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
             EVP_sha256(), nullptr);
  return digest;
}

std::optional<WallTime> TimeOf(const CacheSnapshotEntry& entry) {
  const int64_t seconds = entry.fetched_at().seconds();
  const int32_t nanos = entry.fetched_at().nanos();
  if (seconds < 0 || seconds > kMaxSeconds || nanos < 0 || nanos >= 1'000'000'000) return {};
  return WallTime(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanos));
}

void SetTime(WallTime at, CacheSnapshotEntry& entry) {
  const auto since_1970 = std::max(at.time_since_epoch(), WallTime::duration::zero());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_1970);
  entry.mutable_fetched_at()->set_seconds(seconds.count());
  entry.mutable_fetched_at()->set_nanos(static_cast<int32_t>((since_1970 - seconds).count()));
}

// Messages behind one another are one message, so that only one answer at a time is there twice.
std::string Encode(const std::string& tenant_id, const std::vector<AnswerCache::Kept>& kept) {
  CacheSnapshot whose;
  whose.set_tenant_id(tenant_id);
  std::string content = whose.SerializeAsString();
  for (const AnswerCache::Kept& one : kept) {
    CacheSnapshot next;
    CacheSnapshotEntry& entry = *next.add_entries();
    entry.set_key(one.key);
    entry.set_etag(one.etag);
    entry.set_message(*one.message);
    SetTime(one.fetched_at, entry);
    if (content.size() + next.ByteSizeLong() > kMaxContentBytes) break;
    next.AppendToString(&content);
  }
  return content;
}

absl::Status WriteNew(const std::string& path, absl::string_view content) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return LastError(path, "removed");
  const Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.is_open()) return LastError(path, "created");
  const bool is_written = WriteAll(file.get(), kFirstLine) &&
                          WriteAll(file.get(), Sha256(content)) && WriteAll(file.get(), content);
  // Before it gets its name, which could else outlive a loss of power without it.
  if (!is_written || fsync(file.get()) != 0) return LastError(path, "written");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<AnswerCache::Kept>> ReadSnapshotFile(const std::string& path,
                                                                const std::string& tenant_id) {
  const absl::StatusOr<std::string> bytes = ReadAll(path);
  if (!bytes.ok()) return bytes.status();
  absl::string_view rest = *bytes;
  if (!absl::ConsumePrefix(&rest, kFirstLine)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is no cache snapshot of the version this gateway reads"));
  }
  const absl::string_view digest = rest.substr(0, kDigestBytes);
  rest.remove_prefix(digest.size());
  CacheSnapshot snapshot;
  if (digest != Sha256(rest) ||
      !snapshot.ParseFromArray(rest.data(), static_cast<int>(rest.size()))) {
    return absl::DataLossError(absl::StrCat(path, " is cut off or damaged"));
  }
  if (snapshot.tenant_id() != tenant_id) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is of another tenant"));
  }
  std::vector<AnswerCache::Kept> kept;
  for (CacheSnapshotEntry& entry : *snapshot.mutable_entries()) {
    const std::optional<WallTime> fetched_at = TimeOf(entry);
    if (!fetched_at) return absl::DataLossError(absl::StrCat(path, " holds a time out of range"));
    kept.push_back({std::move(*entry.mutable_key()), std::move(*entry.mutable_etag()),
                    std::make_shared<const std::string>(std::move(*entry.mutable_message())),
                    *fetched_at});
  }
  return kept;
}

absl::Status WriteSnapshotFile(const std::string& path, const std::string& tenant_id,
                               const std::vector<AnswerCache::Kept>& kept) {
  const std::string temporary = path + ".tmp";
  absl::Status result = WriteNew(temporary, Encode(tenant_id, kept));
  if (result.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    result = LastError(temporary, absl::StrCat("moved to ", path));
  }
  if (!result.ok()) unlink(temporary.c_str());  // on a full disk it would be in the way
  return result;
}

}  // namespace idv
