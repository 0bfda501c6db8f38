#include "metrics/trace_context.h"

#include <cmath>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace idv {
namespace {

constexpr char kSampled[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContextTest, IsWrittenAsItWasRead) {
  const auto context = ParseTraceContext(kSampled, "a=1,b=2");

  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, (TraceId{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48,
                                        0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c}));
  EXPECT_EQ(context->span_id, (SpanId{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31}));
  EXPECT_TRUE(context->is_sampled);
  EXPECT_EQ(context->trace_state, "a=1,b=2");
  EXPECT_EQ(ToTraceparent(*context), kSampled);
}

TEST(TraceContextTest, ReadsOnlyWhatTheStandardTakes) {
  struct Row {
    const char* why;
    std::string traceparent;
    const char* written;  // nothing: it is none
  };
  const std::string ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
  const std::string unsampled = "00-" + ids + "-00";
  const std::vector<Row> rows = {
      {"not sampled", unsampled, unsampled.c_str()},
      {"flags of others are left out", "00-" + ids + "-ff", kSampled},
      {"and so when not sampled", "00-" + ids + "-fe", unsampled.c_str()},
      {"a version to come", "01-" + ids + "-01", kSampled},
      {"with more behind", "fe-" + ids + "-01-what.else", kSampled},
      {"with an empty field behind", "cc-" + ids + "-01-", kSampled},
      {"with more that is no field", "cc-" + ids + "-01.what", nullptr},
      {"absent", "", nullptr},
      {"version 00 with more behind", "00-" + ids + "-01-what", nullptr},
      {"version 00 with a dash behind", "00-" + ids + "-01-", nullptr},
      {"cut", "00-" + ids + "-0", nullptr},
      {"version ff", "ff-" + ids + "-01", nullptr},
      {"version in capitals", "0A-" + ids + "-01", nullptr},
      {"version that is none", "0x-" + ids + "-01", nullptr},
      {"trace id in capitals", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", nullptr},
      {"span id in capitals", "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01", nullptr},
      {"flags in capitals", "00-" + ids + "-0A", nullptr},
      {"flags that are none", "00-" + ids + "-0g", nullptr},
      {"trace id of zeros", "00-00000000000000000000000000000000-b7ad6b7169203331-01", nullptr},
      {"span id of zeros", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", nullptr},
      {"trace id with a dot", "00-.af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", nullptr},
      {"trace id cut", "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01-", nullptr},
      {"no dash before the trace id", "00_" + ids + "-01", nullptr},
      {"no dash between the ids", "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
       nullptr},
      {"no dash before the flags", "00-" + ids + "_01", nullptr},
      {"a space before", " 00-" + ids + "-01", nullptr},
      {"a space behind", "00-" + ids + "-01 ", nullptr},
      {"two of them", "00-" + ids + "-01,00-" + ids + "-01", nullptr},
  };
  for (const Row& row : rows) {
    const auto context = ParseTraceContext(row.traceparent, "");

    ASSERT_EQ(context.has_value(), row.written != nullptr) << row.why;
    if (context) {
      EXPECT_EQ(ToTraceparent(*context), row.written) << row.why;
    }
  }
}

TEST(TraceContextTest, HandsTraceStateOnWithinItsBound) {
  const auto handed_on = [](const std::string& tracestate) {
    return ParseTraceContext(kSampled, tracestate)->trace_state;
  };
  const std::string full = "a=" + std::string(kMaxTraceStateBytes - 2, 'x');
  const std::string half = "a=" + std::string(kMaxTraceStateBytes / 2, 'x');

  EXPECT_EQ(handed_on(""), "");
  EXPECT_EQ(handed_on("a=1, b=2"), "a=1, b=2");
  EXPECT_EQ(handed_on(full), full);
  EXPECT_EQ(handed_on(full + "x"), "");
  EXPECT_EQ(handed_on(full + ",b=2"), full);
  EXPECT_EQ(handed_on(half + "," + half), half);
  EXPECT_EQ(handed_on("a=1\r\nx-api-key: 2"), "");
  EXPECT_EQ(handed_on("a=\xc3\xa4"), "");
  EXPECT_EQ(handed_on("a=\x7f"), "");
}

TEST(TraceContextTest, AChildHasItsParentsTraceAndAnIdOfItsOwn) {
  for (const bool is_sampled : {false, true}) {
    auto parent = ParseTraceContext(kSampled, "a=1");
    parent->is_sampled = is_sampled;

    const TraceContext child = ChildOf(*parent);

    EXPECT_EQ(child.trace_id, parent->trace_id);
    EXPECT_NE(child.span_id, parent->span_id);
    EXPECT_NE(child.span_id, SpanId{});
    EXPECT_EQ(child.is_sampled, is_sampled);
    EXPECT_EQ(child.trace_state, "a=1");
  }
}

TEST(TraceContextTest, NewIdsAreNewOnEveryThread) {
  constexpr size_t kThreads = 4;
  constexpr size_t kTraces = 1000;
  std::vector<std::vector<TraceContext>> of_threads(kThreads);
  std::vector<std::thread> threads;
  for (auto& traces : of_threads) {
    threads.emplace_back([&traces] {
      for (size_t i = 0; i < kTraces; ++i) traces.push_back(BeginTrace(0));
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::set<TraceId> trace_ids;
  std::set<SpanId> span_ids;
  for (const auto& traces : of_threads) {
    for (const TraceContext& trace : traces) {
      trace_ids.insert(trace.trace_id);
      span_ids.insert(trace.span_id);
    }
  }
  EXPECT_EQ(trace_ids.size(), kThreads * kTraces);
  EXPECT_EQ(span_ids.size(), kThreads * kTraces);
}

TEST(TraceContextTest, TheSameTraceIsSampledEverywhere) {
  struct Row {
    TraceId trace_id;
    double ratio;
    bool is_sampled;
  };
  const TraceId lowest{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  TraceId highest{};
  std::fill(highest.begin() + 9, highest.end(), uint8_t{0xff});
  TraceId middle{};
  middle[9] = 0x80;
  TraceId below_middle = highest;
  below_middle[9] = 0x7f;
  const std::vector<Row> rows = {
      {lowest, 0, false},  {highest, 0, false},  {lowest, 1, true},          {highest, 1, true},
      {middle, 0.5, true}, {middle, 0.4, false}, {below_middle, 0.5, false}, {highest, 0.01, true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(SamplesTrace(row.trace_id, row.ratio), row.is_sampled)
        << "last bytes " << int{row.trace_id[9]} << " " << int{row.trace_id[15]} << ", ratio "
        << row.ratio;
  }
}

TEST(TraceContextTest, SamplesTheShareThatIsAskedFor) {
  constexpr int kTraces = 100'000;
  for (const double ratio : {0.0, 0.01, 0.5, 1.0}) {
    int sampled = 0;
    for (int i = 0; i < kTraces; ++i) sampled += BeginTrace(ratio).is_sampled ? 1 : 0;

    // Six standard deviations: about one failure in a billion runs.
    EXPECT_NEAR(sampled, ratio * kTraces, 6 * std::sqrt(kTraces * ratio * (1 - ratio))) << ratio;
  }
}

}  // namespace
}  // namespace idv
