#include "gateway/admission.h"

#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "upstream/failure.h"

namespace idv {
namespace {

using Share = Admission::Share;

constexpr Admission::Caps kCaps{
    .in_flight = 4, .in_flight_per_tenant = 3, .in_flight_per_caller = 2, .upload_bytes = 100};

std::string CapNamedBy(const absl::StatusOr<Admission::Ticket>& ticket) {
  const std::string message(ticket.status().message());
  const size_t place = message.find("limits.");
  return place == std::string::npos ? message : message.substr(place);
}

class AdmissionTest : public testing::Test {
 protected:
  // Admits a call that stays.
  void Hold(const Share& share) {
    auto ticket = admission_.Admit(share);
    ASSERT_TRUE(ticket.ok()) << ticket.status();
    held_.push_back(*std::move(ticket));
  }

  Admission admission_{kCaps};
  std::vector<Admission::Ticket> held_;
};

TEST_F(AdmissionTest, CapsTheCallsOfOneCallerButOfNoOther) {
  Hold({.caller = "a", .tenant = "acme"});
  Hold({.caller = "a", .tenant = "globex"});

  EXPECT_EQ(CapNamedBy(admission_.Admit({.caller = "a"})), "limits.max_in_flight_per_caller");
  EXPECT_TRUE(admission_.Admit({.caller = "b", .tenant = "acme"}).ok());
}

TEST_F(AdmissionTest, CapsTheCallsForOneTenantButForNoOther) {
  for (const char* caller : {"a", "b", "c"}) Hold({.caller = caller, .tenant = "globex"});

  EXPECT_EQ(CapNamedBy(admission_.Admit({.caller = "d", .tenant = "globex"})),
            "limits.max_in_flight_per_tenant");
  EXPECT_TRUE(admission_.Admit({.caller = "d", .tenant = "acme"}).ok());
  EXPECT_TRUE(admission_.Admit({.caller = "d"}).ok());
}

TEST_F(AdmissionTest, CapsAllCalls) {
  for (const char* caller : {"a", "b", "c", "d"}) Hold({.caller = caller});

  EXPECT_EQ(CapNamedBy(admission_.Admit({.caller = "e"})), "limits.max_in_flight");
}

TEST_F(AdmissionTest, CapsTheMemoryOfUploads) {
  Hold({.caller = "a", .upload_bytes = 60});

  EXPECT_EQ(CapNamedBy(admission_.Admit({.caller = "b", .upload_bytes = 41})),
            "limits.upload_memory");
  EXPECT_TRUE(admission_.Admit({.caller = "b", .upload_bytes = 40}).ok());
  EXPECT_EQ(CapNamedBy(admission_.Admit({.caller = "b", .upload_bytes = SIZE_MAX})),
            "limits.upload_memory");
}

TEST_F(AdmissionTest, LetsARunningCallTakeUpMoreThanThereIsButNoNewOne) {
  Hold({.caller = "a", .upload_bytes = 60});
  held_[0].SetUploadBytes(150);
  EXPECT_EQ(CapNamedBy(admission_.Admit({.caller = "b", .upload_bytes = 1})),
            "limits.upload_memory");
  EXPECT_TRUE(admission_.Admit({.caller = "b"}).ok());

  held_[0].SetUploadBytes(20);
  EXPECT_TRUE(admission_.Admit({.caller = "b", .upload_bytes = 80}).ok());

  held_[0].SetUploadBytes(99);
  held_.clear();
  EXPECT_TRUE(admission_.Admit({.caller = "b", .upload_bytes = 100}).ok());
}

TEST_F(AdmissionTest, GivesEverythingBackWithTheTicket) {
  for (int i = 0; i < 100; ++i) {
    Hold({.caller = "a", .tenant = "acme", .upload_bytes = 50});
    Hold({.caller = "a", .tenant = "acme", .upload_bytes = 50});
    EXPECT_FALSE(admission_.Admit({.caller = "a"}).ok());
    held_.clear();
  }
}

TEST_F(AdmissionTest, TakesNothingForACallThatItRefuses) {
  Hold({.caller = "a", .tenant = "acme"});
  Hold({.caller = "a", .tenant = "acme"});
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(admission_.Admit({.caller = "a", .tenant = "acme"}).ok());

  EXPECT_TRUE(admission_.Admit({.caller = "b", .tenant = "acme"}).ok());
}

TEST_F(AdmissionTest, SendsRefusedCallersAwayForTimesThatDiffer) {
  for (const char* caller : {"a", "b", "c", "d"}) Hold({.caller = caller});
  std::set<int64_t> waits;

  for (int i = 0; i < 100; ++i) {
    const Failure failure = FailureOf(admission_.Admit({.caller = "e"}).status());
    EXPECT_EQ(failure.reason, "GATEWAY_OVERLOADED");
    EXPECT_EQ(failure.blame, Blame::kUs);
    ASSERT_TRUE(failure.retry_after.has_value());
    EXPECT_GE(failure.retry_after->count(), 500);
    EXPECT_LE(failure.retry_after->count(), 1500);
    waits.insert(failure.retry_after->count());
  }

  EXPECT_GT(waits.size(), 20U);
}

TEST(AdmissionRaceTest, CountsRightFromManyThreads) {
  constexpr int kThreads = 4;
  Admission admission({.in_flight = kThreads - 1,
                       .in_flight_per_tenant = kThreads,
                       .in_flight_per_caller = kThreads,
                       .upload_bytes = 100});
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, caller = std::to_string(i % 2)] {
      for (int round = 0; round < 20'000; ++round) {
        const auto ticket = admission.Admit({.caller = caller, .tenant = "acme"});
        if (!ticket.ok()) continue;
        const int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_LE(most, kThreads - 1);
  std::vector<absl::StatusOr<Admission::Ticket>> all;
  for (int i = 0; i < kThreads; ++i) all.push_back(admission.Admit({.caller = "x"}));
  EXPECT_EQ(all[kThreads - 2].ok(), true);
  EXPECT_EQ(all[kThreads - 1].ok(), false);
}

}  // namespace
}  // namespace idv
