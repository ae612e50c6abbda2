// Goal: shards merge into one history that is the same in whatever grouping and order they are given.
#include "harness/history/merged_history.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/history/event_codec.h"
#include "harness/history/event_order.h"
#include "tests/unit/history/event_streams.h"

namespace ordeal::harness {
namespace {

using std::chrono::nanoseconds;

class listed final : public event_source {
 public:
  explicit listed(std::vector<event> events) : events_(std::move(events)) {}
  std::optional<event> next() override {
    if (taken_ == events_.size()) return std::nullopt;
    return events_[taken_++];
  }

 private:
  std::vector<event> events_;
  std::size_t taken_ = 0;
};

std::vector<event> merged(const std::vector<std::vector<event>>& inputs) {
  std::vector<listed> sources(inputs.begin(), inputs.end());
  std::vector<event_source*> pointers;
  for (listed& each : sources) pointers.push_back(&each);
  merged_history merge(pointers);
  return read_all(merge);
}

event usage(int at, std::uint32_t stall, std::uint64_t shard = 0) {
  return observer_usage{nanoseconds(at), stall, {}, shard};
}
event phase(int at, const std::string& name) {
  return phase_changed{nanoseconds(at), phase_kind::declared, name};
}
event ended(int at, bool was_cut_short = false, int signal = 0, const std::string& problem = "") {
  return run_ended{nanoseconds(at), was_cut_short, signal, problem};
}

TEST(MergedHistory, GoesByTime) {
  expect_same(merged({{usage(1, 0), usage(4, 0)}, {usage(2, 0), usage(3, 0)}}),
              {usage(1, 0), usage(2, 0), usage(3, 0), usage(4, 0)});
  expect_same(merged({}), {});
  expect_same(merged({{}, {usage(1, 0)}, {}}), {usage(1, 0)});
}

TEST(MergedHistory, KeepsTheOrderOfOneInputAtOneTime) {
  const auto receives = [](std::uint32_t client, std::uint32_t seq) {
    delivered what;
    what.at = nanoseconds(5);
    what.client = client_id{client};
    what.id.seq = seq;
    return event(what);
  };
  const std::vector<event> a{receives(1, 9), receives(1, 2)}, b{receives(2, 7), receives(2, 3)};
  expect_same(merged({a, b}), {receives(1, 9), receives(1, 2), receives(2, 7), receives(2, 3)});
  expect_same(merged({b, a}), {receives(1, 9), receives(1, 2), receives(2, 7), receives(2, 3)});
}

TEST(MergedHistory, WhatAllShardsRecordedAlikeIsOneEvent) {
  expect_same(merged({{phase(1, "load"), usage(2, 1), phase(5, "drain")},
                      {phase(1, "load"), phase(4, "drain"), phase(5, "drain")},
                      {phase(1, "load"), usage(2, 1)}}),
              {phase(1, "load"), usage(2, 1), usage(2, 1), phase(4, "drain"), phase(5, "drain")});
  // In another order, too.
  expect_same(merged({{phase(1, "b"), phase(1, "a")}, {phase(1, "a"), phase(1, "b")}}),
              {phase(1, "a"), phase(1, "b")});
}

TEST(MergedHistory, EndsOnceAndOnlyIfAllShardsEnded) {
  expect_same(merged({{usage(1, 0), ended(2)}, {usage(3, 0), ended(4)}}),
              {usage(1, 0), usage(3, 0), ended(4)});
  expect_same(
      merged({{ended(2, true, 15, "b")}, {ended(1, false, 0, "")}, {ended(1, true, 2, "a")}}),
      {ended(2, true, 15, "a")});
  expect_same(merged({{usage(1, 0), ended(2)}, {usage(3, 0)}}), {usage(1, 0), usage(3, 0)});
}

// Few times and few values, so that ties, repetitions and times that go back are frequent.
std::vector<event> crowded(net::random_stream& random, std::uint64_t shard) {
  std::vector<event> events;
  std::int64_t at = 0;
  for (std::uint64_t left = random.below(12); left > 0; --left) {
    at += static_cast<std::int64_t>(random.below(2));
    if (random.below(8) == 0) at -= 1;
    const auto time = static_cast<int>(at);
    const auto which = static_cast<std::uint32_t>(random.below(3));
    if (random.below(2) == 0) {
      events.push_back(usage(time, which, shard));
    } else {
      events.push_back(phase(time, std::string(1, static_cast<char>('a' + which))));
    }
  }
  if (random.below(3) > 0)
    events.push_back(ended(static_cast<int>(at), random.below(2) == 0,
                           static_cast<int>(random.below(3)), random.below(2) == 0 ? "x" : ""));
  return events;
}

TEST(MergedHistory, DoesNotDependOnGroupingOrOrder) {
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    net::random_stream random(seed, "grouping");
    std::vector<std::vector<event>> of;
    for (std::uint64_t shard = 0; shard < 4; ++shard) of.push_back(crowded(random, shard));
    const auto all = merged(of);
    expect_same(merged({merged({of[0], of[1]}), merged({of[2], of[3]})}), all);
    expect_same(merged({merged({merged({of[0], of[1]}), of[2]}), of[3]}), all);
    expect_same(merged({of[3], merged({of[1], merged({of[2], of[0]})})}), all);
    expect_same(merged({of[2], of[0], of[3], of[1]}), all);
    expect_same(merged({all}), all);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(MergedHistory, EveryEventOfAClientIsThereOnce) {
  const auto whole = events_of({std::chrono::milliseconds(5), 40, 2, 3, 300});
  std::vector<std::vector<event>> shards(4);
  const auto shard_of = [](const event& what) -> std::size_t {
    if (const auto* got = std::get_if<delivered>(&what)) return index_of(got->client) % 4;
    if (const auto* sent = std::get_if<send_invoked>(&what)) return index_of(sent->id.sender) % 4;
    if (const auto* done = std::get_if<send_settled>(&what)) return index_of(done->id.sender) % 4;
    return is_shared(what) || std::holds_alternative<run_ended>(what) ? 4 : 0;
  };
  for (const event& each : whole) {
    const std::size_t owner = shard_of(each);
    for (std::size_t s = 0; s < shards.size(); ++s) {
      if (owner == s || owner == 4) shards[s].push_back(each);
    }
  }
  const auto back = merged(shards);
  ASSERT_EQ(back.size(), whole.size());
  EXPECT_TRUE(std::is_sorted(back.begin(), back.end(), [](const event& a, const event& b) {
    return time_of(a) < time_of(b);
  }));
  auto left = whole, right = back;
  std::sort(left.begin(), left.end(), is_before);
  std::sort(right.begin(), right.end(), is_before);
  expect_same(right, left);
}

TEST(MergedHistory, TheOrderIsTotal) {
  net::random_stream random(1, "order");
  auto events = random_events(random, 60);
  for (std::size_t i = 0; i < 60; ++i)
    events.push_back(usage(3, static_cast<std::uint32_t>(i % 7)));
  for (const event& a : events) {
    for (const event& b : events) {
      EXPECT_EQ(is_before(a, b), compare(b, a) > 0);
      for (std::size_t i = 0; i < events.size(); i += 5) {
        if (is_before(a, b) && is_before(b, events[i])) {
          EXPECT_TRUE(is_before(a, events[i]));
        }
      }
    }
  }
}

}  // namespace
}  // namespace ordeal::harness
