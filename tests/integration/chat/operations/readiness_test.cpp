// /readyz tells the truth in both directions. Goal: for everything that Redis or the network may
// do, the probe of a real node says 503 with the reason in one line, and 200 again by itself when
// it is over. Method: do it, ask until it is said.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/integration/chat/hub/hub_client.h"
#include "tests/integration/chat/log/redis_gate.h"
#include "tests/integration/chat/operations/operations.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

class Readiness : public Operations {
 protected:
  Readiness() : Operations(with_password()) {}

  void set_node_password(const std::string& password) {
    std::ofstream(password_file) << password << "\n";
  }
};

TEST_F(Readiness, FollowsARedisThatStartsLater) {
  redis.kill();
  const chat_process& node = start_node();
  EXPECT_TRUE(is_unready(node, "connecting for "));
  EXPECT_TRUE(is_unready(node, "Connection refused"));
  EXPECT_EQ(get(node, "/healthz").status, 200U);
  redis.start();
  EXPECT_TRUE(is_ready(node));
}

TEST_F(Readiness, FollowsARedisThatDiesAndComesBackEmpty) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  redis.kill();
  EXPECT_TRUE(is_unready(node, "connecting for "));
  redis.start();
  EXPECT_TRUE(is_ready(node));
  EXPECT_GE(metric(node, "ordeal_chat_log_repairs_total"), 1);
}

TEST_F(Readiness, FollowsAPausedRedis) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  redis.pause();
  EXPECT_TRUE(is_unready(node, "mute for ")) << "before the command has timed out";
  EXPECT_TRUE(is_unready(node, "connecting for ")) << "afterwards";
  redis.resume();
  EXPECT_TRUE(is_ready(node));
}

TEST_F(Readiness, FollowsAWrongPassword) {
  const std::string right = redis.connection().auth.password;
  set_node_password(std::string(marker) + "-wrong");
  const chat_process& node = start_node();
  EXPECT_TRUE(is_unready(node, "WRONGPASS"));
  set_node_password(right);
  EXPECT_TRUE(is_ready(node));
  redis.set_password(std::string(marker) + "-new");
  redis_does({"CLIENT", "KILL", "TYPE", "normal"});
  EXPECT_TRUE(is_unready(node, "WRONGPASS"));
  set_node_password(std::string(marker) + "-new");
  EXPECT_TRUE(is_ready(node));
}

// As a client begins; the answer is not waited for.
asio::ip::tcp::socket open_client(asio::any_io_executor ex, asio::ip::tcp::endpoint node) {
  asio::ip::tcp::socket socket(std::move(ex));
  socket.connect(node);
  const std::string request =
      "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  asio::write(socket, asio::buffer(request));
  return socket;
}

TEST_F(Readiness, ClientsNeverTakeWhatRedisNeeds) {
  chat_process::options wanted = node_options();
  wanted.descriptors = 80;
  const chat_process& node = start_node(wanted);
  ASSERT_TRUE(is_ready(node));
  EXPECT_EQ(node.count_in_log("leaves room for fewer clients than --connections-max"), 1U);
  std::vector<asio::ip::tcp::socket> crowd;
  for (int i = 0; i < 100; ++i) crowd.push_back(open_client(ex, node.endpoint()));
  EXPECT_TRUE(is_unready(node, "out of descriptors: "));
  const double before = metric(node, "ordeal_chat_log_reconnects_total");
  redis_does({"CLIENT", "KILL", "TYPE", "normal"});
  EXPECT_TRUE(until([&] {
    return metric(node, "ordeal_chat_log_reconnects_total") >= before + 2 &&
           metric(node, "ordeal_chat_log_ready") == 1;
  })) << node.log();
  EXPECT_TRUE(is_unready(node, "out of descriptors: ")) << "and neither deaf nor mute";
  EXPECT_EQ(metric(node, "ordeal_chat_out_of_descriptors"), 1);
  EXPECT_GT(metric(node, "ordeal_chat_connections_refused_total"), 0);
  crowd.clear();
  EXPECT_TRUE(is_ready(node));
}

asio::awaitable<void> say(asio::any_io_executor ex, asio::ip::tcp::endpoint node, int count,
                          std::size_t bytes) {
  hub_client client(ex);
  const bool is_open = co_await client.open(node);
  EXPECT_TRUE(is_open);
  for (int i = 0; i < count; ++i) {
    const std::string answer =
        co_await client.send("room", "m" + std::to_string(i), std::string(bytes, 'x'));
    EXPECT_EQ(answer.front(), '=') << answer;
  }
  co_await client.close();
}

// Redis closes a connection whose replies it may not hold: less at a time passes.
TEST_F(Readiness, ReadsABacklogWithinTheOutputBufferLimit) {
  const chat_process& writer = start_node();
  chat_process& late = start_node();
  ASSERT_TRUE(is_ready(writer) && is_ready(late));
  redis_does({"CONFIG", "SET", "client-output-buffer-limit", "normal 131072 0 0"});
  late.program().signal(SIGSTOP);
  run_coro(io, say(ex, writer.endpoint(), 60, 20'000), seconds(30));
  late.program().signal(SIGCONT);
  const double top = metric(writer, "ordeal_chat_log_index");
  EXPECT_TRUE(until([&] { return metric(late, "ordeal_chat_log_index") >= top; })) << late.log();
  EXPECT_TRUE(is_ready(late));
}

TEST_F(Readiness, SaysThatASingleEntryCannotPass) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  redis_does({"CONFIG", "SET", "client-output-buffer-limit", "normal 32768 0 0"});
  run_coro(io, say(ex, node.endpoint(), 1, 60'000), seconds(30));
  EXPECT_TRUE(is_unready(node, "raise its client-output-buffer-limit", seconds(30)));
  redis_does({"CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0"});
  EXPECT_TRUE(is_ready(node));
}

TEST_F(Readiness, FollowsAFullRedis) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  redis_does({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(is_unready(node, "appends fail for "));
  EXPECT_TRUE(is_unready(node, "OOM"));
  EXPECT_TRUE(is_unready(node, "down to its newest 128 entries: raise its maxmemory"));
  redis_does({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(is_ready(node));
}

// Method: the place where the dump would go is a folder.
TEST_F(Readiness, FollowsARedisThatCannotSave) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  const auto dump = redis.directory() / "dump.rdb";
  std::filesystem::create_directory(dump);
  redis_does({"CONFIG", "SET", "save", "3600 1"});
  redis_does({"BGSAVE"});
  EXPECT_TRUE(is_unready(node, "MISCONF"));
  std::filesystem::remove(dump);
  redis_does({"BGSAVE"});
  EXPECT_TRUE(is_ready(node));
}

TEST_F(Readiness, FollowsARedisWithoutEnoughReplicas) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  redis_does({"CONFIG", "SET", "min-replicas-to-write", "1"});
  EXPECT_TRUE(is_unready(node, "NOREPLICAS"));
  redis_does({"CONFIG", "SET", "min-replicas-to-write", "0"});
  EXPECT_TRUE(is_ready(node));
}

TEST_F(Readiness, FollowsARedisThatHoldsWritesBack) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  redis_does({"CLIENT", "PAUSE", "600000", "WRITE"});
  EXPECT_TRUE(is_unready(node, "mute for "));
  EXPECT_TRUE(is_unready(node, "Redis does not answer"));
  redis_does({"CLIENT", "UNPAUSE"});
  EXPECT_TRUE(is_ready(node));
}

TEST_F(Readiness, SurvivesTheLossOfEitherConnection) {
  const chat_process& node = start_node();
  for (const std::string_view role : {"reader", "commands"}) {
    ASSERT_TRUE(is_ready(node));
    const std::string old = connection_id(role);
    ASSERT_NE(old, "") << role;
    redis_does({"CLIENT", "KILL", "ID", old});
    const auto is_new = [&] {
      const std::string now = connection_id(role);
      return !now.empty() && now != old;
    };
    EXPECT_TRUE(until(is_new)) << role;
    EXPECT_TRUE(is_ready(node)) << role;
  }
}

// Method: from now on no reply to XREAD reaches the node, on whatever connection it asks.
TEST_F(Readiness, KnowsThatItIsDeaf) {
  redis_gate gate(io, redis.port());
  const chat_process& node = start_node(gate.port());
  ASSERT_TRUE(is_ready(node));
  gate.hold_reply_to("XREAD");
  EXPECT_TRUE(is_unready(node, "deaf for "));
  gate.release();
  gate.cut();
  EXPECT_TRUE(is_ready(node));
  gate.close();
}

// Method: its words do not reach Redis, while what it was told before still comes.
TEST_F(Readiness, KnowsThatItIsMute) {
  redis_gate gate(io, redis.port());
  const chat_process& node = start_node(gate.port());
  ASSERT_TRUE(is_ready(node));
  gate.hold_requests();
  EXPECT_TRUE(is_unready(node, "mute for "));
  EXPECT_TRUE(is_unready(node, "connecting for "));
  gate.release();
  EXPECT_TRUE(is_ready(node));
  gate.close();
}

TEST_F(Readiness, RefusesARedisThatEvicts) {
  redis_does({"CONFIG", "SET", "maxmemory", "100mb"});
  redis_does({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  const chat_process& node = start_node();
  EXPECT_TRUE(is_unready(node, "refusing for "));
  EXPECT_TRUE(is_unready(node, "allkeys-lru): set noeviction"));
  redis_does({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  EXPECT_TRUE(is_ready(node));
}

// Not only where somebody sends.
TEST_F(Readiness, EveryNodeSaysThatAppendsFailWhenAKeyIsOfAnotherType) {
  const chat_process& node = start_node();
  const chat_process& idle = start_node();
  ASSERT_TRUE(is_ready(node));
  ASSERT_TRUE(is_ready(idle));
  redis_does({"DEL", "{chat}:req"});
  redis_does({"SET", "{chat}:req", "hello"});
  for (const chat_process* each : {&node, &idle}) {
    EXPECT_TRUE(is_unready(*each, "appends fail for "));
    EXPECT_TRUE(is_unready(*each, "the key {chat}:req is of another type than the log needs: "));
  }
  redis_does({"DEL", "{chat}:req"});
  EXPECT_TRUE(is_ready(node));
  EXPECT_TRUE(is_ready(idle));
}

TEST_F(Readiness, RefusesForeignEntriesBeforeAndWhileItRuns) {
  redis_does({"XADD", "{chat}:log", "*", "who", "stranger"});
  const chat_process& node = start_node();
  EXPECT_TRUE(is_unready(node, "remove it (XDEL, id "));
  redis_does({"DEL", "{chat}:log"});
  ASSERT_TRUE(is_ready(node));
  redis_does({"XADD", "{chat}:log", "*", "who", "stranger"});
  EXPECT_TRUE(is_unready(node, "remove it (XDEL, id "));
  redis_does({"DEL", "{chat}:log"});
  EXPECT_TRUE(is_ready(node));
}

// A stream remembers the id of an entry that was deleted by hand; what is put back there must be
// accepted all the same.
TEST_F(Readiness, ComesBackWhenTheEndOfTheStreamWasDeleted) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  redis_does({"DEL", "{chat}:meta"});
  const auto has_two_barriers = [&] { return metric(node, "ordeal_chat_log_index") >= 2; };
  ASSERT_TRUE(until(has_two_barriers));
  redis_does({"EVAL",
              "local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1] "
              "redis.call('XDEL', KEYS[1], last) redis.call('HSET', KEYS[2], 'incarnation', 'x') "
              "return 1",
              "2", "{chat}:log", "{chat}:meta"});
  const auto is_restored = [&] {
    return metric(node, "ordeal_chat_log_restored_entries_total") >= 1;
  };
  EXPECT_TRUE(until(is_restored)) << node.log();
  EXPECT_TRUE(is_ready(node));
}

// One line in the log for each change, however long a state lasts and however often the node tries.
TEST_F(Readiness, IsToldInTheLogOnceForEachChange) {
  const chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  redis_does({"CONFIG", "SET", "maxmemory", "1"});
  ASSERT_TRUE(is_unready(node, "appends fail for 0."));
  const std::string told_of_full = node.log();
  ASSERT_TRUE(is_unready(node, "appends fail for 2."));
  EXPECT_EQ(node.log(), told_of_full);
  EXPECT_EQ(node.count_in_log("log: not ready "), 1U) << node.log();
  EXPECT_EQ(node.count_in_log("OOM"), 1U) << node.log();
  redis_does({"CONFIG", "SET", "maxmemory", "0"});
  ASSERT_TRUE(is_ready(node));
  EXPECT_EQ(node.count_in_log("log: ready "), 2U) << node.log();
  redis.kill();
  ASSERT_TRUE(is_unready(node, "connecting for 1."));
  const std::string told_of_dead = node.log();
  EXPECT_EQ(node.count_in_log("log: connecting "), 1U) << node.log();
  ASSERT_TRUE(is_unready(node, "connecting for 3."));
  EXPECT_EQ(node.log(), told_of_dead);
}

}  // namespace
}  // namespace ordeal::test
