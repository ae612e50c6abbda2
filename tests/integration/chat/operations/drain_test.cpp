// SIGTERM while Redis is down: the node ends in time and says what it could not keep.
#include <csignal>

#include "net/async/task_group.h"
#include "tests/integration/chat/hub/hub_client.h"
#include "tests/integration/chat/operations/operations.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

class Drain : public Operations {
 protected:
  Drain() : Operations(with_password()) {}

  asio::awaitable<void> send_one(hub_client& client, std::string id) {
    const auto answer = co_await client.send("a", id, "text");
    heard(answer);
    answers.push_back(answer);
  }
  asio::awaitable<bool> exposes(chat_process& node, std::string sample);
  asio::awaitable<void> end_without_redis(chat_process& node);
  asio::awaitable<void> end_with_redis(chat_process& node);

  std::vector<std::string> answers;
};

asio::awaitable<bool> Drain::exposes(chat_process& node, std::string sample) {
  const milliseconds limit(1'000);
  for (int tries = 0; tries < 100; ++tries) {
    const auto got = co_await net::http_request_once(node.endpoint(), "GET", "/metrics", "", limit);
    if (!got.ec && got.response.body.find(sample) != std::string::npos) co_return true;
    co_await net::sleep_for(milliseconds(20));
  }
  co_return false;
}

asio::awaitable<void> Drain::end_without_redis(chat_process& node) {
  hub_client client(ex);
  const bool is_open = co_await client.open(node.endpoint());
  EXPECT_TRUE(is_open);
  co_await client.join("a", std::nullopt);
  redis.kill();
  net::task_group senders(ex);
  for (int i = 0; i < 5; ++i) senders.spawn("sender", send_one(client, "m" + std::to_string(i)));
  const bool has_five = co_await exposes(node, "ordeal_chat_outbox_undecided_entries 5\n");
  EXPECT_TRUE(has_five) << node.log();
  const auto started = std::chrono::steady_clock::now();
  node.program().signal(SIGTERM);
  std::function<bool()> is_over = [&node] {
    return node.program().wait(milliseconds(0)).has_value();
  };
  const bool has_ended = co_await becomes_true(is_over);
  EXPECT_TRUE(has_ended) << node.log();
  EXPECT_LT(std::chrono::steady_clock::now() - started, seconds(5)) << "--drain-timeout is 3 s";
  co_await senders.join();
  co_await client.close();
}

TEST_F(Drain, EndsInTimeWithoutRedisAndCountsWhatWasNotFlushed) {
  chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  run_coro(io, end_without_redis(node), seconds(40));
  EXPECT_EQ(node.program().wait(seconds(1)), 0) << node.log();
  EXPECT_NE(node.log().find("messages=5"), std::string::npos) << node.log();
  ASSERT_EQ(answers.size(), 5U);
  for (const std::string& answer : answers)
    EXPECT_NE(answer.front(), '=') << "nothing was promised";
}

asio::awaitable<void> Drain::end_with_redis(chat_process& node) {
  hub_client client(ex);
  const bool is_open = co_await client.open(node.endpoint());
  EXPECT_TRUE(is_open);
  co_await client.join("a", std::nullopt);
  net::task_group senders(ex);
  for (int i = 0; i < 50; ++i) senders.spawn("sender", send_one(client, "m" + std::to_string(i)));
  std::function<bool()> is_flowing = [this] { return answers.size() >= 10; };
  const bool was_flowing = co_await becomes_true(is_flowing);
  EXPECT_TRUE(was_flowing);
  node.program().signal(SIGTERM);
  co_await senders.join();
  std::function<bool()> is_over = [&client] { return !client.is_open(); };
  const bool was_closed = co_await becomes_true(is_over);
  EXPECT_TRUE(was_closed);
  EXPECT_TRUE(client.may_reconnect) << "somewhere else";
  co_await client.close();
}

TEST_F(Drain, FlushesAnswersAndSendsClientsElsewhere) {
  chat_process& node = start_node();
  ASSERT_TRUE(is_ready(node));
  run_coro(io, end_with_redis(node), seconds(40));
  EXPECT_EQ(node.program().wait(seconds(10)), 0) << node.log();
  EXPECT_EQ(node.log().find("not known to be in the log"), std::string::npos) << node.log();
  ASSERT_EQ(answers.size(), 50U);
  std::size_t acknowledged = 0;
  for (const std::string& answer : answers) acknowledged += answer.front() == '=' ? 1U : 0U;
  const auto length = redis.command({"HGET", "{chat}:meta", "top"});
  EXPECT_GE(static_cast<std::size_t>(length.view().integer()), acknowledged);
  EXPECT_GE(acknowledged, 10U);
}

}  // namespace
}  // namespace ordeal::test
