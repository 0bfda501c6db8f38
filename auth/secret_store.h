#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "auth/refresher.h"
#include "auth/secret.h"
#include "auth/vault.h"

namespace idv {

// Where a secret is.
struct SecretSource {
  enum class Kind { kFile, kEnvironment, kVault };

  bool operator==(const SecretSource& other) const = default;

  Kind kind = Kind::kFile;
  // The path of the file, the variable's name, or the path in Vault.
  std::string place;
  // Of what is in Vault.
  std::string field;
};

// Reads secrets, and reads them again: those of files when it is told that files may have changed,
// those in Vault from time to time, and each when somebody asks for it. Thread-safe; must outlive
// what it gives out.
class SecretStore {
 public:
  struct Options {
    // Needed for secrets in Vault.
    std::optional<Vault::Options> vault;
    // How often those are read again.
    std::chrono::milliseconds poll{30'000};
  };

  // Who is told of a secret, on the thread that reads it, but never by two at once.
  struct Listener {
    // It was read; it may be the one from before.
    std::function<void(absl::string_view value)> on_value;
    // It cannot be read, for another reason than the last time.
    std::function<void(const absl::Status& problem)> on_problem;
  };

  // A secret that is followed for as long as somebody holds it.
  class Followed {
   public:
    Followed(SecretStore& store, SecretSource source, Listener listener)
        : store_(store), source_(std::move(source)), listener_(std::move(listener)) {}

    const SecretSource& source() const { return source_; }

    // How often it could not be read.
    uint64_t failures() const { return failures_; }
    // Now, on this thread; the listener is told. Errors name the place, never the secret: not
    // there, not permitted, not fit for a header, or out of reach.
    absl::Status Read();

    // Has it read again, and tells when that is done; it begins after now, but not sooner than half
    // a second after it last did. As Refresher::Wait.
    std::unique_ptr<Refresher::Wait> ReadAgain(std::function<void()> on_done) const;

    // Whether that could begin now.
    bool IsNear() const { return store_.RefresherOf(source_).IsNear(*job_); }

   private:
    friend SecretStore;
    SecretStore& store_;
    const SecretSource source_;
    const Listener listener_;
    std::shared_ptr<Refresher::Job> job_;
    std::atomic<uint64_t> failures_ = 0;

    std::mutex mutex_;
    // Protected by mutex_:
    int64_t version_ = 0;
    std::string problem_;
  };

  explicit SecretStore(const Options& options);

  // Nothing is read yet.
  std::shared_ptr<Followed> Follow(const SecretSource& source, Listener listener);

  // Has the secrets in files read again, soon.
  void RefreshFiles();

 private:
  struct Read {
    int64_t version = 0;  // 0: it has none
    Secret secret;
  };

  absl::StatusOr<Read> ReadNow(const SecretSource& source);
  absl::StatusOr<Read> ReadVariable(const std::string& name);
  Refresher& RefresherOf(const SecretSource& source);

  std::mutex mutex_;
  // Protected by mutex_:
  std::map<std::string, Secret> variables_;  // those that were taken
  std::vector<std::weak_ptr<Followed>> in_files_;

  std::optional<Vault> vault_;
  // Apart, since Vault may take its time. They end before all that is above.
  Refresher from_here_;
  Refresher from_vault_;
};

}  // namespace idv
