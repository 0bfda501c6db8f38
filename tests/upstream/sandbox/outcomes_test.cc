#include "upstream/sandbox/outcomes.h"

#include <gtest/gtest.h>

namespace idv::sandbox {
namespace {

TEST(OutcomesTest, TreatsUnknownExternalIdsAsApprovals) {
  for (const char* const external_id :
       {"", "customer", "test-approve", "TEST-REJECT-1", "xtest-reject-1"}) {
    EXPECT_EQ(OutcomeOf(external_id).status, Status::kVerified) << external_id;
  }
}

// The vendor rejects below 60 in face match or liveness, so an approval must lie above.
TEST(OutcomesTest, ScoresAsItDecides) {
  for (const char* const external_id : {"test-approve-1", "test-slow-1", "test-expired-1"}) {
    const Outcome& outcome = OutcomeOf(external_id);
    EXPECT_GE(outcome.scores.face_match, 60) << external_id;
    EXPECT_GE(outcome.scores.liveness, 60) << external_id;
    EXPECT_TRUE(outcome.reject_codes.empty()) << external_id;
  }
  EXPECT_LT(OutcomeOf("test-reject-1").scores.face_match, 60);
  EXPECT_TRUE(OutcomeOf("test-fraud-1").document_auth.tampered);
}

}  // namespace
}  // namespace idv::sandbox
