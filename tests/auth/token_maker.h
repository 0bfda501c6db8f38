#pragma once

#include <nlohmann/json.hpp>
#include <string>

struct _cjose_jwk_int;  // NOLINT: the name is of cjose

namespace idv {

// A key pair of an issuer of tokens.
class TokenMaker {
 public:
  // `type`: "RSA-2048", "RSA-1024", "P-256", "P-384", "P-521" or "oct".
  TokenMaker(const std::string& type, const std::string& id);
  ~TokenMaker();
  TokenMaker(const TokenMaker&) = delete;
  TokenMaker& operator=(const TokenMaker&) = delete;

  // The public key as a JSON Web Key, with these members besides.
  nlohmann::json PublicKey(const nlohmann::json& more = nlohmann::json::object()) const;

  // A token with the header's `alg`, the key's id, and these members of the header besides.
  std::string Sign(const nlohmann::json& claims, const std::string& algorithm,
                   const nlohmann::json& header = nlohmann::json::object()) const;

 private:
  _cjose_jwk_int* key_;
};

// A JSON Web Key Set.
std::string KeySetOf(const nlohmann::json& keys);

// A token with whatever header and claims, and this as its signature.
std::string Unsigned(const nlohmann::json& header, const nlohmann::json& claims,
                     const std::string& signature = "");

}  // namespace idv
