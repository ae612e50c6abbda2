// One lane: order, retries, and what becomes of a send whose connection is lost. Time is a number
// handed in.
#include "harness/fleet/send_lane.h"

#include <gtest/gtest.h>

#include "tests/unit/fleet/recipe.h"

namespace ordeal::harness {
namespace {

using std::chrono::milliseconds;

const net::time_point start_time = net::time_point(std::chrono::seconds(100));
const net::time_point much_later = start_time + std::chrono::seconds(10);

message_id numbered(std::uint32_t seq) {
  return message_id{client_id{1}, room_id{2}, seq};
}

send_lane make_lane(bool is_idempotent, std::uint32_t messages) {
  publish_rules rules;
  rules.is_idempotent = is_idempotent;
  send_lane lane(rules,
                 backoff(milliseconds(50), milliseconds(2'000), net::random_stream(1, "test")));
  for (std::uint32_t seq = 1; seq <= messages; ++seq) lane.add(numbered(seq), run_time(seq));
  return lane;
}

TEST(SendLane, SendsInOrderOneAtATime) {
  auto lane = make_lane(true, 3);
  for (std::uint32_t seq = 1; seq <= 3; ++seq) {
    ASSERT_TRUE(lane.can_start(start_time));
    const auto sent = lane.start(seq, start_time);
    EXPECT_EQ(sent.id.seq, seq);
    EXPECT_EQ(sent.intended, run_time(seq));
    EXPECT_FALSE(lane.can_start(much_later)) << "the next one waits for the answer";
    EXPECT_TRUE(lane.awaits(seq));
    EXPECT_FALSE(lane.awaits(seq + 1));
    const auto settled = lane.on_answer(publish_answer::ok, start_time);
    ASSERT_TRUE(settled);
    EXPECT_EQ(settled->id.seq, seq);
    EXPECT_EQ(settled->result, outcome::ok);
    EXPECT_EQ(settled->attempts, 1U);
  }
  EXPECT_EQ(lane.size(), 0U);
  EXPECT_FALSE(lane.can_start(much_later));
}

TEST(SendLane, RetryGoesBeforeEverythingNewer) {
  auto lane = make_lane(true, 2);
  lane.start(1, start_time);
  EXPECT_FALSE(lane.on_answer(publish_answer::retry, start_time));
  EXPECT_FALSE(lane.awaits(1));
  ASSERT_TRUE(lane.can_start(start_time + milliseconds(50))) << "first backoff is at most 50 ms";
  const auto again = lane.start(2, start_time + milliseconds(50));
  EXPECT_EQ(again.id.seq, 1U);
  const auto settled = lane.on_answer(publish_answer::ok, much_later);
  EXPECT_EQ(settled->attempts, 2U);
  EXPECT_EQ(lane.start(3, much_later).id.seq, 2U);
}

TEST(SendLane, RetriesWaitLongerAndLonger) {
  auto lane = make_lane(true, 1);
  auto now = start_time;
  for (std::uint64_t attempt = 1; attempt <= 12; ++attempt) {
    lane.start(attempt, now);
    EXPECT_FALSE(lane.on_answer(publish_answer::retry, now));
    now += milliseconds(2'000);
    EXPECT_TRUE(lane.can_start(now)) << "never longer than the largest backoff";
  }
}

TEST(SendLane, AnswersSayOkFailOrInfo) {
  auto lane = make_lane(true, 3);
  lane.start(1, start_time);
  EXPECT_EQ(lane.on_answer(publish_answer::ok, start_time)->result, outcome::ok);
  lane.start(2, start_time);
  EXPECT_EQ(lane.on_answer(publish_answer::refused, start_time)->result, outcome::fail);
  lane.start(3, start_time);
  EXPECT_EQ(lane.on_answer(publish_answer::unknown, start_time)->result, outcome::info);
}

TEST(SendLane, LostConnectionRepeatsAnIdempotentSendFirst) {
  auto lane = make_lane(true, 2);
  lane.start(1, start_time);
  EXPECT_FALSE(lane.on_disconnect());
  EXPECT_FALSE(lane.waits_since(much_later));
  const auto again = lane.start(2, start_time);
  EXPECT_EQ(again.id.seq, 1U);
  EXPECT_EQ(again.attempts, 2U);
}

TEST(SendLane, RefusalAfterALostAnswerProvesNothing) {
  auto lane = make_lane(true, 1);
  lane.start(1, start_time);
  lane.on_disconnect();
  lane.start(2, start_time);
  EXPECT_EQ(lane.on_answer(publish_answer::refused, start_time)->result, outcome::info);
}

TEST(SendLane, LostConnectionSettlesAnotherSendAsUnknown) {
  auto lane = make_lane(false, 2);
  lane.start(1, start_time);
  const auto settled = lane.on_disconnect();
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->id.seq, 1U);
  EXPECT_EQ(settled->result, outcome::info);
  EXPECT_EQ(lane.start(2, start_time).id.seq, 2U) << "what never left still may";
}

TEST(SendLane, DisconnectWhileNothingIsUnderWayChangesNothing) {
  auto lane = make_lane(false, 1);
  EXPECT_FALSE(lane.on_disconnect());
  EXPECT_EQ(lane.size(), 1U);
}

TEST(SendLane, AbandonSettlesEverythingOnce) {
  auto lane = make_lane(true, 3);
  lane.start(1, start_time);
  const auto settled = lane.abandon();
  ASSERT_EQ(settled.size(), 3U);
  EXPECT_EQ(settled[0].attempts, 1U);
  EXPECT_EQ(settled[2].attempts, 0U);
  for (const settlement& one : settled) EXPECT_EQ(one.result, outcome::info);
  EXPECT_TRUE(settled[0].was_unanswered);
  EXPECT_FALSE(settled[1].was_unanswered) << "it never left";
  EXPECT_FALSE(lane.awaits(1)) << "a late answer finds nobody";
  EXPECT_TRUE(lane.abandon().empty());
}

TEST(SendLane, WhatNobodyAnswersIsUnknownAndTheNextOneGoes) {
  auto lane = make_lane(true, 2);
  EXPECT_FALSE(lane.give_up_older(much_later)) << "nothing has left";
  lane.start(1, start_time);
  EXPECT_FALSE(lane.give_up_older(start_time)) << "it has just left";
  const auto settled = lane.give_up_older(start_time + milliseconds(1));
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->id.seq, 1U);
  EXPECT_EQ(settled->result, outcome::info);
  EXPECT_TRUE(settled->was_unanswered);
  EXPECT_FALSE(lane.awaits(1)) << "a late answer finds nobody";
  EXPECT_EQ(lane.start(2, start_time).id.seq, 2U);
}

TEST(PublishRules, ComeFromTheRecipe) {
  auto protocol = make_reference_target().protocol;
  EXPECT_TRUE(rules_of(protocol).is_idempotent);
  protocol.publish.arguments = {"${room}", "${payload}"};
  EXPECT_FALSE(rules_of(protocol).is_idempotent);
  protocol.publish.arguments = {"${room}", "${message_id}"};
  protocol.publish.has_ack = false;
  EXPECT_FALSE(rules_of(protocol).is_idempotent);
}

TEST(PublishRules, ErrorsAreClassifiedByPrefix) {
  protocol_recipe protocol;
  EXPECT_EQ(classify_error("retry: no Redis", protocol), publish_answer::retry);
  EXPECT_EQ(classify_error("refused: too long", protocol), publish_answer::refused);
  EXPECT_EQ(classify_error("An unexpected error occurred", protocol), publish_answer::unknown);
  protocol.retry_prefix.clear();
  protocol.refused_prefix.clear();
  EXPECT_EQ(classify_error("retry: no Redis", protocol), publish_answer::unknown);
}

}  // namespace
}  // namespace ordeal::harness
