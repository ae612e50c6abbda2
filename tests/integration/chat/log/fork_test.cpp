// Goal: where the log goes on without something that was read, nobody who lives loses a message or
// gets one twice, and the fork is reported with its range. H1 and so on: holes of docs/log-protocol.md.
#include "tests/integration/chat/log/recovery_fixture.h"

namespace ordeal::test {
namespace {

using namespace std::chrono_literals;
using chat::log_state;

class Fork : public Recovery {
 protected:
  static void expect_fork(const log_node& node, const chat::entry_ptr& first,
                          const chat::entry_ptr& last) {
    ASSERT_EQ(node.forks.size(), 1U);
    EXPECT_EQ(node.forks[0].common.index + 1, node.forks[0].from.index);
    EXPECT_LE(node.forks[0].from, first->at);
    EXPECT_GE(node.forks[0].to, last->at);
  }
};

// H13: the node that has read most is away for the recovery, and comes back.
TEST_F(Fork, WinnerComesBackTooLate) {
  redis_server server;
  redis_gate& gate_a = add_gate(server);
  redis_gate& gate_b = add_gate(server);
  log_node& a = add_ready_node(server, gate_a);
  log_node& b = add_ready_node(server, gate_b);
  log_node& c = add_ready_node(options_for(server));
  send({&a, &b, &c}, "m", 17);
  EXPECT_TRUE(until_all_read({&a, &b, &c}));
  save(server);
  // b and c read nothing of what comes now.
  gate_b.shut();
  stop(c, 0ms);
  send({&a}, "tail", 2);
  EXPECT_TRUE(until_all_read({&a}));
  gate_a.shut();
  roll_back(server);
  gate_b.open();
  EXPECT_TRUE(until_ready({&b}));
  send({&b}, "without", 5);
  gate_a.open();
  EXPECT_TRUE(until_ready({&a, &b}));
  send({&a, &b}, "end", 5);
  expect_all_once({&a, &b});
  expect_fork(a, a.read[17], a.read[18]);
  EXPECT_TRUE(b.forks.empty());
  EXPECT_EQ(a.repeated.size(), 2U);
}

// H7: all who have read the tail die with it; its origin lives.
TEST_F(Fork, OriginOfALostTailSaysItAgain) {
  redis_server server;
  redis_gate& gate_c = add_gate(server);
  log_node& c = add_ready_node(server, gate_c);
  log_node& d = add_ready_node(options_for(server));
  send({&c, &d}, "m", 10);
  EXPECT_TRUE(until_all_read({&c, &d}));
  save(server);
  gate_c.hold_replies();
  const auto one = start(c, "tail1");
  EXPECT_TRUE(until("d has read it", [&] { return has_read(d, "tail1"); }));
  stop(d, 0ms);
  roll_back(server);
  gate_c.cut();
  gate_c.release();
  EXPECT_TRUE(until("acknowledged", [&] { return one->has_value(); }));
  EXPECT_TRUE(until_ready({&c}));
  expect_all_once_in_order({&c});
}

// H5, H23: two masters for a while.
TEST_F(Fork, SplitBrainIsHealedAndReported) {
  redis_server old_master;
  redis_server new_master;
  (void)new_master.command({"REPLICAOF", "127.0.0.1", std::to_string(old_master.port())});
  redis_gate& gate_a = add_gate(old_master);
  redis_gate& gate_b = add_gate(old_master);
  redis_gate& gate_c = add_gate(old_master);
  log_node& a = add_ready_node(old_master, gate_a);
  log_node& b = add_ready_node(old_master, gate_b);
  log_node& c = add_ready_node(old_master, gate_c);
  send({&a, &b, &c}, "m", 10);
  EXPECT_TRUE(until_all_read({&a, &b, &c}));
  EXPECT_TRUE(until("the replica has it all", [&] {
    return new_master.command({"XLEN", "{chat}:log"})->integer() ==
           old_master.command({"XLEN", "{chat}:log"})->integer();
  }));
  // b and c go with the promoted replica, a stays behind.
  (void)new_master.command({"REPLICAOF", "NO", "ONE"});
  for (redis_gate* gate : {&gate_b, &gate_c}) {
    gate->point_to(new_master.port());
    gate->cut();
  }
  EXPECT_TRUE(until("b and c in a new epoch", [&] {
    return b.is_ready() && c.is_ready() && b.log->health().epoch > a.log->health().epoch &&
           c.log->health().epoch > a.log->health().epoch;
  }));
  send({&b, &c}, "majority", 10);
  send({&a}, "minority", 5);
  EXPECT_TRUE(until("a has read its own", [&] { return has_read(a, "minority5"); }));
  const auto first = a.read[10], last = a.read[14];
  gate_a.point_to(new_master.port());
  gate_a.cut();
  EXPECT_TRUE(until_ready({&a, &b, &c}));
  send({&a, &b, &c}, "healed", 5);
  expect_all_once({&a, &b, &c});
  expect_fork(a, first, last);
  EXPECT_EQ(a.repeated.size(), 5U);
  EXPECT_EQ(b.ids(), c.ids());
  EXPECT_TRUE(b.forks.empty() && c.forks.empty());
}

// The promoted replica lags behind what was read.
TEST_F(Fork, LaggingReplicaIsFilledUpWithoutAFork) {
  redis_server master;
  redis_server replica;
  (void)replica.command({"REPLICAOF", "127.0.0.1", std::to_string(master.port())});
  redis_gate& gate_a = add_gate(master);
  redis_gate& gate_b = add_gate(master);
  log_node& a = add_ready_node(master, gate_a);
  log_node& b = add_ready_node(master, gate_b);
  send({&a, &b}, "m", 10);
  EXPECT_TRUE(until("the replica has them", [&] {
    return replica.command({"XLEN", "{chat}:log"})->integer() >= 11;
  }));
  // It hears no more of its master from here on.
  replica.pause();
  send({&a, &b}, "lag", 10);
  EXPECT_TRUE(until_all_read({&a, &b}));
  master.kill();
  replica.resume();
  (void)replica.command({"REPLICAOF", "NO", "ONE"});
  for (redis_gate* gate : {&gate_a, &gate_b}) {
    gate->point_to(replica.port());
    gate->cut();
  }
  EXPECT_TRUE(until_ready({&a, &b}));
  send({&a, &b}, "end", 5);
  expect_all_once_in_order({&a, &b});
}

// Stable mode: what only one node has read reaches no client, so nothing is taken back.
TEST_F(Fork, StableDeliveryTakesNothingBack) {
  redis_server server;
  redis_gate& gate_a = add_gate(server);
  redis_gate& gate_b = add_gate(server);
  auto options = options_for(server);
  options.delivery = chat::delivery_mode::stable;
  log_node& a = LogNodes::add_ready_node(through(gate_a, options));
  log_node& b = LogNodes::add_ready_node(through(gate_b, options));
  send({&a, &b}, "m", 17);
  EXPECT_TRUE(until_all_read({&a, &b}));
  save(server);
  gate_b.shut();
  send({&a}, "tail", 2);
  gate_a.shut();
  EXPECT_FALSE(has_read(a, "tail1"));
  roll_back(server);
  gate_b.open();
  EXPECT_TRUE(until_ready({&b}));
  send({&b}, "without", 5);
  gate_a.open();
  EXPECT_TRUE(until_ready({&a, &b}));
  send({&a, &b}, "end", 5);
  expect_all_once_in_order({&a, &b});
}

}  // namespace
}  // namespace ordeal::test
