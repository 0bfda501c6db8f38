#include "auth/secret_store.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace idv {
namespace {

using Kind = SecretSource::Kind;

// Many calls may find at once that a key is not accepted any more, and go on doing so.
constexpr std::chrono::milliseconds kLeastInterval{500};

}  // namespace

absl::Status SecretStore::Followed::Read() {
  const std::lock_guard lock(mutex_);
  absl::StatusOr<SecretStore::Read> read = store_.ReadNow(source_);
  if (!read.ok()) {
    ++failures_;
    const std::string problem(read.status().message());
    if (std::exchange(problem_, problem) != problem) listener_.on_problem(read.status());
    return read.status();
  }
  problem_.clear();
  // One of Vault's servers may be behind another.
  if (read->version < version_) return absl::OkStatus();
  version_ = read->version;
  listener_.on_value(read->secret.value());
  return absl::OkStatus();
}

std::unique_ptr<Refresher::Wait> SecretStore::Followed::ReadAgain(
    std::function<void()> on_done) const {
  return std::make_unique<Refresher::Wait>(store_.RefresherOf(source_), job_,
                                           Refresher::Wait::For::kNext, std::move(on_done));
}

SecretStore::SecretStore(const Options& options)
    : from_here_({.least_interval = kLeastInterval}),
      from_vault_({.poll = options.poll, .least_interval = kLeastInterval}) {
  if (options.vault) vault_.emplace(*options.vault);
}

std::shared_ptr<SecretStore::Followed> SecretStore::Follow(const SecretSource& source,
                                                           Listener listener) {
  auto followed = std::make_shared<Followed>(*this, source, std::move(listener));
  const std::weak_ptr<Followed> weak = followed;
  followed->job_ = RefresherOf(source).Add([weak] {
    if (const auto held = weak.lock()) static_cast<void>(held->Read());
  });
  if (source.kind == Kind::kFile) {
    const std::lock_guard lock(mutex_);
    in_files_.push_back(weak);
  }
  return followed;
}

void SecretStore::RefreshFiles() {
  const std::lock_guard lock(mutex_);
  std::erase_if(in_files_, [](const auto& one) { return one.expired(); });
  for (const std::weak_ptr<Followed>& one : in_files_) {
    if (const auto followed = one.lock()) from_here_.Ask(*followed->job_);
  }
}

absl::StatusOr<SecretStore::Read> SecretStore::ReadNow(const SecretSource& source) {
  if (source.kind == Kind::kEnvironment) return ReadVariable(source.place);
  if (source.kind == Kind::kFile) {
    absl::StatusOr<Secret> secret = ReadSecretFile(source.place);
    if (!secret.ok()) return secret.status();
    return Read{0, *std::move(secret)};
  }
  if (!vault_) return absl::FailedPreconditionError("no vault is configured");
  absl::StatusOr<Vault::Version> version = vault_->Read(source.place, source.field);
  if (!version.ok()) return version.status();
  return Read{version->number, std::move(version->secret)};
}

// A variable is wiped when it is read, and two secrets may be in the same one.
absl::StatusOr<SecretStore::Read> SecretStore::ReadVariable(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto taken = variables_.find(name);
  if (taken == variables_.end()) {
    absl::StatusOr<Secret> secret = TakeSecretFromEnvironment(name);
    if (!secret.ok()) return secret.status();
    taken = variables_.emplace(name, *std::move(secret)).first;
  }
  return Read{0, Secret(taken->second.value())};
}

Refresher& SecretStore::RefresherOf(const SecretSource& source) {
  return source.kind == Kind::kVault ? from_vault_ : from_here_;
}

}  // namespace idv
