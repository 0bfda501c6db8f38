#include "auth/token_verifier.h"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/auth/token_maker.h"

namespace idv {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class TokenVerifierTest : public testing::Test {
 protected:
  ~TokenVerifierTest() override { unlink(path_.c_str()); }

  void Trust(const json& keys) const { std::ofstream(path_) << KeySetOf(keys); }

  json Claims(const json& more = json::object()) const {
    json claims = {{"iss", "https://issuer"},
                   {"aud", "idv-gateway"},
                   {"sub", "system:serviceaccount:kyc:onboarding"},
                   {"exp", Time() + 60}};
    claims.update(more);
    return claims;
  }

  int64_t Time() const {
    return std::chrono::duration_cast<seconds>(now_.time_since_epoch()).count();
  }

  bool IsTaken(const std::string& token) { return verifier_.Verify(token, now_).has_value(); }

  const TokenVerifier::WallClock::time_point now_{seconds(1'800'000'000)};
  const std::string path_ = testing::TempDir() + "/jwks_" + std::to_string(getpid()) + ".json";
  TokenVerifier verifier_{{{.issuer = "https://issuer",
                            .audience = "idv-gateway",
                            .jwks_file = path_,
                            .identity_claim = "sub"}},
                          {},
                          /*tokens_kept=*/4};
};

TEST_F(TokenVerifierTest, KnowsTheBearerByEveryAlgorithmOfItsKey) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> kinds = {
      {"RSA-2048", {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
      {"P-256", {"ES256"}},
      {"P-384", {"ES384"}},
      {"P-521", {"ES512"}}};
  for (const auto& [type, algorithms] : kinds) {
    for (const std::string id : {"key", ""}) {
      const TokenMaker maker(type, id);
      Trust(json::array({maker.PublicKey()}));
      ASSERT_TRUE(verifier_.Load().ok());
      for (const std::string& algorithm : algorithms) {
        EXPECT_EQ(verifier_.Verify(maker.Sign(Claims(), algorithm), now_),
                  "system:serviceaccount:kyc:onboarding")
            << algorithm;
      }
    }
  }
}

// RFC 7515, appendix A.3.
TEST_F(TokenVerifierTest, KnowsTheTokenOfTheStandard) {
  const auto set = JsonWebKeySet::Parse(R"({"keys": [{"kty": "EC", "crv": "P-256",
      "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
  ASSERT_TRUE(set.ok()) << set.status();

  EXPECT_TRUE(
      set->IsGenuine("eyJhbGciOiJFUzI1NiJ9."
                     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                     "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
                     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
                     "pmWQxfKTUJqPP3-Kg6NU1Q"));
}

TEST_F(TokenVerifierTest, RefusesWhatIsNotGenuine) {
  const TokenMaker rsa("RSA-2048", "key");
  const TokenMaker same_id("RSA-2048", "key");
  const TokenMaker other_id("RSA-2048", "other");
  const TokenMaker curve("P-256", "curve");
  const TokenMaker secret("oct", "key");
  Trust({rsa.PublicKey(), curve.PublicKey()});
  ASSERT_TRUE(verifier_.Load().ok());
  const std::string good = rsa.Sign(Claims(), "RS256");
  ASSERT_TRUE(IsTaken(good));

  const size_t first = good.find('.');
  const size_t second = good.rfind('.');
  std::string changed = good;
  changed[first + 10] = changed[first + 10] == 'A' ? 'B' : 'A';
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"empty", ""},
      {"no token", "test_sk_sandbox"},
      {"dots", ".."},
      {"of another key with the same id", same_id.Sign(Claims(), "RS256")},
      {"of an unknown key", other_id.Sign(Claims(), "RS256")},
      {"unsigned", Unsigned({{"alg", "none"}}, Claims())},
      {"unsigned, with an id", Unsigned({{"alg", "none"}, {"kid", "key"}}, Claims())},
      {"by a secret", secret.Sign(Claims(), "HS256")},
      {"an RSA key's id on an EC signature", curve.Sign(Claims(), "ES256", {{"kid", "key"}})},
      {"without algorithm", Unsigned({{"kid", "key"}}, Claims(), "x")},
      {"with its signature cut off", good.substr(0, second + 1)},
      {"with its signature cut short", good.substr(0, good.size() - 4)},
      {"with no signature at all", good.substr(0, second)},
      {"with more behind it", good + ".x"},
      {"changed", changed},
      {"with what must be understood",
       rsa.Sign(Claims(), "RS256", {{"crit", json::array({"exp"})}})},
      {"too long", rsa.Sign(Claims({{"x", std::string(8000, 'x')}}), "RS256")},
  };
  for (const auto& [what, token] : bad) EXPECT_FALSE(IsTaken(token)) << what;
}

TEST_F(TokenVerifierTest, RefusesClaimsThatAreNotForItNow) {
  const TokenMaker maker("P-256", "key");
  Trust(json::array({maker.PublicKey()}));
  ASSERT_TRUE(verifier_.Load().ok());
  const auto is_taken = [&](const json& more) {
    return IsTaken(maker.Sign(Claims(more), "ES256"));
  };
  const int64_t leeway = TokenVerifier::kLeeway.count();

  EXPECT_TRUE(is_taken({{"exp", Time() - leeway + 1}}));
  EXPECT_FALSE(is_taken({{"exp", Time() - leeway}}));
  EXPECT_TRUE(is_taken({{"nbf", Time() + leeway}}));
  EXPECT_FALSE(is_taken({{"nbf", Time() + leeway + 1}}));
  EXPECT_TRUE(is_taken({{"exp", static_cast<double>(Time()) + 0.5}}));
  for (const json& time :
       {json("1900000000"), json(nullptr), json(-1), json(1e300), json::array()}) {
    EXPECT_FALSE(is_taken({{"exp", time}})) << time;
    EXPECT_FALSE(is_taken({{"nbf", time}})) << time;
  }
  EXPECT_TRUE(is_taken({{"aud", json::array({"other", "idv-gateway"})}}));
  for (const json& audience : {json("other"), json::array(), json::array({"a", "b"}), json(nullptr),
                               json("idv-gateway-2"), json(7), json::object()}) {
    EXPECT_FALSE(is_taken({{"aud", audience}})) << audience;
  }
  for (const json& issuer :
       {json("https://other"), json(""), json(nullptr), json("https://issuer/")}) {
    EXPECT_FALSE(is_taken({{"iss", issuer}})) << issuer;
  }
  for (const json& subject : {json(""), json(7), json(nullptr), json("a\nb"), json("\u00e4"),
                              json(std::string(513, 's'))}) {
    EXPECT_FALSE(is_taken({{"sub", subject}})) << subject;
  }
  for (const char* claim : {"iss", "aud", "sub", "exp"}) {
    json claims = Claims();
    claims.erase(claim);
    EXPECT_FALSE(IsTaken(maker.Sign(claims, "ES256"))) << "without " << claim;
  }
  EXPECT_FALSE(IsTaken(maker.Sign(json::array({1}), "ES256")));
}

TEST_F(TokenVerifierTest, LetsAKeyBeUsedAsItSaysOnly) {
  const TokenMaker maker("RSA-2048", "key");
  const TokenMaker beside("P-384", "beside");  // a set of no key at all is refused
  const auto is_taken = [&](const json& more, const std::string& algorithm) {
    Trust({maker.PublicKey(more), beside.PublicKey()});
    EXPECT_TRUE(verifier_.Load().ok());
    return IsTaken(maker.Sign(Claims(), algorithm));
  };

  EXPECT_TRUE(
      is_taken({{"alg", "PS384"}, {"use", "sig"}, {"key_ops", json::array({"verify"})}}, "PS384"));
  EXPECT_FALSE(is_taken({{"alg", "PS384"}}, "RS256"));
  EXPECT_FALSE(is_taken({{"alg", "HS256"}}, "RS256"));
  EXPECT_FALSE(is_taken({{"alg", "ES256"}}, "RS256"));
  EXPECT_FALSE(is_taken({{"use", "enc"}}, "RS256"));
  EXPECT_FALSE(is_taken({{"key_ops", json::array({"encrypt"})}}, "RS256"));
}

TEST_F(TokenVerifierTest, NamesTheFileThatHoldsNoKeys) {
  const TokenMaker weak("RSA-1024", "weak");
  const TokenMaker secret("oct", "secret");
  const json broken = {{"kty", "EC"}, {"crv", "P-256"}, {"x", "AA"}, {"y", "AA"}};
  const std::vector<std::string> bad = {"",
                                        "{}",
                                        "[]",
                                        "{\"keys\": {}}",
                                        KeySetOf(json::array()),
                                        KeySetOf(json::array({1})),
                                        KeySetOf(json::array({weak.PublicKey()})),
                                        KeySetOf(json::array({secret.PublicKey()})),
                                        KeySetOf(json::array({broken}))};
  for (const std::string& text : bad) {
    std::ofstream(path_) << text;
    const absl::Status status = verifier_.Load().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(status.message().find("authentication.jwt[0].jwks_file: " + path_), 0U) << status;
  }
}

TEST_F(TokenVerifierTest, TakesNewKeysAtOnceAndTrustsOldOnesNoMore) {
  const TokenMaker old("P-256", "old");
  const TokenMaker next("P-256", "next");
  const std::string by_old = old.Sign(Claims(), "ES256");
  const std::string by_next = next.Sign(Claims(), "ES256");
  Trust(json::array({old.PublicKey()}));
  EXPECT_TRUE(*verifier_.Load());
  EXPECT_FALSE(*verifier_.Load());
  EXPECT_TRUE(IsTaken(by_old));
  EXPECT_FALSE(IsTaken(by_next));

  Trust({old.PublicKey(), next.PublicKey()});
  EXPECT_TRUE(*verifier_.Load());
  EXPECT_TRUE(IsTaken(by_old));
  EXPECT_TRUE(IsTaken(by_next));

  std::ofstream(path_) << "{";  // half of it
  EXPECT_FALSE(verifier_.Load().ok());
  EXPECT_TRUE(IsTaken(by_next));

  Trust(json::array({next.PublicKey()}));
  EXPECT_TRUE(*verifier_.Load());
  EXPECT_FALSE(IsTaken(by_old));
  EXPECT_TRUE(IsTaken(by_next));
}

TEST_F(TokenVerifierTest, RemembersATokenNoLongerThanItIsValid) {
  const TokenMaker maker("P-256", "key");
  Trust(json::array({maker.PublicKey()}));
  ASSERT_TRUE(verifier_.Load().ok());
  const std::string token = maker.Sign(Claims(), "ES256");

  for (const int later : {0, 60, 89}) {
    EXPECT_TRUE(verifier_.Verify(token, now_ + seconds(later)).has_value()) << later;
  }
  EXPECT_FALSE(verifier_.Verify(token, now_ + seconds(90)).has_value());
}

TEST_F(TokenVerifierTest, TellsManyBearersApart) {
  const TokenMaker maker("P-256", "key");
  Trust(json::array({maker.PublicKey()}));
  ASSERT_TRUE(verifier_.Load().ok());
  std::vector<std::string> tokens;
  for (int i = 0; i < 20; ++i) {  // more than are remembered
    tokens.push_back(maker.Sign(Claims({{"sub", "caller-" + std::to_string(i)}}), "ES256"));
  }
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      EXPECT_EQ(verifier_.Verify(tokens[i], now_), "caller-" + std::to_string(i));
      EXPECT_EQ(verifier_.Verify(tokens[i / 2], now_), "caller-" + std::to_string(i / 2));
    }
  }
}

TEST_F(TokenVerifierTest, TrustsNobodyBeforeItHasKeys) {
  const TokenMaker maker("P-256", "key");
  EXPECT_FALSE(IsTaken(maker.Sign(Claims(), "ES256")));
}

}  // namespace
}  // namespace idv
