#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "auth/json_web_key.h"
#include "auth/refresher.h"

namespace idv {

// Tells by a JSON Web Token (RFC 7519) who its bearer is. Thread-safe.
class TokenVerifier {
 public:
  using WallClock = std::chrono::system_clock;

  // How far the clocks of issuers and of this machine may differ.
  static constexpr std::chrono::seconds kLeeway{30};

  struct Issuer {
    // As in the tokens' `iss`; no two have the same.
    std::string issuer;
    // Must be among the tokens' `aud`.
    std::string audience;
    // A JSON Web Key Set: a file, or else an https:// URL, with the PEM authorities to trust there.
    std::string jwks_file;
    std::string jwks_url;
    std::string jwks_ca_file;
    // Whose value is the identity.
    std::string identity_claim;
  };

  // Told of key sets that are fetched, on a thread of the verifier's own.
  struct Reports {
    // One is new: its path in the configuration.
    std::function<void(const std::string& what)> on_news;
    // One cannot be used, for another reason than the last time; the keys from before are kept.
    std::function<void(const absl::Status& problem)> on_problem;
  };

  // `tokens_kept`: verified tokens that are remembered, so that they need not be verified again; up
  // to twice as many are.
  explicit TokenVerifier(std::vector<Issuer> issuers, Reports reports, size_t tokens_kept = 4096);

  // Reads the key sets in files, again after the first time; true if any is new. Errors: every file
  // that cannot be used, one a line, as "authentication.jwt[0].jwks_file: ..."; the keys from
  // before are kept in its place.
  absl::StatusOr<bool> Load();

  // Fetches the key sets at URLs, on this thread; from then on they are fetched again every five
  // minutes. Errors: every one that cannot be used, one a line, which are not told to on_problem.
  absl::Status Fetch();

  // The bearer's identity; nothing for a token that is not genuine, has expired, is not valid yet,
  // is for another audience, or has no such claim. What is wrong is told to nobody.
  std::optional<std::string> Verify(absl::string_view token, WallClock::time_point now);

  // For a token that was not taken, but may be by a key that its issuer has published only now: has
  // the keys fetched and tells when that is done. Null: there is nothing to wait for, also when the
  // keys were fetched a few seconds ago.
  std::unique_ptr<Refresher::Wait> AwaitNewKeys(absl::string_view token, WallClock::time_point now,
                                                std::function<void()> on_done);

  std::vector<std::string> files() const;

 private:
  struct Keys {
    std::string text;
    JsonWebKeySet set;
  };
  struct Verified {
    std::string identity;
    WallClock::time_point end;
  };
  using Cache = absl::flat_hash_map<std::string, Verified>;

  // Whose claims are good, whoever has signed it.
  struct Claimed {
    size_t issuer;
    Verified verified;
  };

  std::optional<Claimed> Claims(const std::string& token, WallClock::time_point now) const;
  std::optional<Verified> VerifyAnew(const std::string& token, WallClock::time_point now);
  std::shared_ptr<const Keys> KeysOf(size_t issuer);
  absl::StatusOr<bool> Take(size_t issuer, std::string text);
  absl::StatusOr<bool> FetchOne(size_t issuer);
  void FetchAgain(size_t issuer);
  void Remember(std::string token, const Verified& verified);

  const std::vector<Issuer> issuers_;
  const Reports reports_;
  const size_t tokens_kept_;

  std::mutex mutex_;
  // Protected by mutex_:
  std::vector<std::shared_ptr<const Keys>> keys_;  // by issuer; null until they are loaded
  Cache recent_;
  Cache older_;
  std::vector<std::string> problems_;  // of key sets at URLs, when they were last fetched

  // By issuer; null for those with a file.
  std::vector<std::shared_ptr<Refresher::Job>> fetches_;
  std::optional<Refresher> refresher_;  // ends before all that is above
};

}  // namespace idv
