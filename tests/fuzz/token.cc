#include <absl/strings/escaping.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "auth/token_verifier.h"
#include "tests/fuzz/target.h"

namespace idv::fuzz {
namespace {

// Nobody has the private keys any more.
constexpr char kKeySet[] =
    R"({"keys":[{"kty":"RSA","kid":"rsa","e":"AQAB","n":"n6Nio0VOaIh0yw8Mf6vg5oio37e3QKZY3jzYRx46)"
    R"(Ov19IXg_c-iusW8EMF1-z1M53nGu5sBUHYYujNf1mrzdJJnq5hkJbf0BwSen-DjRrkf1gMIc8YV7Jufg2gUUTKjFqw)"
    R"(FsnE3SZAHtoFsJjqOtbIFYmS2-rIL9PEJDNc_zt35DYBsE2jMFwkOx6v0oTg0pFppAE4f85frZQgACnHwLbEUGoWKp)"
    R"(1R_DjcbBAd2zOYz7d9qGlEXnkLeMQ4WHrehHqBLpBP4g9Xe_TSemszRvTY4AbDLV2zwG-CZioFsaHcTFhfX0ml9MjR)"
    R"(VEmF_77sxgO1nefrlhKqXYSKNVyKY9kw"},{"kty":"EC","kid":"ec","crv":"P-256","x":"CqQgP_6-5mUTn)"
    R"(SRnKC6siCeZWIExBxvugwUcbWqHVoE","y":"_XR1C7M5L5PGPDCofD7IsdIz1hS55OoMbffRjobJi1A"},{"kty":)"
    R"("EC","crv":"P-521","alg":"ES512","x":"AIl9UaKZAkbpxUDPzVWuspyAyiDK8oQtG4XKSiHUk1ojGf7GkgfH)"
    R"(glD9D85UTUQv-p6j1Pp8Hxe2FlbO7K8L8d41","y":"ACwfr82yVfsuxN7751lv39QzU3dYZdex89DNrDGEsu7vHlj)"
    R"(4YDbl3lzK8x9p56ZnKRZBjFEiWKQJf8WdwyL4SA07"}]})";

constexpr TokenVerifier::WallClock::time_point kNow{std::chrono::seconds(1'800'000'000)};

TokenVerifier& Verifier() {
  static TokenVerifier* const verifier = [] {
    std::string path = "/tmp/idv_fuzz_token.XXXXXX";
    close(mkstemp(path.data()));
    std::ofstream(path) << kKeySet;
    auto* const made = new TokenVerifier({{.issuer = "https://issuer",
                                           .audience = "idv-gateway",
                                           .jwks_file = path,
                                           .jwks_url = "",
                                           .jwks_ca_file = "",
                                           .identity_claim = "sub"}},
                                         {});
    if (!made->Load().ok()) std::abort();
    unlink(path.c_str());
    return made;
  }();
  return *verifier;
}

std::string Encoded(absl::string_view bytes) {
  std::string encoded;
  absl::WebSafeBase64Escape(bytes, &encoded);
  return encoded;
}

}  // namespace

std::string CheckToken(absl::string_view bytes) {
  const std::vector<absl::string_view> parts = absl::StrSplit(bytes, absl::MaxSplits('\n', 2));
  std::vector<std::string> encoded;
  encoded.reserve(parts.size());
  for (const absl::string_view part : parts) encoded.push_back(Encoded(part));
  for (const std::string& token : {absl::StrJoin(encoded, "."), std::string(bytes)}) {
    if (Verifier().Verify(token, kNow)) return "a token is taken that nobody can have signed";
  }
  return "";
}

}  // namespace idv::fuzz
