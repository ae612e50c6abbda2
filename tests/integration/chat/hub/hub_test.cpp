// Nodes of the reference server on a real Redis, with real WebSocket clients, in one process.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "net/async/task_group.h"
#include "net/http.h"
#include "reference-server/hub/server.h"
#include "tests/integration/chat/hub/hub_client.h"
#include "tests/integration/chat/log/redis_gate.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using received = std::vector<hub_client::received>;

std::vector<std::string> texts_of(const received& messages) {
  std::vector<std::string> texts;
  for (const auto& message : messages) texts.push_back(message.text);
  return texts;
}

// Two nodes by default, stopped and joined at the end of each test.
class HubIntegration : public testing::Test {
 protected:
  explicit HubIntegration(redis_server_options options = {})
      : redis(std::move(options)), nodes_(ex) {}

  chat::server_config config() const {
    chat::server_config made;
    made.listen = asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0);
    made.log.redis = redis.connection();
    made.log.heartbeat_interval = milliseconds(200);
    made.log.block_time = milliseconds(200);
    made.log.boot_grace = milliseconds(200);
    made.log.recovery_grace = milliseconds(600);
    made.drain_timeout = seconds(3);
    return made;
  }

  // Ready when it returns.
  asio::awaitable<chat::server*> start(chat::server_config wanted) {
    wanted.log.node_name = "n" + std::to_string(servers_.size() + 1);
    servers_.push_back(std::make_unique<chat::server>(ex, wanted));
    chat::server* const node = servers_.back().get();
    nodes_.spawn("node", node->run());
    std::function<bool()> is_ready = [node] { return node->log().health().is_ready; };
    const bool was_ready = co_await becomes_true(is_ready);
    EXPECT_TRUE(was_ready) << node->log().health().reason;
    co_return node;
  }

  asio::awaitable<void> stop_all() {
    for (const auto& node : servers_) node->stop();
    co_await nodes_.join();
    servers_.clear();
  }

  asio::awaitable<bool> gets(hub_client& reader, std::size_t count) {
    std::function<bool()> has_all = [&reader, count] { return reader.messages.size() >= count; };
    co_return co_await becomes_true(has_all);
  }

  // Sends texts "<name>-1" to "<name>-<count>", each once its predecessor is in the log.
  asio::awaitable<void> publish(hub_client& sender, std::string name, int count) {
    for (int i = 1; i <= count; ++i) {
      const std::string text = name + "-" + std::to_string(i);
      const auto answer = co_await sender.send("a", text, text);
      EXPECT_EQ(answer.front(), '=') << answer;
    }
  }

  asio::awaitable<net::http_response> ask(const chat::server& node, std::string method,
                                          std::string target) {
    const milliseconds limit(5'000);
    auto result = co_await net::http_request_once(node.local_endpoint(), std::move(method),
                                                  std::move(target), "", limit);
    EXPECT_FALSE(result.ec) << result.ec.message();
    co_return std::move(result.response);
  }

  asio::io_context io{1};
  asio::any_io_executor ex = io.get_executor();
  redis_server redis;

 private:
  net::task_group nodes_;
  std::vector<std::unique_ptr<chat::server>> servers_;

  // The tests' bodies.
 protected:
  asio::awaitable<void> see_each_other();
  asio::awaitable<void> resume_under_traffic();
  asio::awaitable<void> reset_unknown_cursor();
  asio::awaitable<void> cut_slow_client();
  asio::awaitable<void> catch_up();
  asio::awaitable<void> refuse_in_words();
  asio::awaitable<void> equal_ids();
  asio::awaitable<void> repeat_elsewhere();
  asio::awaitable<void> other_text();
  asio::awaitable<void> negotiate();
  asio::awaitable<void> time_out();
  asio::awaitable<void> drain();
};

asio::awaitable<void> HubIntegration::see_each_other() {
  chat::server* const first = co_await start(config());
  chat::server* const second = co_await start(config());
  hub_client one(ex);
  hub_client two(ex);
  co_await one.open(first->local_endpoint());
  co_await two.open(second->local_endpoint());
  co_await one.join("a", std::nullopt);
  co_await two.join("a", std::nullopt);
  net::task_group senders(ex);
  senders.spawn("one", publish(one, "one", 50));
  senders.spawn("two", publish(two, "two", 50));
  co_await senders.join();
  const bool has_first = co_await gets(one, 100);
  const bool has_second = co_await gets(two, 100);
  EXPECT_TRUE(has_first && has_second);
  EXPECT_EQ(texts_of(one.messages), texts_of(two.messages))
      << "one order for all clients of all nodes";
  EXPECT_EQ(one.messages.size(), 100U);
  co_await one.close();
  co_await two.close();
  co_await stop_all();
}

TEST_F(HubIntegration, TwoNodesSeeEachOthersMessagesInOneOrder) {
  run_coro(io, see_each_other(), seconds(40));
}

// Method: while one client publishes, another one is cut off again and again and resumes on the
// other node with the cursor of the last message that it got.
asio::awaitable<void> HubIntegration::resume_under_traffic() {
  std::vector<chat::server*> nodes;
  nodes.push_back(co_await start(config()));
  nodes.push_back(co_await start(config()));
  hub_client sender(ex);
  hub_client reader(ex);
  co_await sender.open(nodes[0]->local_endpoint());
  co_await reader.open(nodes[0]->local_endpoint());
  const auto joined = co_await reader.join("a", std::nullopt);
  std::string cursor = joined.substr(1);
  net::task_group senders(ex);
  constexpr std::size_t count = 1'000;
  senders.spawn("sender", publish(sender, "t", count));
  int cuts = 0;
  while (senders.size() > 0) {
    const std::size_t seen = reader.messages.size();
    std::function<bool()> goes_on = [&] {
      return reader.messages.size() >= seen + 20 || senders.size() == 0;
    };
    co_await becomes_true(goes_on);
    co_await reader.close();
    if (!reader.messages.empty()) cursor = reader.messages.back().cursor;
    ++cuts;
    co_await reader.open(nodes[static_cast<std::size_t>(cuts) % 2]->local_endpoint());
    const auto resumed = co_await reader.join("a", cursor);
    EXPECT_EQ(resumed, "=" + cursor) << "a resumed Join answers with the client's own cursor";
  }
  co_await senders.join();
  const bool has_all = co_await gets(reader, count);
  EXPECT_TRUE(has_all);
  std::vector<std::string> expected;
  for (std::size_t i = 1; i <= count; ++i) expected.push_back("t-" + std::to_string(i));
  EXPECT_EQ(texts_of(reader.messages), expected);
  EXPECT_GE(cuts, 5);
  EXPECT_EQ(reader.resets, std::vector<std::string>{});
  co_await sender.close();
  co_await reader.close();
  co_await stop_all();
}

TEST_F(HubIntegration, ResumesWithoutGapOrDuplicateWhileMessagesFlow) {
  run_coro(io, resume_under_traffic(), seconds(50));
}

asio::awaitable<void> HubIntegration::reset_unknown_cursor() {
  chat::server* const node = co_await start(config());
  hub_client reader(ex);
  co_await reader.open(node->local_endpoint());
  const auto answer = co_await reader.join("a", "0123456789abcdef:1-5");
  EXPECT_EQ(answer.front(), '=') << answer;
  EXPECT_EQ(reader.resets, std::vector<std::string>{"a: the cursor belongs to another log"});
  std::string ahead = answer.substr(1);
  ahead.resize(ahead.find('-') + 1);
  const auto future = co_await reader.join("a", ahead + "999999");
  EXPECT_EQ(future.front(), '=') << future;
  EXPECT_EQ(reader.resets.back(), "a: the cursor is ahead of the log");
  co_await publish(reader, "t", 1);
  const bool is_live = co_await gets(reader, 1);
  EXPECT_TRUE(is_live);
  co_await reader.close();
  co_await stop_all();
}

TEST_F(HubIntegration, ResetsACursorItCannotHonour) {
  run_coro(io, reset_unknown_cursor(), seconds(40));
}

// Method: a client that does not read is sent more than kernel buffers and its queue hold; then it
// reads on.
asio::awaitable<void> HubIntegration::cut_slow_client() {
  chat::server_config small = config();
  small.limits.out_queue_bytes_max = 1U << 20;
  small.limits.closing_timeout = seconds(20);
  chat::server* const node = co_await start(small);
  hub_client slow(ex);
  hub_client quick(ex);
  co_await slow.open(node->local_endpoint());
  co_await quick.open(node->local_endpoint());
  co_await slow.join("a", std::nullopt);
  co_await quick.join("a", std::nullopt);
  slow.pause_reading(true);
  const std::string text(60'000, 'x');
  std::size_t sent = 0;
  while (node->hub().counters().ends[chat::end_cause::slow] == 0 && sent < 1'000 && !slow.goodbye) {
    ++sent;
    const auto answer = co_await quick.send("a", "m" + std::to_string(sent), text);
    EXPECT_EQ(answer.front(), '=') << answer;
    if (sent == 400) slow.pause_reading(false);
  }
  std::function<bool()> is_over = [&slow] { return !slow.is_open(); };
  slow.pause_reading(false);
  const bool was_cut = co_await becomes_true(is_over);
  EXPECT_TRUE(was_cut);
  EXPECT_EQ(slow.goodbye.value_or("none"), "too slow: resume with your cursor");
  EXPECT_TRUE(slow.may_reconnect);
  for (std::size_t i = 0; i < slow.messages.size(); ++i) {
    EXPECT_EQ(slow.messages[i].id, "m" + std::to_string(i + 1))
        << "nothing is skipped before the end";
  }
  const bool has_all = co_await gets(quick, sent);
  EXPECT_TRUE(has_all) << "the other client must not notice";

  const std::string cursor = slow.messages.back().cursor;
  co_await slow.close();
  co_await slow.open(node->local_endpoint());
  co_await slow.join("a", cursor);
  const bool caught_up = co_await gets(slow, sent);
  EXPECT_TRUE(caught_up) << slow.messages.size() << " of " << sent;
  EXPECT_EQ(slow.messages.size(), sent);
  co_await slow.close();
  co_await quick.close();
  co_await stop_all();
}

TEST_F(HubIntegration, CutsOffASlowClientThatThenResumes) {
  run_coro(io, cut_slow_client(), seconds(50));
}

// Method: a node is away while more is said than its clients' queues hold; one client reads, another does not.
asio::awaitable<void> HubIntegration::catch_up() {
  redis_gate gate(io, redis.port());
  chat::server_config late = config();
  late.log.redis.port = gate.port();
  late.limits.out_queue_bytes_max = 1U << 20;
  late.limits.drain_pause_max = seconds(2);
  chat::server* const near = co_await start(config());
  chat::server* const away = co_await start(late);
  hub_client sender(ex), reader(ex), stuck(ex);
  co_await sender.open(near->local_endpoint());
  co_await reader.open(away->local_endpoint());
  co_await stuck.open(away->local_endpoint());
  co_await reader.join("a", std::nullopt);
  co_await stuck.join("a", std::nullopt);
  stuck.pause_reading(true);
  gate.shut();
  const std::size_t count = 500;
  const std::string text(60'000, '"');  // twice as long on the wire
  for (std::size_t i = 1; i <= count; ++i) {
    const auto answer = co_await sender.send("a", "m" + std::to_string(i), text);
    EXPECT_EQ(answer.front(), '=') << answer;
  }
  gate.open();
  const bool has_all = co_await gets(reader, count);
  EXPECT_TRUE(has_all) << reader.messages.size()
                       << ", goodbye: " << reader.goodbye.value_or("none");
  EXPECT_FALSE(reader.goodbye);
  EXPECT_EQ(reader.resets, std::vector<std::string>{});
  for (std::size_t i = 0; i < reader.messages.size(); ++i)
    EXPECT_EQ(reader.messages[i].id, "m" + std::to_string(i + 1));
  EXPECT_GT(away->hub().counters().catch_up_wait.count(), 0);
  EXPECT_LT(away->hub().counters().catch_up_wait, seconds(9)) << "it waited for one that reads not";
  stuck.pause_reading(false);
  std::function<bool()> is_over = [&stuck] { return !stuck.is_open(); };
  const bool was_cut = co_await becomes_true(is_over);
  EXPECT_TRUE(was_cut);
  EXPECT_EQ(away->hub().counters().ends[chat::end_cause::slow], 1U);
  co_await sender.close();
  co_await reader.close();
  co_await stuck.close();
  co_await stop_all();
  gate.close();
}

TEST_F(HubIntegration, CatchesUpAsFastAsItsClientsRead) {
  run_coro(io, catch_up(), seconds(50));
}

asio::awaitable<void> HubIntegration::refuse_in_words() {
  chat::server* const node = co_await start(config());
  hub_client sender(ex);
  co_await sender.open(node->local_endpoint());
  boost::json::array nothing;
  const auto unknown = co_await sender.invoke("Shout", nothing);
  EXPECT_EQ(unknown.rfind("!refused: unknown method", 0), 0U) << unknown;
  const std::string too_long(70'000, 'x');
  const auto refused = co_await sender.send("a", "m1", too_long);
  EXPECT_EQ(refused, "!refused: text has 70000 bytes, at most 65536 are allowed");
  const auto first = co_await sender.send("a", "m2", "once");
  const auto again = co_await sender.send("a", "m2", "once");
  EXPECT_EQ(first, again) << "the same clientMessageId is the same message";
  co_await sender.close();
  co_await stop_all();
}

TEST_F(HubIntegration, RefusesInWordsAndTakesARepeatedMessageOnce) {
  run_coro(io, refuse_in_words(), seconds(40));
}

// Two users who count their messages from 1, and say the same; with keys and without.
asio::awaitable<void> HubIntegration::equal_ids() {
  std::vector<chat::server*> nodes;
  nodes.push_back(co_await start(config()));
  nodes.push_back(co_await start(config()));
  hub_client reader(ex);
  co_await reader.open(nodes[0]->local_endpoint());
  co_await reader.join("a", std::nullopt);
  const std::vector<std::string> senders{"?sender=ada-0123456789abcdef",
                                         "?sender=bob-0123456789abcdef", "", ""};
  std::vector<std::string> answers;
  for (std::size_t i = 0; i < senders.size(); ++i) {
    hub_client sender(ex);
    co_await sender.open(nodes[i % 2]->local_endpoint(), senders[i]);
    const auto answer = co_await sender.send("a", "1", "hello");
    EXPECT_EQ(answer.front(), '=') << answer;
    answers.push_back(answer);
    co_await sender.close();
  }
  const bool has_all = co_await gets(reader, senders.size());
  EXPECT_TRUE(has_all) << reader.messages.size() << " of " << senders.size();
  std::sort(answers.begin(), answers.end());
  EXPECT_EQ(std::unique(answers.begin(), answers.end()), answers.end())
      << "each was acknowledged with a place of its own";
  for (const auto& message : reader.messages) {
    EXPECT_EQ(message.id, "1") << "as its sender calls it";
    EXPECT_EQ(message.text, "hello");
  }
  co_await reader.close();
  co_await stop_all();
}

TEST_F(HubIntegration, EqualIdsOfTwoSendersAreTwoMessages) {
  run_coro(io, equal_ids(), seconds(40));
}

// A Send whose answer was lost with the connection comes again over another one, on the other node.
asio::awaitable<void> HubIntegration::repeat_elsewhere() {
  std::vector<chat::server*> nodes;
  nodes.push_back(co_await start(config()));
  nodes.push_back(co_await start(config()));
  const std::string sender = "?sender=ada-0123456789abcdef";
  hub_client reader(ex);
  co_await reader.open(nodes[1]->local_endpoint());
  co_await reader.join("a", std::nullopt);
  std::vector<std::string> answers;
  for (chat::server* const node : nodes) {
    hub_client client(ex);
    co_await client.open(node->local_endpoint(), sender);
    const auto answer = co_await client.send("a", "1", "hello");
    answers.push_back(answer);
    co_await client.close();
  }
  EXPECT_EQ(answers[0].front(), '=') << answers[0];
  EXPECT_EQ(answers[0], answers[1]) << "the place where it is";
  hub_client last(ex);
  co_await last.open(nodes[0]->local_endpoint(), sender);
  co_await last.send("a", "2", "bye");
  const bool has_both = co_await gets(reader, 2);
  EXPECT_TRUE(has_both);
  EXPECT_EQ(texts_of(reader.messages), (std::vector<std::string>{"hello", "bye"}));
  co_await last.close();
  co_await reader.close();
  co_await stop_all();
}

TEST_F(HubIntegration, ARepetitionOnAnotherNodeIsKnownByTheSendersKey) {
  run_coro(io, repeat_elsewhere(), seconds(40));
}

asio::awaitable<void> HubIntegration::other_text() {
  std::vector<chat::server*> nodes;
  nodes.push_back(co_await start(config()));
  nodes.push_back(co_await start(config()));
  const std::string sender = "?sender=ada-0123456789abcdef";
  hub_client one(ex);
  hub_client two(ex);
  co_await one.open(nodes[0]->local_endpoint(), sender);
  co_await two.open(nodes[1]->local_endpoint(), sender);
  const auto first = co_await one.send("a", "1", "hello");
  EXPECT_EQ(first.front(), '=') << first;
  for (hub_client* const client : {&one, &two}) {
    const auto other = co_await client->send("a", "1", "bye");
    EXPECT_EQ(other, "!refused: this message id belongs to another message of this sender");
    const auto elsewhere = co_await client->send("b", "1", "hello");
    EXPECT_EQ(elsewhere, "!refused: this message id belongs to another message of this sender");
    const auto again = co_await client->send("a", "1", "hello");
    EXPECT_EQ(again, first);
  }
  hub_client careless(ex);
  const bool is_open = co_await careless.open(nodes[0]->local_endpoint(), "?sender=ada");
  EXPECT_FALSE(is_open);
  const auto answer = co_await ask(*nodes[0], "POST", "/chat/negotiate?sender=ada");
  EXPECT_EQ(answer.status, 400U);
  EXPECT_NE(answer.body.find("the sender key has 3 characters, 16 to 128 are allowed"),
            std::string::npos)
      << answer.body;
  co_await one.close();
  co_await two.close();
  co_await stop_all();
}

TEST_F(HubIntegration, AnotherTextUnderAnIdOfTheSameSenderIsRefused) {
  run_coro(io, other_text(), seconds(40));
}

asio::awaitable<void> HubIntegration::negotiate() {
  chat::server* const node = co_await start(config());
  const auto answer = co_await ask(*node, "POST", "/chat/negotiate?negotiateVersion=1");
  EXPECT_EQ(answer.status, 200U);
  const auto fields = boost::json::parse(answer.body).as_object();
  const std::string query = "?id=" + std::string(fields.at("connectionToken").as_string());
  hub_client holder(ex);
  hub_client second(ex);
  hub_client stranger(ex);
  const bool is_open = co_await holder.open(node->local_endpoint(), query);
  const bool is_second_open = co_await second.open(node->local_endpoint(), query);
  const bool is_stranger_open = co_await stranger.open(node->local_endpoint(), "?id=guessed");
  EXPECT_TRUE(is_open);
  EXPECT_FALSE(is_second_open);
  EXPECT_FALSE(is_stranger_open);
  const auto metrics = co_await ask(*node, "GET", "/metrics");
  EXPECT_NE(metrics.body.find("ordeal_chat_connections 1\n"), std::string::npos);
  co_await holder.close();
  co_await stop_all();
}

TEST_F(HubIntegration, NegotiatesOneConnectionForEachToken) {
  run_coro(io, negotiate(), seconds(40));
}

asio::awaitable<void> HubIntegration::time_out() {
  chat::server_config impatient = config();
  impatient.limits.handshake_timeout = milliseconds(200);
  impatient.limits.ping_interval = milliseconds(100);
  impatient.limits.client_timeout = milliseconds(500);
  chat::server* const node = co_await start(impatient);
  hub_client mute(ex);
  hub_client silent(ex);
  co_await mute.open_without_handshake(node->local_endpoint());
  co_await silent.open(node->local_endpoint());
  std::function<bool()> are_over = [&] { return !mute.is_open() && !silent.is_open(); };
  const bool were_closed = co_await becomes_true(are_over);
  EXPECT_TRUE(were_closed);
  EXPECT_EQ(mute.goodbye.value_or("none"), "no handshake in time");
  EXPECT_EQ(silent.goodbye.value_or("none"), "silent for too long");
  EXPECT_TRUE(silent.may_reconnect);
  EXPECT_GE(silent.ping_count, 1U);
  co_await mute.close();
  co_await silent.close();
  co_await stop_all();
}

TEST_F(HubIntegration, ClosesClientsThatSayNothing) {
  run_coro(io, time_out(), seconds(40));
}

asio::awaitable<void> HubIntegration::drain() {
  chat::server* const node = co_await start(config());
  hub_client client(ex);
  co_await client.open(node->local_endpoint());
  co_await client.join("a", std::nullopt);
  co_await publish(client, "t", 3);
  co_await stop_all();
  std::function<bool()> is_over = [&client] { return !client.is_open(); };
  const bool was_closed = co_await becomes_true(is_over);
  EXPECT_TRUE(was_closed);
  EXPECT_EQ(client.goodbye.value_or("none"), "the server is shutting down");
  EXPECT_TRUE(client.may_reconnect);
  EXPECT_EQ(client.messages.size(), 3U);
  co_await client.close();
}

TEST_F(HubIntegration, DrainsWithAGoodbye) {
  run_coro(io, drain(), seconds(40));
}

// Redis that keeps everything it has acknowledged, so that the log survives its restart.
class HubOutage : public HubIntegration {
 protected:
  HubOutage() : HubIntegration(durable()) {}
  static redis_server_options durable() {
    redis_server_options options;
    options.keep = persistence::aof_always;
    return options;
  }
  asio::awaitable<unsigned> status(const chat::server& node, std::string target) {
    const auto answer = co_await ask(node, "GET", std::move(target));
    co_return answer.status;
  }
  asio::awaitable<void> survive_outage();
};

asio::awaitable<void> HubOutage::survive_outage() {
  chat::server* const node = co_await start(config());
  hub_client client(ex);
  co_await client.open(node->local_endpoint());
  co_await client.join("a", std::nullopt);
  co_await publish(client, "before", 3);
  const unsigned ready_before = co_await status(*node, "/readyz");
  EXPECT_EQ(ready_before, 200U);

  redis.kill();
  std::function<bool()> is_unready = [node] { return !node->log().health().is_ready; };
  const bool noticed = co_await becomes_true(is_unready);
  EXPECT_TRUE(noticed);
  const auto unready = co_await ask(*node, "GET", "/readyz");
  EXPECT_EQ(unready.status, 503U);
  EXPECT_GT(unready.body.size(), 5U) << "a reason";
  const unsigned health_during = co_await status(*node, "/healthz");
  EXPECT_EQ(health_during, 200U);

  net::task_group senders(ex);
  senders.spawn("sender", publish(client, "during", 3));
  redis.start();
  co_await senders.join();
  const bool has_all = co_await gets(client, 6);
  EXPECT_TRUE(has_all);
  const std::vector<std::string> expected{"before-1", "before-2", "before-3",
                                          "during-1", "during-2", "during-3"};
  EXPECT_EQ(texts_of(client.messages), expected);
  std::function<bool()> is_ready = [node] { return node->log().health().is_ready; };
  const bool recovered = co_await becomes_true(is_ready);
  EXPECT_TRUE(recovered) << node->log().health().reason;
  const unsigned ready_after = co_await status(*node, "/readyz");
  EXPECT_EQ(ready_after, 200U);
  co_await client.close();
  co_await stop_all();
}

TEST_F(HubOutage, IsNotReadyWithoutRedisAndLosesNothing) {
  run_coro(io, survive_outage(), seconds(50));
}

}  // namespace
}  // namespace ordeal::test
