#include "auth/json_web_key.h"

#include <cjose/cjose.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace idv {
namespace {

using nlohmann::json;

constexpr size_t kLeastRsaBits = 2048;

const std::vector<std::string> kOfRsa = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"};
const std::map<std::string, std::string> kOfCurve = {
    {"P-256", "ES256"}, {"P-384", "ES384"}, {"P-521", "ES512"}};

// The member's text; "" if it is none.
std::string TextOf(const json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

// Those that a key of its type may be used with; none for one that is not taken.
std::vector<std::string> AlgorithmsOf(const json& key) {
  std::vector<std::string> algorithms;
  const std::string type = TextOf(key, "kty");
  if (type == "RSA") algorithms = kOfRsa;
  if (type == "EC") {
    const auto of_curve = kOfCurve.find(TextOf(key, "crv"));
    if (of_curve != kOfCurve.end()) algorithms = {of_curve->second};
  }
  if (!key.contains("alg")) return algorithms;
  const std::string own = TextOf(key, "alg");
  const bool fits = std::find(algorithms.begin(), algorithms.end(), own) != algorithms.end();
  return fits ? std::vector{own} : std::vector<std::string>{};
}

bool IsForSignatures(const json& key) {
  if (key.contains("use") && TextOf(key, "use") != "sig") return false;
  const auto operations = key.find("key_ops");
  return operations == key.end() ||
         (operations->is_array() &&
          std::find(operations->begin(), operations->end(), "verify") != operations->end());
}

struct Releaser {
  void operator()(cjose_jws_t* signature) const { cjose_jws_release(signature); }
};
using Signature = std::unique_ptr<cjose_jws_t, Releaser>;

Signature Import(const std::string& token) {
  return Signature(cjose_jws_import(token.data(), token.size(), nullptr));
}

// A member of the token's header; nothing if it is absent or no text.
std::optional<std::string> HeaderOf(const Signature& signature, const char* name) {
  const char* const value =
      cjose_header_get(cjose_jws_get_protected(signature.get()), name, nullptr);
  if (value == nullptr) return std::nullopt;
  return value;
}

bool HasHeader(const Signature& signature, const char* name) {
  char* const value = cjose_header_get_raw(cjose_jws_get_protected(signature.get()), name, nullptr);
  cjose_get_dealloc()(value);
  return value != nullptr;
}

}  // namespace

void JsonWebKeySet::Freer::operator()(_cjose_jwk_int* key) const { cjose_jwk_release(key); }

absl::StatusOr<JsonWebKeySet> JsonWebKeySet::Parse(absl::string_view text) {
  const json parsed = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  const auto keys = parsed.is_object() ? parsed.find("keys") : parsed.end();
  if (!parsed.is_object() || keys == parsed.end() || !keys->is_array()) {
    return absl::InvalidArgumentError("no JSON Web Key Set, which is an object with \"keys\"");
  }
  JsonWebKeySet set;
  for (const json& key : *keys) {
    if (!key.is_object() || !IsForSignatures(key)) continue;
    std::vector<std::string> algorithms = AlgorithmsOf(key);
    if (algorithms.empty()) continue;
    const std::string one = key.dump();
    std::unique_ptr<_cjose_jwk_int, Freer> imported(
        cjose_jwk_import(one.data(), one.size(), nullptr));
    if (imported == nullptr) continue;
    const bool is_weak = cjose_jwk_get_kty(imported.get(), nullptr) == CJOSE_JWK_KTY_RSA &&
                         cjose_jwk_get_keysize(imported.get(), nullptr) < kLeastRsaBits;
    if (is_weak) continue;
    set.keys_.push_back({TextOf(key, "kid"), std::move(algorithms), std::move(imported)});
  }
  if (set.keys_.empty()) {
    return absl::InvalidArgumentError(
        "no key in it can verify a signature; expected RSA of at least 2048 bits, or EC of P-256, "
        "P-384 or P-521");
  }
  return set;
}

bool JsonWebKeySet::IsGenuine(const std::string& token) const {
  const Signature signature = Import(token);
  // What a "crit" names would have to be understood, and nothing is (RFC 7515, section 4.1.11).
  if (signature == nullptr || HasHeader(signature, "crit")) return false;
  const std::optional<std::string> algorithm = HeaderOf(signature, CJOSE_HDR_ALG);
  const std::optional<std::string> id = HeaderOf(signature, CJOSE_HDR_KID);
  if (!algorithm) return false;

  for (const Key& key : keys_) {
    if (id && !key.id.empty() && key.id != *id) continue;
    const bool fits =
        std::find(key.algorithms.begin(), key.algorithms.end(), *algorithm) != key.algorithms.end();
    if (!fits) continue;
    // One that was tried is not to be tried again.
    const Signature tried = Import(token);
    if (cjose_jws_verify(tried.get(), key.key.get(), nullptr)) return true;
  }
  return false;
}

bool JsonWebKeySet::HasKeyOf(const std::string& token) const {
  const Signature signature = Import(token);
  if (signature == nullptr) return false;
  const std::optional<std::string> id = HeaderOf(signature, CJOSE_HDR_KID);
  return id &&
         std::any_of(keys_.begin(), keys_.end(), [&](const Key& key) { return key.id == *id; });
}

}  // namespace idv
