// A name of the upstream that cannot be looked up, or whose address changes.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/attempt.h"
#include "tests/e2e/dns_server.h"
#include "tests/e2e/gateway.h"
#include "tests/e2e/sandbox.h"
#include "tests/e2e/steps.h"
#include "tests/upstream/certificates.h"

namespace idv::e2e {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr char kHost[] = "vendor.test";
constexpr milliseconds kPatience{5000};
// Long before the patience is over, and before a resolver gives up, however busy the machine is.
constexpr milliseconds kAtOnce{500};
constexpr milliseconds kConnectTimeout{1000};

class UpstreamDnsTest : public testing::Test {
 protected:
  Attempt Get(milliseconds timeout = kPatience) const { return TryGet(client_, timeout); }
  Attempt Post(milliseconds timeout = kPatience) const { return TryPost(client_, timeout); }

  std::vector<std::string> TlsFlags() const {
    return {"--tls-cert", certificates_.cert_file(), "--tls-key", certificates_.key_file()};
  }

  // The upstream is known by its name, its health by its address.
  Json Config() const {
    Json config =
        BasicConfig(std::string("https://") + kHost + ":" + std::to_string(port_) + "/api/v1/idv");
    config["upstream"]["health_url"] = health_.root_url() + "/health";
    config["upstream"]["private_hosts"] = {kHost};
    config["upstream"]["ca_file"] = certificates_.ca_file();
    config["upstream"]["connect_timeout"] = std::to_string(kConnectTimeout.count()) + "ms";
    return OneRequestPerCall(std::move(config));
  }

  DnsServer dns_;
  const TestCertificates certificates_{{.host = kHost}};
  const Sandbox health_;
  std::optional<Sandbox> sandbox_{std::in_place, TlsFlags()};
  const int port_ = sandbox_->port();
  Gateway gateway_{Config(), dns_.Environment()};
  const Client client_{Connect(gateway_.addresses()[0])};
};

TEST_F(UpstreamDnsTest, IsAskedOnceForManyCalls) {
  dns_.Answer({"127.0.0.1"});

  for (int i = 0; i < 5; ++i) ExpectTold(Post(), kFine);

  EXPECT_EQ(dns_.queries(), 1);
}

TEST_F(UpstreamDnsTest, FailureIsToldAtOnceAndForgottenWhenItIsOver) {
  const auto expect_lost = [&] {
    for (const Attempt& attempt : {Get(), Post()}) {
      ExpectTold(attempt, kLost);
      EXPECT_THAT(attempt.status.error_message(), HasSubstr("host name cannot be resolved"));
      EXPECT_LT(attempt.took, kAtOnce);
    }
  };

  dns_.AnswerUnknown();
  expect_lost();
  dns_.AnswerFailure();
  expect_lost();
  dns_.Answer({"127.0.0.1"});

  ExpectTold(Post(), kFine);
  EXPECT_EQ(sandbox_->Requests().size(), 1U);
}

TEST_F(UpstreamDnsTest, OfSeveralAddressesOneThatAnswersIsFound) {
  dns_.Answer({"127.0.0.7", "127.0.0.1"});

  ExpectTold(Post(), kFine);
}

TEST_F(UpstreamDnsTest, SilenceEndsCallsAtTheirDeadline) {
  dns_.StaySilent();

  ExpectTold(InTime([&] { return Get(milliseconds(300)); }), kTimedOut);
  ExpectTold(InTime([&] { return Post(milliseconds(300)); }), kTimedOut);

  EXPECT_EQ(sandbox_->Requests(), Json::array());
}

TEST_F(UpstreamDnsTest, SilenceEndsCallsAtTheConnectTimeout) {
  dns_.StaySilent();

  const Attempt post = Post();

  ExpectTold(post, kLost);
  EXPECT_GE(post.took, kConnectTimeout);
  EXPECT_LE(post.took, kConnectTimeout + kAtOnce);
}

TEST_F(UpstreamDnsTest, SilenceIsNotNoticedOverAConnectionThatIsKept) {
  dns_.Answer({"127.0.0.1"});
  ExpectTold(Post(), kFine);
  dns_.StaySilent();

  const Attempt post = Post();

  ExpectTold(post, kFine);
  EXPECT_LT(post.took, kAtOnce);
}

// Calls that end, are cancelled or go on while their name is looked up: on the same thread another
// call, which needs no name, is as fast as ever.
TEST_F(UpstreamDnsTest, SilenceKeepsNoOtherCallWaiting) {
  const auto slowest_health = [&] {
    milliseconds slowest{0};
    for (int i = 0; i < 20; ++i) {
      const Attempt health = TryHealth(client_, kPatience);
      ExpectTold(health, kFine);
      slowest = std::max(slowest, health.took);
    }
    return slowest;
  };
  const milliseconds quiet = slowest_health();
  dns_.StaySilent();
  std::list<PendingGet> cancelled;
  std::list<PendingGet> late;
  for (int i = 0; i < 20; ++i) {
    cancelled.emplace_back(client_, "cancelled");
    late.emplace_back(client_, "late", CallOptions{.timeout = milliseconds(500)});
  }
  ASSERT_TRUE(WaitUntil([&] { return dns_.queries() > 0; }));

  const milliseconds waiting = slowest_health();
  for (PendingGet& call : late) EXPECT_EQ(call.Finish().status.error_code(), kTimedOut.code);
  const milliseconds past_deadline = slowest_health();
  for (PendingGet& call : cancelled) call.Cancel();
  const milliseconds after_cancel = slowest_health();

  std::printf("slowest health: %d ms when quiet, then %d, %d and %d ms\n",
              static_cast<int>(quiet.count()), static_cast<int>(waiting.count()),
              static_cast<int>(past_deadline.count()), static_cast<int>(after_cancel.count()));
  EXPECT_LT(std::max({waiting, past_deadline, after_cancel}), quiet + milliseconds(100));
}

TEST_F(UpstreamDnsTest, SilenceDoesNotKeepTheGatewayFromEnding) {
  dns_.StaySilent();
  PendingGet pending(client_, "any");
  ASSERT_TRUE(WaitUntil([&] { return dns_.queries() > 0; }));
  pending.Cancel();
  pending.Finish();

  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(gateway_.Stop(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST_F(UpstreamDnsTest, ChangeIsFollowedWhenTheOldAddressHasGone) {
  dns_.Answer({"127.0.0.1"});
  ExpectTold(Post(), kFine);

  sandbox_.reset();
  dns_.Answer({"127.0.0.2"});
  sandbox_.emplace(TlsFlags(), port_, "127.0.0.2");

  // What is known of a name is believed for a second even then.
  EXPECT_TRUE(WaitUntil([&] { return Post().ok(); }, milliseconds(2000)));
}

// A second gateway, whose upstream is not known to have a private address.
class UpstreamPrivateAddressTest : public UpstreamDnsTest {
 protected:
  Json Guarded() const {
    Json config = Config();
    config["upstream"].erase("private_hosts");
    config["upstream"].erase("health_url");
    return config;
  }

  Attempt GuardedPost() const { return TryPost(guarded_client_, kPatience); }

  Gateway guarded_{Guarded(), dns_.Environment()};
  const Client guarded_client_{Connect(guarded_.addresses()[0])};
};

TEST_F(UpstreamPrivateAddressTest, OfANameThatNobodyNamedIsRefused) {
  dns_.Answer({"127.0.0.1", "127.0.0.2"});

  for (const Attempt& attempt :
       {GuardedPost(), TryGet(guarded_client_, kPatience), TryHealth(guarded_client_, kPatience)}) {
    ExpectTold(attempt, kLost);
    EXPECT_THAT(attempt.status.error_message(),
                HasSubstr("the upstream's host name leads to a private address; name the host in "
                          "upstream.private_hosts if that is meant"));
    EXPECT_LT(attempt.took, kAtOnce);
  }
  EXPECT_EQ(sandbox_->Requests(), Json::array());

  ExpectTold(Post(), kFine);
}

TEST_F(UpstreamPrivateAddressTest, IsPassedOverForAPublicOne) {
  dns_.Answer({"127.0.0.1", "203.0.113.1", "10.0.0.1"});

  ExpectTold(GuardedPost(), kFine);

  EXPECT_EQ(sandbox_->Requests().size(), 1U);
}

TEST_F(UpstreamPrivateAddressTest, IsNotUsedWhenNoPublicOneAnswers) {
  dns_.Answer({"203.0.113.7", "127.0.0.1"});

  ExpectTold(GuardedPost(), kLost);

  EXPECT_EQ(sandbox_->Requests(), Json::array());
}

TEST_F(UpstreamPrivateAddressTest, IsNotBlamedForAPublicOneThatRefuses) {
  dns_.Answer({"203.0.113.7"});

  const Attempt attempt = GuardedPost();

  ExpectTold(attempt, kLost);
  EXPECT_THAT(attempt.status.error_message(), HasSubstr("refuses connections"));
}

TEST_F(UpstreamPrivateAddressTest, IsForgottenOnceTheNameLeadsElsewhere) {
  dns_.Answer({"127.0.0.1"});
  ExpectTold(GuardedPost(), kLost);

  dns_.Answer({"203.0.113.1"});

  EXPECT_TRUE(WaitUntil([&] { return GuardedPost().ok(); }, milliseconds(2000)));
}

}  // namespace
}  // namespace idv::e2e
