// The small structures under the checkers, against slow and obvious ones.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "harness/checkers/histogram.h"
#include "harness/checkers/open_messages.h"
#include "harness/checkers/room_order.h"
#include "harness/checkers/seq_ranges.h"
#include "net/async/random.h"

namespace ordeal::harness {
namespace {

using placing = seq_ranges::placing;

TEST(SeqRanges, TellsNewFromBehindFromRepeated) {
  seq_ranges ranges;
  EXPECT_TRUE(ranges.is_empty());
  EXPECT_EQ(ranges.add(5), placing::highest);
  EXPECT_EQ(ranges.add(6), placing::highest);
  EXPECT_EQ(ranges.add(5), placing::repeated);
  EXPECT_EQ(ranges.add(9), placing::highest);
  EXPECT_EQ(ranges.add(7), placing::behind);
  EXPECT_EQ(ranges.add(8), placing::behind);
  EXPECT_EQ(ranges.add(8), placing::repeated);
  EXPECT_EQ(ranges.add(2), placing::behind);
  EXPECT_EQ(ranges.add(4), placing::behind);
  EXPECT_EQ(ranges.add(3), placing::behind);
  EXPECT_FALSE(ranges.has(1));
  EXPECT_FALSE(ranges.has(10));
  EXPECT_EQ(ranges.end(), 10U);
}

TEST(SeqRanges, AgreesWithASet) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    net::random_stream random(seed, "seq_ranges");
    seq_ranges ranges;
    std::set<std::uint32_t> all;
    for (int i = 0; i < 200; ++i) {
      const auto seq = static_cast<std::uint32_t>(1 + random.below(1 + random.below(100)));
      const placing expected = all.count(seq) != 0                  ? placing::repeated
                               : all.empty() || seq > *all.rbegin() ? placing::highest
                                                                    : placing::behind;
      ASSERT_EQ(ranges.add(seq), expected) << seq;
      all.insert(seq);
      const auto other = static_cast<std::uint32_t>(1 + random.below(105));
      ASSERT_EQ(ranges.has(other), all.count(other) != 0) << other;
    }
  }
}

TEST(OpenMessages, KeepsOnlyWhatIsOpen) {
  open_messages open;
  open_message two;
  two.must = 2;
  for (int i = 0; i < 3000; ++i) open.append(two);
  EXPECT_EQ(open.next_seq(), 3001U);
  for (std::uint32_t seq = 1; seq <= 3000; ++seq) {
    open_message* message = open.find(seq);
    ASSERT_NE(message, nullptr);
    message->state = send_state::ok;
    message->met = seq % 1000 == 0 ? 1 : 2;
    open.forget_done(seq);
  }
  EXPECT_EQ(open.find(1), nullptr);
  EXPECT_EQ(open.find(3001), nullptr);
  std::vector<std::uint32_t> left;
  open.for_each([&](std::uint32_t seq, const open_message&) { left.push_back(seq); });
  EXPECT_EQ(left, (std::vector<std::uint32_t>{1000, 2000, 3000}));
  open.find(1000)->met = 2;
  open.forget_done(1000);
  EXPECT_EQ(open.find(1000), nullptr);
  EXPECT_EQ(open.next_seq(), 3001U);
}

TEST(Histogram, QuantilesAreWithinThreePercent) {
  histogram values;
  for (int i = 1; i <= 100'000; ++i) values.add(std::chrono::microseconds(i));
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double exact = q * 100'000e3;
    EXPECT_NEAR(static_cast<double>(values.quantile(q).count()), exact, exact * 0.032) << q;
    EXPECT_GE(static_cast<double>(values.quantile(q).count()), exact * 0.9999) << q;
  }
  EXPECT_EQ(values.max(), std::chrono::milliseconds(100));
  EXPECT_EQ(values.min(), std::chrono::microseconds(1));
}

TEST(Histogram, CopesWithExtremesAndMerges) {
  histogram empty;
  EXPECT_EQ(empty.quantile(0.5).count(), 0);
  histogram a, b;
  a.add(std::chrono::nanoseconds(-5));
  a.add(std::chrono::nanoseconds(0));
  b.add(std::chrono::nanoseconds::max());
  a.merge(b);
  EXPECT_EQ(a.count(), 3U);
  EXPECT_EQ(a.quantile(0.5).count(), 0);
  EXPECT_EQ(a.quantile(1.0), std::chrono::nanoseconds::max());
}

TEST(RoomOrder, ForgetsWhatEverybodyHasPassed) {
  room_order order(2, 1000);
  const auto all = [](std::uint32_t) { return true; };
  for (std::uint32_t seq = 1; seq <= 50'000; ++seq) {
    ASSERT_FALSE(order.add(0, {0, seq}));
    ASSERT_FALSE(order.add(1, {0, seq}));
    if (seq % 100 == 0) order.trim(all);
  }
  EXPECT_LT(order.size(), 10'000U);
  // Far behind everything that is known: cannot be compared any more, and says so.
  EXPECT_FALSE(order.add(0, {1, 1}));
  EXPECT_FALSE(order.add(1, {0, 1}));
  EXPECT_EQ(order.not_judged(), 1U);
}

TEST(RoomOrder, KeepsWhatAPresentMemberHasNotPassed) {
  room_order order(2, 1000);
  ASSERT_FALSE(order.add(1, {0, 1}));
  for (std::uint32_t seq = 1; seq <= 20'000; ++seq) {
    ASSERT_FALSE(order.add(0, {0, seq}));
    if (seq % 100 == 0) order.trim([](std::uint32_t) { return true; });
  }
  EXPECT_EQ(order.size(), 20'000U);
  for (std::uint32_t seq = 2; seq <= 19'998; ++seq) ASSERT_FALSE(order.add(1, {0, seq}));
  ASSERT_FALSE(order.add(1, {0, 20'000}));
  EXPECT_TRUE(order.add(1, {0, 19'999}));
  EXPECT_EQ(order.not_judged(), 0U);
}

// After every single arrival: it contradicts exactly when "before" must already come after it.
TEST(RoomOrder, AgreesWithAGraphOfAllStatements) {
  using node = std::pair<std::uint32_t, std::uint32_t>;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    net::random_stream random(seed, "room_order");
    const std::size_t members = 2 + random.below(4);
    const std::uint64_t messages = 3 + random.below(8);
    room_order order(members, 1000);
    std::map<node, std::set<node>> after;
    const std::function<bool(node, node)> leads = [&](node from, node to) {
      if (from == to) return true;
      for (const node& next : after[from]) {
        if (leads(next, to)) return true;
      }
      return false;
    };
    std::vector<std::optional<node>> last(members);
    std::vector<std::set<node>> seen(members);
    for (int step = 0; step < 40; ++step) {
      const auto member = static_cast<std::uint32_t>(random.below(members));
      const node what{static_cast<std::uint32_t>(random.below(2)),
                      static_cast<std::uint32_t>(1 + random.below(messages))};
      if (!seen[member].insert(what).second) continue;
      const bool is_contradiction = last[member] && leads(what, *last[member]);
      const auto found = order.add(member, {what.first, what.second});
      ASSERT_EQ(found.has_value(), is_contradiction) << "after step " << step;
      if (found) {
        ASSERT_EQ(node(found->before.sender, found->before.seq), *last[member]);
      } else if (last[member]) {
        after[*last[member]].insert(what);
      }
      last[member] = what;
    }
    ASSERT_EQ(order.not_judged(), 0U);
  }
}

}  // namespace
}  // namespace ordeal::harness
