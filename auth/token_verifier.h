#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "auth/json_web_key.h"

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
    // A JSON Web Key Set.
    std::string jwks_file;
    // Whose value is the identity.
    std::string identity_claim;
  };

  // `tokens_kept`: verified tokens that are remembered, so that they need not be verified again; up
  // to twice as many are.
  explicit TokenVerifier(std::vector<Issuer> issuers, size_t tokens_kept = 4096);

  // Reads the key sets, again after the first time; true if any is new. Errors: every file that
  // cannot be used, one a line, as "authentication.jwt[0].jwks_file: ..."; the keys from before are
  // kept in its place.
  absl::StatusOr<bool> Load();

  // The bearer's identity; nothing for a token that is not genuine, has expired, is not valid yet,
  // is for another audience, or has no such claim. What is wrong is told to nobody.
  std::optional<std::string> Verify(absl::string_view token, WallClock::time_point now);

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

  std::optional<Verified> VerifyAnew(const std::string& token, WallClock::time_point now);
  void Remember(std::string token, const Verified& verified);

  const std::vector<Issuer> issuers_;
  const size_t tokens_kept_;

  std::mutex mutex_;
  // Protected by mutex_:
  std::vector<std::shared_ptr<const Keys>> keys_;  // by issuer; null until they are loaded
  Cache recent_;
  Cache older_;
};

}  // namespace idv
