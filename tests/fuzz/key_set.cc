#include <absl/strings/string_view.h>

#include <string>

#include "auth/json_web_key.h"
#include "tests/fuzz/target.h"

namespace idv::fuzz {

std::string CheckKeySet(absl::string_view bytes) {
  const absl::StatusOr<JsonWebKeySet> keys = JsonWebKeySet::Parse(bytes);
  if (!keys.ok()) return keys.status().message().empty() ? "an error without a text" : "";
  // {"alg":"RS256","kid":"rsa"} and {"sub":"a"}, and as its signature the byte "s".
  const std::string token = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJzdWIiOiJhIn0.cw";
  return keys->IsGenuine(token) ? "a signature of one byte is genuine" : "";
}

}  // namespace idv::fuzz
