#include "tests/auth/token_maker.h"

#include <absl/strings/escaping.h>
#include <cjose/cjose.h>
#include <gtest/gtest.h>

namespace idv {
namespace {

using nlohmann::json;

cjose_jwk_t* NewKey(const std::string& type) {
  if (type == "RSA-2048") return cjose_jwk_create_RSA_random(2048, nullptr, 0, nullptr);
  if (type == "RSA-1024") return cjose_jwk_create_RSA_random(1024, nullptr, 0, nullptr);
  if (type == "P-256") return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, nullptr);
  if (type == "P-384") return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_384, nullptr);
  if (type == "P-521") return cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_521, nullptr);
  return cjose_jwk_create_oct_random(256, nullptr);
}

std::string Encoded(const std::string& text) {
  std::string encoded;
  absl::WebSafeBase64Escape(text, &encoded);
  return encoded;
}

}  // namespace

TokenMaker::TokenMaker(const std::string& type, const std::string& id) : key_(NewKey(type)) {
  EXPECT_NE(key_, nullptr) << type;
  if (!id.empty()) cjose_jwk_set_kid(key_, id.data(), id.size(), nullptr);
}

TokenMaker::~TokenMaker() { cjose_jwk_release(key_); }

json TokenMaker::PublicKey(const json& more) const {
  char* const text = cjose_jwk_to_json(key_, /*priv=*/false, nullptr);
  json key = json::parse(text);
  cjose_get_dealloc()(text);
  key.update(more);
  return key;
}

std::string TokenMaker::Sign(const json& claims, const std::string& algorithm,
                             const json& header) const {
  json all = {{"alg", algorithm}};
  if (const char* id = cjose_jwk_get_kid(key_, nullptr)) all["kid"] = id;
  all.update(header);
  cjose_header_t* const made = cjose_header_new(nullptr);
  for (const auto& [name, value] : all.items()) {
    EXPECT_TRUE(
        value.is_string()
            ? cjose_header_set(made, name.c_str(), value.get<std::string>().c_str(), nullptr)
            : cjose_header_set_raw(made, name.c_str(), value.dump().c_str(), nullptr));
  }
  const std::string text = claims.dump();
  cjose_jws_t* const token = cjose_jws_sign(
      key_, made, reinterpret_cast<const uint8_t*>(text.data()), text.size(), nullptr);
  cjose_header_release(made);
  const char* compact = nullptr;
  EXPECT_TRUE(token != nullptr && cjose_jws_export(token, &compact, nullptr)) << algorithm;
  std::string signed_token = compact == nullptr ? "" : compact;
  cjose_jws_release(token);
  return signed_token;
}

std::string KeySetOf(const json& keys) { return json{{"keys", keys}}.dump(); }

std::string Unsigned(const json& header, const json& claims, const std::string& signature) {
  return Encoded(header.dump()) + "." + Encoded(claims.dump()) + "." + Encoded(signature);
}

}  // namespace idv
