#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <memory>
#include <string>
#include <vector>

struct _cjose_jwk_int;  // NOLINT: the name is of cjose

namespace idv {

// The public keys of an issuer of tokens: a JSON Web Key Set (RFC 7517). Immutable, so thread-safe.
class JsonWebKeySet {
 public:
  // Keys that sign nothing (`use`, `key_ops`), symmetric ones, those of types that are not taken,
  // and RSA keys under 2048 bits are left out. kInvalidArgument: no key set, or no key is left;
  // nothing of the text is told.
  static absl::StatusOr<JsonWebKeySet> Parse(absl::string_view json);

  JsonWebKeySet(JsonWebKeySet&&) = default;
  JsonWebKeySet& operator=(JsonWebKeySet&&) = default;

  // Whether the signature of the token, a JSON Web Signature in its compact form (RFC 7515), is by
  // one of the keys: by that of its key id if it has one. The algorithm is the key's own, else one
  // of those for its type and curve (RS, PS and ES, of 256 to 512 bits: RFC 7518), whatever the
  // token wishes.
  bool IsGenuine(const std::string& token) const;

  // Whether it has a key with the key id that the token names.
  bool HasKeyOf(const std::string& token) const;

 private:
  struct Freer {
    void operator()(_cjose_jwk_int* key) const;
  };
  struct Key {
    std::string id;  // empty: it has none
    std::vector<std::string> algorithms;
    std::unique_ptr<_cjose_jwk_int, Freer> key;
  };

  JsonWebKeySet() = default;

  std::vector<Key> keys_;
};

}  // namespace idv
