// Goal: an undisturbed log: one order for all nodes, dense indexes, idempotent retries, bounds,
// readiness, stopping.
#include <set>
#include <stdexcept>

#include "net/async/clock.h"
#include "tests/integration/chat/log/log_nodes.h"

namespace ordeal::test {
namespace {

using namespace std::chrono_literals;
using chat::append_status;
using chat::log_state;

class Log : public LogNodes {
 protected:
  redis_server server_;
};

TEST_F(Log, OwnHeartbeatMakesReady) {
  log_node& node = add_node(options_for(server_));
  EXPECT_EQ(node.state(), log_state::connecting);
  ASSERT_TRUE(until("ready", [&] { return node.is_ready(); }));
  const auto& health = node.log->health();
  EXPECT_EQ(health.state, log_state::open);
  EXPECT_EQ(health.reason, "");
  EXPECT_FALSE(health.log_id.empty());
  EXPECT_LT(health.echo_age.value(), 1s);
  EXPECT_GE(node.state_changes, 2);
}

TEST_F(Log, TwoNodesReadOneOrder) {
  log_node& one = add_ready_node(options_for(server_));
  log_node& two = add_ready_node(options_for(server_));
  std::vector<outcome_ptr> outcomes;
  for (int i = 0; i < 500; ++i) {
    outcomes.push_back(append(one, "one-" + std::to_string(i)));
    outcomes.push_back(append(two, "two-" + std::to_string(i)));
  }
  ASSERT_TRUE(
      until("both read all", [&] { return one.read.size() == 1'000 && two.read.size() == 1'000; }));
  EXPECT_EQ(one.ids(), two.ids());
  std::vector<std::string> of_one;
  for (const std::string& id : one.ids()) {
    if (id.starts_with("one-")) of_one.push_back(id);
  }
  for (std::size_t i = 0; i < of_one.size(); ++i) EXPECT_EQ(of_one[i], "one-" + std::to_string(i));
  ASSERT_TRUE(until("all have outcomes", [&] {
    return std::ranges::all_of(outcomes, [](const outcome_ptr& each) { return each->has_value(); });
  }));
  std::set<chat::position> places;
  for (const outcome_ptr& each : outcomes) {
    EXPECT_EQ((*each)->status, append_status::appended);
    places.insert((*each)->at);
  }
  EXPECT_EQ(places.size(), 1'000U);
}

TEST_F(Log, TenThousandAppendsAreDense) {
  log_node& node = add_ready_node(options_for(server_));
  for (int i = 0; i < 10'000; ++i) append(node, "id-" + std::to_string(i));
  ASSERT_TRUE(until("all read", [&] { return node.read.size() == 10'000; }));
  const auto stream = server_.command({"XRANGE", "{chat}:log", "-", "+"});
  const std::string epoch = std::to_string(node.log->health().epoch);
  ASSERT_GT(stream->size(), 10'000U);
  for (std::size_t i = 0; i < stream->size(); ++i) {
    ASSERT_EQ(stream.view()[i][0].text(), epoch + "-" + std::to_string(i + 1));
  }
  EXPECT_EQ(node.log->health().appended, 10'000U);
  EXPECT_LT(node.log->health().batches, 1'000U) << "appends are not batched";
  EXPECT_TRUE(until("all stable", [&] { return node.log->health().outbox_entries == 0; }));
}

TEST_F(Log, ARetryThroughAnotherNodeFindsTheFirst) {
  log_node& one = add_ready_node(options_for(server_));
  log_node& two = add_ready_node(options_for(server_));
  const auto first = append_now(one, "same");
  const auto again = append_now(two, "same");
  const auto other = append_now(two, "other");
  EXPECT_EQ(first.status, append_status::appended);
  EXPECT_EQ(again.status, append_status::appended);
  EXPECT_EQ(first.at, again.at);
  EXPECT_LT(first.at, other.at);
  ASSERT_TRUE(
      until("both read both", [&] { return one.read.size() == 2 && two.read.size() == 2; }));
  EXPECT_EQ(two.ids(), (std::vector<std::string>{"same", "other"}));
  EXPECT_EQ(two.log->health().duplicates, 1U);
}

TEST_F(Log, TheSameIdTwiceInOneBatchIsOneEntry) {
  log_node& node = add_ready_node(options_for(server_));
  const auto first = append(node, "same");
  const auto again = append(node, "same");
  ASSERT_TRUE(until("both answered", [&] { return first->has_value() && again->has_value(); }));
  EXPECT_EQ((*first)->at, (*again)->at);
  append_now(node, "last");
  ASSERT_TRUE(
      until("last read", [&] { return !node.read.empty() && node.ids().back() == "last"; }));
  EXPECT_EQ(node.read.size(), 2U);
}

TEST_F(Log, AJoinerStartsAtTheTop) {
  log_node& one = add_ready_node(options_for(server_));
  append_now(one, "before");
  log_node& late = add_ready_node(options_for(server_));
  append_now(one, "after");
  ASSERT_TRUE(until("late read", [&] { return !late.read.empty(); }));
  EXPECT_EQ(late.ids(), (std::vector<std::string>{"after"}));
  EXPECT_TRUE(late.gaps.empty());
}

TEST_F(Log, EntriesLeaveTheOutboxWhenTheOtherNodeHasReadThem) {
  log_node& one = add_ready_node(options_for(server_));
  log_node& two = add_ready_node(options_for(server_));
  append_now(one, "id");
  EXPECT_TRUE(until("stable", [&] { return one.log->health().outbox_entries == 0; }));
  EXPECT_EQ(two.ids(), (std::vector<std::string>{"id"}))
      << "it was stable before the other node had it";
}

TEST_F(Log, ASmallOutboxCongestsAndLosesNothing) {
  auto options = options_for(server_);
  options.outbox_entries_max = 10;
  options.append_wait_max = 60s;
  log_node& node = add_ready_node(options);
  std::vector<outcome_ptr> outcomes;
  for (int i = 0; i < 50; ++i) outcomes.push_back(append(node, std::to_string(i)));
  ASSERT_TRUE(until("congested", [&] { return node.log->is_congested(); }));
  ASSERT_TRUE(until(
      "all read", [&] { return node.read.size() == 50; }, 30s));
  ASSERT_TRUE(until("relaxed", [&] { return !node.log->is_congested(); }));
  ASSERT_TRUE(until("all have outcomes", [&] {
    return std::ranges::all_of(outcomes, [](const outcome_ptr& each) { return each->has_value(); });
  }));
  for (const outcome_ptr& each : outcomes) EXPECT_EQ((*each)->status, append_status::appended);
}

TEST_F(Log, WhatCanNeverBeAcceptedIsRefused) {
  auto options = options_for(server_);
  options.message_bytes_max = 100;
  log_node& node = add_ready_node(options);
  EXPECT_EQ(append_now(node, "").status, append_status::refused);
  const auto large = append(node, "id", "room", std::string(200, 'x'));
  ASSERT_TRUE(until("answered", [&] { return large->has_value(); }));
  EXPECT_EQ((*large)->status, append_status::refused);
  EXPECT_NE((*large)->reason.find("100"), std::string::npos) << (*large)->reason;
}

TEST_F(Log, StoppingFlushesTheOutbox) {
  log_node& node = add_ready_node(options_for(server_));
  std::vector<outcome_ptr> outcomes;
  for (int i = 0; i < 1'000; ++i) outcomes.push_back(append(node, std::to_string(i)));
  ASSERT_TRUE(until("accepted", [&] { return node.log->health().outbox_entries == 1'000; }));
  stop(node, 5s);
  for (const outcome_ptr& each : outcomes) {
    ASSERT_TRUE(each->has_value());
    EXPECT_EQ((*each)->status, append_status::appended);
  }
  EXPECT_EQ(append_now(node, "late").status, append_status::retry_later);
  EXPECT_EQ(node.state(), log_state::stopped);
}

TEST_F(Log, StoppingWaitsNoLongerThanForMessagesWhoseSendersGaveUp) {
  auto options = options_for(server_);
  options.append_wait_max = 200ms;
  log_node& node = add_ready_node(options);
  server_.pause();
  const auto outcome = append(node, "id");
  ASSERT_TRUE(until("sender gave up", [&] { return outcome->has_value(); }));
  EXPECT_EQ((*outcome)->status, append_status::retry_later);
  const auto drain = 12s;
  const auto started = net::now();
  node.log->stop(drain);
  server_.resume();
  ASSERT_TRUE(until("node ended", [&] { return node.has_ended; }));
  EXPECT_LT(net::now() - started, drain / 2) << "the outbox had long been empty";
  EXPECT_EQ(server_.command({"HEXISTS", "{chat}:req", "id"})->integer(), 1);
}

TEST_F(Log, AppsDoNotSeeEachOther) {
  auto options = options_for(server_);
  log_node& one = add_ready_node(options);
  options.app = "other";
  log_node& two = add_ready_node(options);
  append_now(one, "id");
  append_now(two, "id");
  ASSERT_TRUE(
      until("each read its own", [&] { return one.read.size() == 1 && two.read.size() == 1; }));
  EXPECT_NE(one.log->health().log_id, two.log->health().log_id);
  EXPECT_EQ(two.log->health().duplicates, 0U);
}

TEST_F(Log, AnAppNameWithBracesIsRefused) {
  auto options = options_for(server_);
  for (const char* name : {"", "a{b}", "a b"}) {
    options.app = name;
    EXPECT_THROW(chat::make_chat_log(io_.get_executor(), options), std::invalid_argument);
  }
}

}  // namespace
}  // namespace ordeal::test
