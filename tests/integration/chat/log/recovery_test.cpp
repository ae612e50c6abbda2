// Goal: a Redis that comes back with less loses nothing that a living node has accepted or read.
// The names of the holes are those of docs/log-protocol.md.
#include "tests/integration/chat/log/recovery_fixture.h"

namespace ordeal::test {
namespace {

using namespace std::chrono_literals;
using chat::append_status;
using chat::log_state;

TEST_F(Recovery, TotalLossIsPutBackByTheNodes) {
  redis_server server;
  const nodes all{&add_ready_node(options_for(server)), &add_ready_node(options_for(server)),
                  &add_ready_node(options_for(server))};
  const std::string log_id = all[0]->log->health().log_id;
  for (const char* round : {"a", "b", "c"}) {
    send(all, round, 50);
    lose_everything(server);
  }
  send(all, "d", 50);
  expect_all_once_in_order(all);
  EXPECT_EQ(all[0]->log->health().log_id, log_id);
  EXPECT_EQ(repairs(all), 3U);
}

TEST_F(Recovery, RollbackIsPutBackAcrossDigitBoundaries) {
  redis_server server;
  const nodes all{&add_ready_node(options_for(server)), &add_ready_node(options_for(server))};
  for (const int count : {70, 300, 700}) {
    const std::string prefix = "to-" + std::to_string(count) + "-";
    send(all, prefix, count);
    save(server);
    send(all, prefix + "lost-", 60);
    roll_back(server);
    EXPECT_TRUE(until_ready(all));
  }
  send(all, "end", 10);
  expect_all_once_in_order(all);
}

TEST_F(Recovery, FlushAllUnderBlockedReaders) {
  redis_server server;
  const nodes all{&add_ready_node(options_for(server)), &add_ready_node(options_for(server))};
  send(all, "a", 20);
  expect_all_once_in_order(all);
  (void)server.command({"FLUSHALL"});
  send(all, "b", 20);
  (void)server.command({"SCRIPT", "FLUSH"});
  send(all, "c", 20);
  expect_all_once_in_order(all);
}

// H21: each key by itself.
class LostKey : public Recovery, public testing::WithParamInterface<const char*> {};

TEST_P(LostKey, IsMadeAgain) {
  redis_server server;
  const nodes all{&add_ready_node(options_for(server)), &add_ready_node(options_for(server))};
  send(all, "a", 50);
  EXPECT_TRUE(until_all_read(all));
  EXPECT_EQ(server.command({"DEL", std::string("{chat}:") + GetParam()})->integer(), 1);
  send(all, "b", 50);
  expect_all_once_in_order(all);
  EXPECT_EQ(repairs(all), 1U);
  // Retries of old messages are still recognised.
  const auto again = append_now(*all[1], "a7");
  EXPECT_EQ(again.status, append_status::appended);
  send(all, "c", 1);
  expect_all_once_in_order(all);
}

INSTANTIATE_TEST_SUITE_P(EachKey, LostKey, testing::Values("meta", "epochs", "seq", "req", "log"),
                         [](const auto& of) { return std::string(of.param); });

// H1: the node that has read least comes back first, and must not append before the others were heard.
TEST_F(Recovery, WhoHasReadLeastDoesNotAppendFirst) {
  redis_server server;
  redis_gate& gate_a = add_gate(server);
  redis_gate& gate_b = add_gate(server);
  redis_gate& gate_c = add_gate(server);
  log_node& a = add_ready_node(server, gate_a);
  log_node& b = add_ready_node(server, gate_b);
  log_node& c = add_ready_node(server, gate_c);
  send({&a, &b, &c}, "early", 10);
  EXPECT_TRUE(until_all_read({&a, &b, &c}));
  save(server);
  gate_c.hold_replies();
  send({&a, &b}, "late", 5);
  EXPECT_TRUE(until_all_read({&a, &b}));
  gate_a.shut();
  gate_b.shut();
  roll_back(server);
  gate_c.cut();
  gate_c.release();
  const auto eager = start(c, "eager");
  EXPECT_TRUE(until("c recovers", [&] { return c.state() == log_state::recovering; }));
  EXPECT_FALSE(eager->has_value());
  gate_a.open();
  gate_b.open();
  EXPECT_TRUE(until_ready({&a, &b, &c}));
  expect_all_once_in_order({&a, &b, &c});
}

// Whatever happens between XADD and its reply, the message is there once.
TEST_F(Recovery, KilledBetweenAppendAndReply) {
  for (const auto keep : {persistence::none, persistence::aof_always}) {
    redis_server_options options;
    options.keep = keep;
    redis_server server(options);
    redis_gate& gate = add_gate(server);
    auto log_options = options_for(server);
    log_options.app = keep == persistence::none ? "none" : "aof";
    log_node& a = LogNodes::add_ready_node(through(gate, log_options));
    log_node& b = LogNodes::add_ready_node(log_options);
    const std::string id = "between-" + log_options.app;
    sent_ = {id};
    gate.hold_reply_to(id);
    const auto outcome = append_surely({&a}, id);
    EXPECT_TRUE(until("in the stream", [&] { return has_read(b, id); }));
    EXPECT_TRUE(gate.has_held_reply());
    server.kill();
    gate.cut();
    gate.release();
    server.start();
    EXPECT_TRUE(until("acknowledged", [&] { return outcome->has_value(); }));
    expect_all_once_in_order({&a, &b});
  }
}

// H4: two nodes open a round at the same moment.
TEST_F(Recovery, TwoConvenersShareOneRound) {
  redis_server server;
  redis_gate& gate_a = add_gate(server);
  redis_gate& gate_b = add_gate(server);
  auto options_a = through(gate_a, options_for(server));
  auto options_b = through(gate_b, options_for(server));
  options_a.command_timeout = options_b.command_timeout = 5s;
  const nodes all{&LogNodes::add_ready_node(options_a), &LogNodes::add_ready_node(options_b)};
  send(all, "m", 50);
  EXPECT_TRUE(until_all_read(all));
  gate_a.hold_request("Opens a recovery round");
  gate_b.hold_request("Opens a recovery round");
  lose_everything(server);
  EXPECT_TRUE(until("both want to convene",
                    [&] { return gate_a.has_held_request() && gate_b.has_held_request(); }));
  gate_a.release();
  gate_b.release();
  EXPECT_TRUE(until_ready(all));
  send(all, "n", 10);
  expect_all_once_in_order(all);
  EXPECT_EQ(repairs(all), 1U);
}

// H22: the node that puts the log in order dies in the middle.
TEST_F(Recovery, RepairIsTakenOverWhenItsNodeDies) {
  redis_server server;
  redis_gate& gate_a = add_gate(server);
  redis_gate& gate_b = add_gate(server);
  auto options_a = through(gate_a, options_for(server));
  auto options_b = through(gate_b, options_for(server));
  options_a.command_timeout = options_b.command_timeout = 2s;
  log_node& a = LogNodes::add_ready_node(options_a);
  log_node& b = LogNodes::add_ready_node(options_b);
  send({&a, &b}, "m", 700);
  EXPECT_TRUE(until_all_read({&a, &b}));
  // Whoever repairs, its second chunk is never answered.
  gate_a.hold_reply_to("m300");
  gate_b.hold_reply_to("m300");
  lose_everything(server);
  EXPECT_TRUE(until("a repair has begun",
                    [&] { return gate_a.has_held_reply() || gate_b.has_held_reply(); }));
  const bool is_a = gate_a.has_held_reply();
  log_node& dead = is_a ? a : b;
  log_node& living = is_a ? b : a;
  (is_a ? gate_a : gate_b).shut();
  (is_a ? gate_b : gate_a).release();
  stop(dead, 0ms);
  EXPECT_TRUE(until_ready({&living}));
  send({&living}, "after", 5);
  expect_all_once_in_order({&living});
}

// H10: a new node on an empty Redis waits for those that have read the log.
TEST_F(Recovery, JoinerDoesNotBeginALogWhileOthersRemember) {
  redis_server server;
  redis_gate& gate_a = add_gate(server);
  log_node& a = add_ready_node(server, gate_a);
  send({&a}, "old", 20);
  EXPECT_TRUE(until_all_read({&a}));
  const std::string log_id = a.log->health().log_id;
  gate_a.shut();
  lose_everything(server);
  auto options = options_for(server);
  options.boot_grace = 5s;
  log_node& joiner = add_node(options);
  EXPECT_TRUE(until("the joiner waits", [&] { return joiner.state() == log_state::recovering; }));
  gate_a.open();
  EXPECT_TRUE(until_ready({&a, &joiner}));
  EXPECT_EQ(joiner.log->health().log_id, log_id);
  sent_.clear();
  send({&a, &joiner}, "new", 5);
  EXPECT_TRUE(until_all_read({&a, &joiner}));
  EXPECT_EQ(a.ids().size(), 25U);
  EXPECT_TRUE(a.forks.empty());
  // What was there before it came is there for its clients, too.
  EXPECT_EQ(range(joiner, cursor_at(joiner, chat::position{1'000'000, 0})).entries.size(), 25U);
}

// H10: it began one after all; the older log comes back, and what was said in the younger one is said again.
TEST_F(Recovery, OlderLogReturnsAndTheYoungerIsMerged) {
  redis_server server;
  redis_gate& gate_a = add_gate(server);
  log_node& a = add_ready_node(server, gate_a);
  send({&a}, "old", 20);
  EXPECT_TRUE(until_all_read({&a}));
  const std::string log_id = a.log->health().log_id;
  gate_a.shut();
  lose_everything(server);
  log_node& joiner = add_ready_node(options_for(server));
  sent_.clear();
  send({&joiner}, "young", 3);
  EXPECT_TRUE(until_all_read({&joiner}));
  EXPECT_NE(joiner.log->health().log_id, log_id);
  gate_a.open();
  EXPECT_TRUE(until("one log", [&] {
    return joiner.log->health().log_id == a.log->health().log_id && a.is_ready() &&
           joiner.is_ready();
  }));
  send({&a, &joiner}, "both", 5);
  EXPECT_TRUE(until_all_read({&a, &joiner}));
  EXPECT_EQ(joiner.forks.size() + a.forks.size(), 1U);
  EXPECT_EQ(joiner.ids().size(), 8U);
}

// H20: more was lost than the nodes remember.
TEST_F(Recovery, LossBeyondTheReplayBufferIsReported) {
  redis_server server;
  auto options = options_for(server);
  options.replay_entries = 50;
  const nodes all{&add_ready_node(options), &add_ready_node(options)};
  send(all, "m", 20);
  save(server);
  EXPECT_TRUE(until_all_read(all));
  const chat::position early = all[0]->read[9]->at;
  send(all, "n", 200);
  EXPECT_TRUE(until_all_read(all));
  const chat::position late = all[0]->read[210]->at;
  EXPECT_EQ(check(*all[0], cursor_at(*all[0], early)).status, chat::range_status::ok);
  roll_back(server);
  EXPECT_TRUE(until_ready(all));
  send(all, "o", 5);
  expect_all_once_in_order(all);
  EXPECT_EQ(check(*all[0], cursor_at(*all[0], early)).status, chat::range_status::trimmed);
  const auto rest = range(*all[1], cursor_at(*all[1], late));
  EXPECT_EQ(rest.status, chat::range_status::ok);
  EXPECT_EQ(rest.entries.size(), 14U);
}

// H8: trimmed everywhere and still in its origin's outbox.
TEST_F(Recovery, TrimmedMessageOfAStuckOriginIsNotAddedAgain) {
  redis_server server;
  redis_gate& gate_a = add_gate(server);
  auto options = options_for(server);
  options.replay_entries = 64;
  options.retained_entries = 64;
  log_node& a = LogNodes::add_ready_node(through(gate_a, options));
  log_node& b = LogNodes::add_ready_node(options);
  gate_a.hold_reply_to("stuck");
  const auto outcome = append(a, "stuck");
  sent_.insert("stuck");
  EXPECT_TRUE(until("in the stream", [&] { return has_read(b, "stuck"); }));
  EXPECT_TRUE(gate_a.has_held_reply());
  gate_a.shut();
  // Slowly enough for b to read it before it is trimmed.
  for (int i = 0; i < 20; ++i) {
    send({&b}, "m" + std::to_string(i) + "-", 20);
    EXPECT_TRUE(until_all_read({&b}));
  }
  lose_everything(server);
  gate_a.release();
  gate_a.open();
  EXPECT_TRUE(until_ready({&a, &b}));
  send({&b, &a}, "n", 5);
  EXPECT_TRUE(until_all_read({&b}));
  const auto ids = b.ids();
  EXPECT_EQ(std::ranges::count(ids, "stuck"), 1);
}

// H14: a request that was on its way for a whole recovery.
TEST_F(Recovery, RequestFromThePastChangesNothing) {
  redis_server server;
  redis_gate& gate_a = add_gate(server);
  log_node& a = add_ready_node(server, gate_a);
  log_node& b = add_ready_node(options_for(server));
  gate_a.hold_request("zombie");
  const auto outcome = start(a, "zombie");
  EXPECT_TRUE(until("held", [&] { return gate_a.has_held_request(); }));
  // The node gives the connection up and sends it again on another, which is not held.
  gate_a.hold_no_more();
  EXPECT_TRUE(until("acknowledged", [&] { return outcome->has_value(); }));
  (void)server.command({"DEL", "{chat}:meta"});
  EXPECT_TRUE(until_ready({&a, &b}));
  gate_a.release();
  send({&a, &b}, "m", 20);
  expect_all_once_in_order({&a, &b});
}

}  // namespace
}  // namespace ordeal::test
