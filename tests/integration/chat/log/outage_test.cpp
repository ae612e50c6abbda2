// Goal: whatever happens to Redis, nothing is lost, doubled or reordered, or the node says what it
// cannot give back.
#include <algorithm>
#include <fstream>
#include <set>

#include "net/async/condition.h"
#include "reference-server/log/entry_codec.h"
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
      EXPECT_TRUE(node->forks.empty());
    }
  }
  // Every node has seen this many new epochs begin, and is ready.
  bool until_recovered(const std::vector<log_node*>& nodes, std::uint64_t recoveries) {
    const auto has_recovered = [recoveries](const log_node* each) {
      return each->log->health().recoveries >= recoveries && each->is_ready();
    };
    return until("recovered", [&] { return std::ranges::all_of(nodes, has_recovered); });
  }
  static std::uint64_t repairs_of(const std::vector<log_node*>& nodes) {
    std::uint64_t sum = 0;
    for (const log_node* each : nodes) sum += each->log->health().repairs;
    return sum;
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

TEST_F(Outage, FlushAllIsRepairedFromMemory) {
  redis_server server;
  log_node& one = add_ready_node(options_for(server));
  log_node& two = add_ready_node(options_for(server));
  const std::string log_id = one.log->health().log_id;
  send({&one, &two}, 200);
  ASSERT_TRUE(until("some are read", [&] { return two.read.size() >= 50; }));
  const std::uint64_t repairs = repairs_of({&one, &two});
  ASSERT_FALSE(server.command({"FLUSHALL"})->is_error());
  send({&two, &one}, 50);
  ASSERT_TRUE(until_recovered({&one, &two}, 1));
  expect_all_read_once({&one, &two});
  EXPECT_EQ(one.log->health().log_id, log_id);
  EXPECT_EQ(two.log->health().log_id, log_id);
  EXPECT_EQ(one.log->health().epoch, two.log->health().epoch);
  EXPECT_EQ(repairs_of({&one, &two}), repairs + 1) << "one node repairs";
  EXPECT_EQ(server.command({"HLEN", "{chat}:req"})->integer(), 251)
      << "each message of before and after, and the sign that the key is there";
}

TEST_F(Outage, AJoinerThatComesFirstBeginsNoLogBesideNodesThatHaveOne) {
  redis_server server;
  auto options = options_for(server);
  options.boot_grace = 1s;  // the old one needs a heartbeat to notice
  options.recovery_grace = 1s;
  log_node& old_node = add_ready_node(options);
  append_now(old_node, "old");
  ASSERT_TRUE(until("read", [&] { return old_node.read.size() == 1; }));
  ASSERT_FALSE(server.command({"FLUSHALL"})->is_error());
  log_node& fresh = add_ready_node(options);
  for (int i = 0; i < 100; ++i) append(fresh, "new-" + std::to_string(i));
  ASSERT_TRUE(until("both read all",
                    [&] { return fresh.read.size() == 100 && old_node.read.size() == 101; }));
  EXPECT_EQ(fresh.log->health().log_id, old_node.log->health().log_id);
  EXPECT_EQ(old_node.ids().front(), "old");
  EXPECT_TRUE(old_node.gaps.empty());
  EXPECT_TRUE(old_node.forks.empty());
}

TEST_F(Outage, ARestartWithoutPersistenceIsRepairedFromMemory) {
  redis_server server;
  log_node& node = add_ready_node(options_for(server));
  const auto first = append_now(node, "id");
  ASSERT_TRUE(until("read", [&] { return node.read.size() == 1; }));
  server.kill();
  server.start();
  ASSERT_TRUE(until_recovered({&node}, 1));
  const auto again = append_now(node, "id");
  EXPECT_EQ(again.status, append_status::appended);
  EXPECT_EQ(again.at, first.at) << "where it was, and known by its id";
  const auto other = append_now(node, "other");
  EXPECT_EQ(other.status, append_status::appended);
  EXPECT_GT(other.at, first.at);
  ASSERT_TRUE(until("read on", [&] { return node.read.size() == 2; }));
  EXPECT_EQ(node.ids(), (std::vector<std::string>{"id", "other"}));
  EXPECT_GE(node.log->health().restored, 2U) << "the barrier and the message";
}

TEST_F(Outage, WhatARolledBackRedisHasLostIsPutBack) {
  // The data of before are kept as files, with which Redis is started again.
  redis_server server(with_aof());
  log_node& node = add_ready_node(options_for(server));
  append_now(node, "first");
  server.stop();
  const auto data = server.directory() / "appendonlydir";
  const auto older = server.directory() / "older";
  const auto whole = std::filesystem::copy_options::recursive;
  std::filesystem::copy(data, older, whole);
  server.start();
  ASSERT_TRUE(until_recovered({&node}, 1));
  const auto second = append_now(node, "second");
  ASSERT_TRUE(until("read", [&] { return node.read.size() == 2; }));
  server.stop();
  std::filesystem::remove_all(data);
  std::filesystem::rename(older, data);
  server.start();
  ASSERT_TRUE(until_recovered({&node}, 2));
  EXPECT_EQ(append_now(node, "second").at, second.at);
  EXPECT_EQ(append_now(node, "third").status, append_status::appended);
  ASSERT_TRUE(until("read on", [&] { return node.read.size() == 3; }));
  EXPECT_EQ(node.ids(), (std::vector<std::string>{"first", "second", "third"}));
  EXPECT_TRUE(node.forks.empty());
}

// Whichever key is lost (docs/log-protocol.md, H21).
TEST_F(Outage, EachLostKeyIsNoticedAndRepaired) {
  redis_server server;
  log_node& one = add_ready_node(options_for(server));
  log_node& two = add_ready_node(options_for(server));
  std::uint64_t recoveries = 0;
  for (const char* key :
       {"{chat}:meta", "{chat}:epochs", "{chat}:seq", "{chat}:req", "{chat}:log"}) {
    send({&one, &two}, 40);
    ASSERT_FALSE(server.command({"DEL", key})->is_error());
    send({&two, &one}, 40);
    ASSERT_TRUE(until_recovered({&one, &two}, ++recoveries)) << key;
  }
  expect_all_read_once({&one, &two});
}

// What others would do who do not know that this node has read further: they go on from an earlier
// entry, in a new epoch.
TEST_F(Outage, ANodeWhoseEntriesTheLogLeftOutReportsItAndBringsItsOwnBack) {
  redis_server server;
  log_node& node = add_ready_node(options_for(server));
  const auto kept = append_now(node, "kept");
  const auto lost = append_now(node, "lost");
  ASSERT_TRUE(until("read", [&] { return node.read.size() == 2; }));
  const std::string go_on = R"(
      local keep, next_id, origin = ARGV[1], ARGV[2], ARGV[3]
      for _, each in ipairs(redis.call('XRANGE', KEYS[1], '(' .. keep, '+')) do
        redis.call('XDEL', KEYS[1], each[1])
      end
      redis.call('XADD', KEYS[1], next_id, 'k', 'b', 'o', 'others', 's', '0', 'r', '', 'c', '', 't', '')
      local epoch, index = string.match(next_id, '(%d+)-(%d+)')
      redis.call('HSET', KEYS[2], epoch, index)
      redis.call('HSET', KEYS[3], 'epoch', epoch, 'top', index)
      redis.call('HSET', KEYS[4], origin, '1')
      return 1)";
  const std::string keep = chat::format_position(kept.at);
  const std::string next = "9000005-" + std::to_string(kept.at.index + 1);
  ASSERT_EQ(server
                .command({"EVAL", go_on, "4", "{chat}:log", "{chat}:epochs", "{chat}:meta",
                          "{chat}:seq", keep, next, node.read[0]->origin})
                ->integer(),
            1);
  ASSERT_TRUE(until("its own came back", [&] { return node.repeated.size() == 1; }));
  ASSERT_EQ(node.forks.size(), 1U);
  EXPECT_EQ(node.forks[0].common, kept.at);
  EXPECT_GE(node.forks[0].to, lost.at);
  EXPECT_EQ(node.ids(), (std::vector<std::string>{"kept", "lost"}));
  EXPECT_EQ(node.repeated[0]->client_message_id, "lost");
  EXPECT_EQ(node.repeated[0]->earlier, lost.at) << "who has seen it must not get it again";
  EXPECT_EQ(node.repeated[0]->at.epoch, 9'000'005U);
  const auto place = check(node, cursor_at(node, lost.at));
  EXPECT_EQ(place.status, chat::range_status::ok);
  EXPECT_EQ(place.from, kept.at);
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

TEST_F(Outage, APolicyThatIsSetWhileItRunsIsNoticed) {
  redis_server server;
  log_node& node = add_ready_node(options_for(server));
  const auto set = [&](std::string_view name, std::string_view value) {
    ASSERT_FALSE(server.command({"CONFIG", "SET", name, value})->is_error());
  };
  set("maxmemory", "100mb");
  set("maxmemory-policy", "allkeys-lru");
  ASSERT_TRUE(until("refuses", [&] { return node.state() == log_state::refusing; }));
  EXPECT_NE(node.log->health().reason.find("noeviction"), std::string::npos);
  set("maxmemory-policy", "volatile-ttl");
  EXPECT_TRUE(until_ready({&node})) << "it takes keys with a time to live, and ours have none";
}

TEST_F(Outage, AForgottenScriptIsLoadedAgain) {
  redis_server server;
  log_node& node = add_ready_node(options_for(server));
  ASSERT_FALSE(server.command({"SCRIPT", "FLUSH"})->is_error());
  EXPECT_EQ(append_now(node, "id").status, append_status::appended);
  EXPECT_EQ(node.log->health().reconnects, 0U);
}

TEST_F(Outage, AReaderThatWasLeftBehindReportsTheGap) {
  redis_server server;
  auto options = options_for(server);
  options.retained_entries = 50;
  log_node& reader = add_ready_node(options);
  append_now(reader, "seen");
  ASSERT_TRUE(until("read", [&] { return reader.read.size() == 1; }));
  // At once, as if others had appended that much while it was cut off.
  const std::string go_on = R"(
      local meta = redis.call('HMGET', KEYS[2], 'top', 'epoch')
      local top = tonumber(meta[1]) + 10
      local id = meta[2] .. '-' .. top
      redis.call('XADD', KEYS[1], id, 'k', 'm', 'o', 'someone', 's', '10', 'r', 'room',
                 'c', 'far', 't', 'text')
      redis.call('XTRIM', KEYS[1], 'MINID', '=', id)
      redis.call('HSET', KEYS[2], 'top', top, 'floor', top)
      return top)";
  const auto top = server.command({"EVAL", go_on, "2", "{chat}:log", "{chat}:meta"})->integer();
  ASSERT_GT(top, 10);
  ASSERT_TRUE(until("read on", [&] { return reader.read.size() == 2; }));
  ASSERT_EQ(reader.gaps.size(), 1U);
  EXPECT_GT(reader.gaps[0].from, reader.read[0]->at.index);
  EXPECT_EQ(reader.gaps[0].to, static_cast<std::uint64_t>(top) - 1);
  EXPECT_EQ(reader.ids().back(), "far");
  EXPECT_EQ(reader.log->health().gaps, 1U);
}

}  // namespace
}  // namespace ordeal::test
