// Goal: what the taps of two nodes' links say while the nodes talk to a real redis-server: publish and subscribe,
// streams, transactions, refusals, a cut link, a reset. Method: connections of our own through the links.
#include "harness/run/tap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fault-injection/link/link.h"
#include "harness/history/envelope.h"
#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/async/task_group.h"
#include "net/redis/connection.h"
#include "tests/integration/fault/link/echo_server.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

using harness::client_id;
using harness::message_id;
using harness::node_id;
using harness::room_id;
using harness::tapped;
using net::redis::connection;
using net::redis::request;
using texts = std::vector<std::string>;

constexpr std::string_view nonce = "abcd0123";
constexpr std::chrono::seconds patience(10);
constexpr std::chrono::milliseconds poll_interval(2);

std::string payload(std::uint32_t seq) {
  const message_id id{client_id{0}, room_id{0}, seq};
  return harness::make_envelope(nonce, id, harness::run_time(seq), 200);
}

// What the taps told, sorted: "node-1 to_redis 17". Written on the proxy thread.
class told_events {
 public:
  harness::tap_outlet outlet() {
    harness::tap_outlet made;
    made.run_start = net::now();
    made.on_tapped = [this](std::vector<tapped> batch) {
      const std::lock_guard lock(mutex_);
      for (const tapped& each : batch) lines_.push_back(line_of(each));
    };
    return made;
  }

  texts take() {
    const std::lock_guard lock(mutex_);
    texts lines = std::exchange(lines_, {});
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return lines_.size();
  }

 private:
  static std::string line_of(const tapped& what) {
    constexpr std::array<const char*, 4> names = {"to_redis", "accepted_by_redis",
                                                  "refused_by_redis", "from_redis"};
    EXPECT_GT(what.at.count(), 0);
    return harness::name_of(what.node) + " " + names.at(static_cast<std::size_t>(what.where)) +
           " " + std::to_string(what.id.seq);
  }

  std::mutex mutex_;
  texts lines_;
};

class Tap : public testing::Test {
 protected:
  Tap() : links_(fault::make_link_group()) {
    const tcp::endpoint upstream(asio::ip::address_v4::loopback(), redis_.port());
    for (std::uint32_t node = 0; node < 2; ++node) {
      auto tap = harness::tap_of(node_id{node}, std::string(nonce), told_.outlet());
      nodes_.push_back(links_->add(upstream, node, std::move(tap)));
    }
  }

  void run(asio::awaitable<void> body) { run_coro(io_, std::move(body), std::chrono::seconds(40)); }

  asio::awaitable<std::unique_ptr<connection>> open(std::size_t node) {
    net::redis::connection_options options;
    options.port = nodes_[node]->port();
    auto opened = co_await net::redis::connect(std::move(options));
    EXPECT_FALSE(opened.ec) << opened.ec.message() << opened.detail;
    co_return std::move(opened.opened);
  }

  static asio::awaitable<void> exec(connection& over, request what) {
    const auto result = co_await over.exec(what, patience);
    EXPECT_FALSE(result.ec) << result.ec.message();
  }

  // Exactly these, in any order.
  asio::awaitable<void> expect_told(texts wanted) {
    const auto deadline = net::now() + patience;
    while (told_.count() < wanted.size() && net::now() < deadline) {
      co_await net::sleep_for(poll_interval);
    }
    std::sort(wanted.begin(), wanted.end());
    const texts told = told_.take();
    EXPECT_EQ(told, wanted);
  }

  asio::awaitable<void> publish_and_subscribe();
  asio::awaitable<void> add_and_read();
  asio::awaitable<void> add_without_memory();
  asio::awaitable<void> transact();
  asio::awaitable<void> publish_into_a_blackhole();
  asio::awaitable<void> publish_around_a_reset();
  asio::awaitable<void> speak_resp_three();

  redis_server redis_;
  told_events told_;
  asio::io_context io_{1};
  std::unique_ptr<fault::link_group> links_;
  std::vector<std::unique_ptr<fault::link>> nodes_;
};

asio::awaitable<void> Tap::publish_and_subscribe() {
  const auto sender = co_await open(0);
  const auto receiver = co_await open(1);
  request subscribe, publish;
  subscribe.add({"SUBSCRIBE", "room"});
  co_await exec(*receiver, subscribe);
  for (std::uint32_t seq = 1; seq <= 3; ++seq) publish.add({"PUBLISH", "room", payload(seq)});
  co_await exec(*sender, publish);
  texts wanted;
  for (const char* seq : {"1", "2", "3"}) {
    wanted.push_back(std::string("node-1 to_redis ") + seq);
    wanted.push_back(std::string("node-1 accepted_by_redis ") + seq);
    wanted.push_back(std::string("node-2 from_redis ") + seq);
  }
  co_await expect_told(std::move(wanted));
}

TEST_F(Tap, SeesAPublishedMessageOnItsWholeWay) {
  run(publish_and_subscribe());
}

asio::awaitable<void> Tap::add_and_read() {
  const auto sender = co_await open(0);
  const auto receiver = co_await open(1);
  request add, read;
  add.add({"XADD", "log", "*", "t", payload(1)}).add({"PING"});
  add.add({"XADD", "log", "*", "t", "{\"body\":\"" + payload(2) + "\"}"});
  co_await exec(*sender, add);
  read.add({"XREAD", "COUNT", "10", "STREAMS", "log", "0"}).add({"EXISTS", "log"});
  co_await exec(*sender, read);
  co_await exec(*receiver, read);
  co_await exec(*receiver, read);
  texts wanted;
  for (const char* seq : {"1", "2"}) {
    wanted.push_back(std::string("node-1 to_redis ") + seq);
    wanted.push_back(std::string("node-1 accepted_by_redis ") + seq);
    wanted.push_back(std::string("node-1 from_redis ") + seq);
    wanted.push_back(std::string("node-2 from_redis ") + seq);
  }
  co_await expect_told(std::move(wanted));
}

TEST_F(Tap, SeesAStreamBeingReadByEverybody) {
  run(add_and_read());
}

asio::awaitable<void> Tap::add_without_memory() {
  const auto sender = co_await open(0);
  request add, read;
  add.add({"XADD", "log", "*", "t", payload(1)});
  redis_.command({"CONFIG", "SET", "maxmemory", "1"});
  co_await exec(*sender, add);
  texts refused = {"node-1 to_redis 1", "node-1 refused_by_redis 1"};
  co_await expect_told(std::move(refused));

  redis_.command({"CONFIG", "SET", "maxmemory", "0"});
  co_await exec(*sender, add);
  read.add({"XRANGE", "log", "-", "+"});
  co_await exec(*sender, read);
  texts accepted = {"node-1 accepted_by_redis 1", "node-1 from_redis 1"};
  co_await expect_told(std::move(accepted));
}

TEST_F(Tap, SeesWhatRedisHasNoMemoryFor) {
  run(add_without_memory());
}

asio::awaitable<void> Tap::transact() {
  const auto sender = co_await open(0);
  request what;
  what.add({"SET", "text", "x"}).add({"MULTI"});
  what.add({"RPUSH", "list", payload(1)}).add({"RPUSH", "text", payload(2)}).add({"EXEC"});
  // Refused when it is queued, and with it all of the transaction.
  what.add({"MULTI"}).add({"RPUSH", "list", payload(3)});
  what.add({"RPUSH", payload(4)}).add({"EXEC"});
  what.add({"EVAL", "return {1, redis.pcall('RPUSH', 'text', ARGV[1])}", "0", payload(5)});
  what.add({"EVAL", "return redis.call('RPUSH', 'list', ARGV[1])", "0", payload(6)});
  what.add({"EVALSHA", "ffffffffffffffffffffffffffffffffffffffff", "0", payload(7), payload(8)});
  what.add({"SET", "text", payload(9), "NX"});
  co_await exec(*sender, what);
  texts wanted = {"node-1 accepted_by_redis 1", "node-1 refused_by_redis 2",
                  "node-1 refused_by_redis 3",  "node-1 refused_by_redis 4",
                  "node-1 refused_by_redis 5",  "node-1 accepted_by_redis 6",
                  "node-1 refused_by_redis 7",  "node-1 refused_by_redis 8"};
  for (int seq = 1; seq <= 9; ++seq) wanted.push_back("node-1 to_redis " + std::to_string(seq));
  co_await expect_told(std::move(wanted));
}

TEST_F(Tap, TellsAcceptedFromRefusedInTransactionsAndScripts) {
  run(transact());
}

asio::awaitable<void> Tap::publish_into_a_blackhole() {
  const auto sender = co_await open(0);
  fault::toxics cut;
  cut.is_blackhole = true;
  co_await nodes_[0]->apply(cut);
  request publish;
  publish.add({"PUBLISH", "room", payload(1)});
  net::task_group tasks(io_.get_executor());
  tasks.spawn("publish", exec(*sender, publish));
  const auto is_held = [](const fault::link_counters& now) { return now.bytes_swallowed > 0; };
  co_await wait_counters(*nodes_[0], "the request is held back", is_held);
  EXPECT_EQ(told_.take(), texts());
  co_await nodes_[0]->apply(fault::toxics());
  co_await tasks.join();
  texts wanted = {"node-1 to_redis 1", "node-1 accepted_by_redis 1"};
  co_await expect_told(std::move(wanted));
}

TEST_F(Tap, SeesWhatABlackholeHoldsWhenItPasses) {
  run(publish_into_a_blackhole());
}

asio::awaitable<void> Tap::publish_around_a_reset() {
  for (std::uint32_t seq = 1; seq <= 3; ++seq) {
    const auto sender = co_await open(0);
    request publish;
    publish.add({"PUBLISH", "room", payload(seq)});
    co_await exec(*sender, publish);
    co_await nodes_[0]->reset_connections();
  }
  texts wanted;
  for (const char* seq : {"1", "2", "3"}) {
    wanted.push_back(std::string("node-1 to_redis ") + seq);
    wanted.push_back(std::string("node-1 accepted_by_redis ") + seq);
  }
  co_await expect_told(std::move(wanted));
}

TEST_F(Tap, BeginsAnewWithEachConnection) {
  run(publish_around_a_reset());
}

asio::awaitable<void> Tap::speak_resp_three() {
  tcp::socket node(io_.get_executor());
  co_await connect(node, nodes_[1]->port());
  request what;
  what.add({"HELLO", "3"}).add({"SUBSCRIBE", "room"}).add({"PUBLISH", "room", payload(1)});
  what.add({"GETT", payload(2)}).add({"UNSUBSCRIBE"}).add({"PUBLISH", "room", payload(3)});
  co_await send(node, what.bytes());
  texts wanted = {"node-2 accepted_by_redis 1", "node-2 from_redis 1", "node-2 refused_by_redis 2",
                  "node-2 accepted_by_redis 3"};
  for (int seq = 1; seq <= 3; ++seq) wanted.push_back("node-2 to_redis " + std::to_string(seq));
  co_await expect_told(std::move(wanted));
  node.close();
}

TEST_F(Tap, ReadsRespThree) {
  run(speak_resp_three());
}

}  // namespace
}  // namespace ordeal::test
