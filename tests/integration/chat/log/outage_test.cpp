// Goal: whatever happens to Redis, nothing is lost, doubled or reordered, or the node says that it
// cannot go on.
#include <algorithm>
#include <fstream>
#include <set>

#include "net/async/condition.h"
#include "tests/integration/chat/log/log_nodes.h"

namespace ordeal::test {
namespace {

using namespace std::chrono_literals;
using chat::append_status;
using chat::log_state;

redis_server_options with_aof() {
  redis_server_options options;
  options.keep = persistence::aof_always;
  return options;
}

class Outage : public LogNodes {
 protected:
  // Messages that are sent again until they are in the log.
  void send(std::vector<log_node*> nodes, int count) {
    for (int i = 0; i < count; ++i) {
      std::string id = std::to_string(sent_.size());
      sent_.push_back(append_surely(nodes, id));
    }
  }
  // All sent messages were read by all nodes, once, in one order.
  void expect_all_read_once(const std::vector<log_node*>& nodes) {
    const auto is_all_read = [&] {
      const auto has_all = [&](const log_node* each) { return each->read.size() >= sent_.size(); };
      const auto is_sent = [](const outcome_ptr& each) { return each->has_value(); };
      return std::ranges::all_of(nodes, has_all) && std::ranges::all_of(sent_, is_sent);
    };
    EXPECT_TRUE(until("every message read by every node", is_all_read, 30s));
    for (const log_node* node : nodes) {
      const auto ids = node->ids();
      EXPECT_EQ(ids.size(), sent_.size());
      EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size()) << "doubled";
      EXPECT_EQ(ids, nodes.front()->ids());
      EXPECT_TRUE(node->gaps.empty());
    }
  }
  bool until_ready(const std::vector<log_node*>& nodes) {
    return until("ready again", [&] { return std::ranges::all_of(nodes, &log_node::is_ready); });
  }
  std::vector<outcome_ptr> sent_;
};

TEST_F(Outage, KillAndRestartWithAofLosesAndDoublesNothing) {
  redis_server server(with_aof());
  log_node& one = add_ready_node(options_for(server));
  log_node& two = add_ready_node(options_for(server));
  for (int round = 0; round < 3; ++round) {
    send({&one, &two}, 300);
    send({&two, &one}, 300);
    const std::size_t enough = one.read.size() + 50;
    ASSERT_TRUE(until("some are read", [&] { return one.read.size() >= enough; }));
    server.kill();
    ASSERT_TRUE(until("noticed", [&] {
      return one.state() != log_state::open && two.state() != log_state::open;
    }));
    EXPECT_FALSE(one.is_ready());
    send({&one, &two}, 50);
    server.start();
    ASSERT_TRUE(until_ready({&one, &two}));
  }
  expect_all_read_once({&one, &two});
}

TEST_F(Outage, APausedRedisLosesAndDoublesNothing) {
  redis_server server;
  log_node& one = add_ready_node(options_for(server));
  log_node& two = add_ready_node(options_for(server));
  send({&one, &two}, 500);
  ASSERT_TRUE(
      until("some are on their way", [&] { return one.log->health().outbox_entries > 100; }));
  server.pause();  // batches are in its socket buffers, and will be executed late
  ASSERT_TRUE(until(
      "noticed", [&] { return one.state() != log_state::open && two.state() != log_state::open; }));
  send({&two, &one}, 100);
  server.resume();
  ASSERT_TRUE(until_ready({&one, &two}));
  expect_all_read_once({&one, &two});
}

TEST_F(Outage, KilledConnectionsLoseAndDoubleNothing) {
  redis_server server;
  log_node& one = add_ready_node(options_for(server));
  log_node& two = add_ready_node(options_for(server));
  for (int round = 0; round < 10; ++round) {
    send({&one, &two}, 200);
    send({&two, &one}, 200);
    const std::size_t enough = one.read.size() + 20;
    ASSERT_TRUE(until("some are read", [&] { return one.read.size() >= enough; }));
    ASSERT_FALSE(server.command({"CLIENT", "KILL", "TYPE", "normal"})->is_error());
  }
  expect_all_read_once({&one, &two});
  EXPECT_GT(one.log->health().reconnects, 5U);
}

TEST_F(Outage, NewMessagesWaitForAShortOutageOnly) {
  redis_server server(with_aof());
  auto options = options_for(server);
  options.outage_accept_max = 300ms;
  log_node& node = add_ready_node(options);
  server.kill();
  ASSERT_TRUE(until("noticed", [&] { return node.state() != log_state::open; }));
  const auto early = append(node, "early");
  ASSERT_TRUE(until("refused for now", [&] {
    const auto late = append(node, "late");
    io_.poll();
    return late->has_value();
  }));
  EXPECT_FALSE(early->has_value());
  const auto late = append_now(node, "later");
  EXPECT_EQ(late.status, append_status::retry_later);
  EXPECT_FALSE(late.reason.empty());
  server.start();
  ASSERT_TRUE(until("early is in", [&] { return early->has_value(); }));
  EXPECT_EQ((*early)->status, append_status::appended);
  EXPECT_EQ(append_now(node, "later").status, append_status::appended);
}

TEST_F(Outage, ASenderDoesNotWaitForEver) {
  redis_server server(with_aof());
  auto options = options_for(server);
  options.append_wait_max = 200ms;
  log_node& node = add_ready_node(options);
  server.kill();
  const auto outcome = append_now(node, "id");
  EXPECT_EQ(outcome.status, append_status::retry_later);
  server.start();
  ASSERT_TRUE(until("it went in all the same", [&] { return node.read.size() == 1; }));
  const auto again = append_now(node, "id");
  EXPECT_EQ(again.status, append_status::appended);
  EXPECT_EQ(again.at, node.read[0]->at);
}

TEST_F(Outage, FlushAllMakesNodesRefuse) {
  redis_server server;
  log_node& one = add_ready_node(options_for(server));
  log_node& two = add_ready_node(options_for(server));
  append_now(one, "id");
  ASSERT_TRUE(until("read", [&] { return two.read.size() == 1; }));
  ASSERT_FALSE(server.command({"FLUSHALL"})->is_error());
  ASSERT_TRUE(until("both refuse", [&] {
    return one.state() == log_state::refusing && two.state() == log_state::refusing;
  }));
  EXPECT_FALSE(one.is_ready());
  EXPECT_NE(one.log->health().reason.find("gone"), std::string::npos) << one.log->health().reason;
  EXPECT_EQ(append_now(one, "other").status, append_status::retry_later);
}

TEST_F(Outage, AnotherNodesNewLogIsNotReadAsTheOldOne) {
  redis_server server;
  log_node& old_node = add_ready_node(options_for(server));
  append_now(old_node, "old");
  ASSERT_TRUE(until("read", [&] { return old_node.read.size() == 1; }));
  ASSERT_FALSE(server.command({"FLUSHALL"})->is_error());
  log_node& fresh = add_ready_node(options_for(server));
  for (int i = 0; i < 100; ++i) append(fresh, "new-" + std::to_string(i));
  ASSERT_TRUE(until("fresh read all", [&] { return fresh.read.size() == 100; }));
  ASSERT_TRUE(until("old refuses", [&] { return old_node.state() == log_state::refusing; }));
  EXPECT_EQ(old_node.ids(), (std::vector<std::string>{"old"}));
  EXPECT_TRUE(old_node.gaps.empty());
}

TEST_F(Outage, RestartWithoutPersistenceMakesNodesRefuse) {
  redis_server server;
  log_node& node = add_ready_node(options_for(server));
  append_now(node, "id");
  server.kill();
  server.start();
  ASSERT_TRUE(until("refuses", [&] { return node.state() == log_state::refusing; }));
  EXPECT_FALSE(node.is_ready());
  EXPECT_EQ(append_now(node, "other").status, append_status::retry_later);
}

TEST_F(Outage, ARolledBackLogIsRefusedAndTakenAgainWhenItIsBack) {
  // The data of before and after are kept as files; Redis is restarted with the older, then with
  // the newer ones.
  redis_server server(with_aof());
  log_node& node = add_ready_node(options_for(server));
  append_now(node, "first");
  server.stop();
  const auto data = server.directory() / "appendonlydir";
  const auto older = server.directory() / "older";
  const auto newer = server.directory() / "newer";
  const auto whole = std::filesystem::copy_options::recursive;
  std::filesystem::copy(data, older, whole);
  server.start();
  ASSERT_TRUE(until_ready({&node}));
  append_now(node, "second");
  ASSERT_TRUE(until("read", [&] { return node.read.size() == 2; }));
  server.stop();
  std::filesystem::rename(data, newer);
  std::filesystem::copy(older, data, whole);
  server.start();
  ASSERT_TRUE(until("refuses", [&] { return node.state() == log_state::refusing; }));
  EXPECT_NE(node.log->health().reason.find("no longer holds"), std::string::npos)
      << node.log->health().reason;
  server.stop();
  std::filesystem::remove_all(data);
  std::filesystem::rename(newer, data);
  server.start();
  ASSERT_TRUE(until_ready({&node}));
  EXPECT_EQ(append_now(node, "third").status, append_status::appended);
  ASSERT_TRUE(until("read on", [&] { return node.read.size() == 3; }));
  EXPECT_EQ(node.ids(), (std::vector<std::string>{"first", "second", "third"}));
}

TEST_F(Outage, AJoinerConfirmsARestartWhenNobodyElseDoes) {
  redis_server server(with_aof());
  std::string log_id;
  {
    log_node& node = add_ready_node(options_for(server));
    append_now(node, "id");
    log_id = node.log->health().log_id;
    stop(node, 1s);
  }
  server.kill();
  server.start();
  log_node& fresh = add_ready_node(options_for(server));
  EXPECT_EQ(fresh.log->health().log_id, log_id);
  EXPECT_EQ(append_now(fresh, "next").status, append_status::appended);
}

TEST_F(Outage, RedisMayStartAfterTheNode) {
  redis_server server;
  server.kill();
  log_node& node = add_node(options_for(server));
  const auto early = append(node, "early");
  ASSERT_TRUE(until(
      "knows why", [&] { return node.log->health().reason.find("refused") != std::string::npos; }));
  EXPECT_FALSE(node.is_ready());
  server.start();
  ASSERT_TRUE(until_ready({&node}));
  ASSERT_TRUE(until("early is in", [&] { return early->has_value(); }));
  EXPECT_EQ((*early)->status, append_status::appended);
}

TEST_F(Outage, ANewPasswordIsReadFromItsFile) {
  redis_server_options secured;
  secured.password = "first";
  redis_server server(secured);
  const auto file = server.directory() / "password";
  std::ofstream(file) << "first\n";
  auto options = options_for(server);
  options.redis.auth.password.clear();
  options.redis.auth.password_file = file;
  log_node& one = add_ready_node(options);
  log_node& two = add_ready_node(options);
  server.set_password("second");
  ASSERT_FALSE(server.command({"CLIENT", "KILL", "TYPE", "normal"})->is_error());
  ASSERT_TRUE(until(
      "shut out", [&] { return one.log->health().reason.find("WRONGPASS") != std::string::npos; }));
  EXPECT_EQ(one.log->health().reason.find("first"), std::string::npos);
  send({&one, &two}, 20);
  std::ofstream(file) << "second\n";
  ASSERT_TRUE(until_ready({&one, &two}));
  expect_all_read_once({&one, &two});
}

TEST_F(Outage, AFullRedisDelaysAppends) {
  redis_server server;
  log_node& node = add_ready_node(options_for(server));
  ASSERT_FALSE(server.command({"CONFIG", "SET", "maxmemory", "1"})->is_error());
  const auto waiting = append(node, "id");
  ASSERT_TRUE(until("not ready without heartbeat", [&] { return !node.is_ready(); }));
  EXPECT_FALSE(waiting->has_value());
  ASSERT_FALSE(server.command({"CONFIG", "SET", "maxmemory", "0"})->is_error());
  ASSERT_TRUE(until("appended", [&] { return waiting->has_value(); }));
  EXPECT_EQ((*waiting)->status, append_status::appended);
  ASSERT_TRUE(until_ready({&node}));
  EXPECT_EQ(node.log->health().reconnects, 0U) << "an error reply is no reason to reconnect";
}

TEST_F(Outage, ARedisThatEvictsIsRefused) {
  redis_server_options evicting;
  evicting.extra_config = "maxmemory 100mb\nmaxmemory-policy allkeys-lru\n";
  redis_server server(evicting);
  log_node& node = add_node(options_for(server));
  ASSERT_TRUE(until("refuses", [&] { return node.state() == log_state::refusing; }));
  EXPECT_NE(node.log->health().reason.find("noeviction"), std::string::npos);
  ASSERT_FALSE(server.command({"CONFIG", "SET", "maxmemory-policy", "noeviction"})->is_error());
  EXPECT_TRUE(until_ready({&node}));
}

TEST_F(Outage, AForgottenScriptIsLoadedAgain) {
  redis_server server;
  log_node& node = add_ready_node(options_for(server));
  ASSERT_FALSE(server.command({"SCRIPT", "FLUSH"})->is_error());
  EXPECT_EQ(append_now(node, "id").status, append_status::appended);
  EXPECT_EQ(node.log->health().reconnects, 0U);
}

TEST_F(Outage, AReaderThatWasLeftBehindReportsTheGap) {
  redis_server server(with_aof());
  auto options = options_for(server);
  options.retained_entries = 50;
  log_node& reader = add_ready_node(options);
  append_now(reader, "seen");
  ASSERT_TRUE(until("read", [&] { return reader.read.size() == 1; }));
  // Trimming below a node that is cut off, as if others had appended that much meanwhile.
  server.pause();
  ASSERT_TRUE(until("cut off", [&] { return reader.state() != log_state::open; }));
  server.resume();
  const auto meta = server.command({"HMGET", "{chat}:meta", "top", "incarnation"});
  const std::uint64_t top = static_cast<std::uint64_t>(meta.view()[0].integer());
  const std::string next = std::to_string(top + 10);
  ASSERT_FALSE(server
                   .command({"XADD", "{chat}:log", "1-" + next, "k", "m", "o", "someone", "s", "10",
                             "r", "room", "c", "far", "t", "text"})
                   ->is_error());
  ASSERT_FALSE(server.command({"XTRIM", "{chat}:log", "MINID", "=", "1-" + next})->is_error());
  ASSERT_FALSE(server.command({"HSET", "{chat}:meta", "top", next, "floor", next})->is_error());
  ASSERT_TRUE(until("read on", [&] { return reader.read.size() == 2; }));
  ASSERT_EQ(reader.gaps.size(), 1U);
  EXPECT_NE(reader.gaps[0].find(std::to_string(top + 9)), std::string::npos) << reader.gaps[0];
  EXPECT_EQ(reader.ids().back(), "far");
}

}  // namespace
}  // namespace ordeal::test
