// An outage under load ends in backpressure and refusals, not in growth. Method: a small outbox, a
// frozen Redis, clients that go on at 1,000 messages a second; the node's resident memory is read
// from /proc, and after the outage everything that was acknowledged has come once.
#include <algorithm>
#include <map>
#include <set>

#include "net/async/clock.h"
#include "net/async/task_group.h"
#include "tests/integration/chat/hub/hub_client.h"
#include "tests/integration/chat/operations/operations.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

constexpr std::size_t sender_count = 4;
constexpr std::size_t unanswered_max = 400;  // of a sender: a client of flesh and blood stops, too
constexpr milliseconds tick{4};              // a message of each sender

class OutageMemory : public Operations {
 protected:
  struct sender {
    explicit sender(asio::any_io_executor ex) : connection(ex) {}
    hub_client connection;
    std::size_t unanswered = 0;
  };

  OutageMemory() : Operations(with_password()) {}

  asio::awaitable<void> send_one(sender& from, std::string id);
  asio::awaitable<void> send_for(milliseconds duration);
  asio::awaitable<void> send_until_answered(sender& from, std::string id);
  asio::awaitable<void> outage(chat_process& node, milliseconds duration);

  std::set<std::string> acknowledged;
  std::map<std::string, std::size_t> answers;  // by their beginning
  std::vector<std::unique_ptr<sender>> senders;
  std::size_t sent = 0;
  std::unique_ptr<net::task_group> sends;
  std::unique_ptr<hub_client> reader;
};

asio::awaitable<void> OutageMemory::send_one(sender& from, std::string id) {
  ++from.unanswered;
  std::string text(512, 'x');
  const auto answer = co_await from.connection.send("a", id, std::move(text));
  --from.unanswered;
  ++answers[answer.substr(0, answer.find(':'))];
  heard(answer);
  if (answer.front() == '=') acknowledged.insert(std::move(id));
}

asio::awaitable<void> OutageMemory::send_for(milliseconds duration) {
  const auto started = net::now();
  for (int round = 1; net::now() < started + duration; ++round) {
    for (const auto& each : senders) {
      if (each->unanswered < unanswered_max)
        sends->spawn("send", send_one(*each, "m" + std::to_string(++sent)));
    }
    const auto left = started + round * tick - net::now();
    if (left > left.zero()) co_await net::sleep_for(left);
  }
}

asio::awaitable<void> OutageMemory::send_until_answered(sender& from, std::string id) {
  std::string answer;
  for (int tries = 0; tries < 200 && !answer.starts_with('='); ++tries) {
    if (tries > 0) co_await net::sleep_for(milliseconds(50));
    answer = co_await from.connection.send("a", id, "x");
  }
  EXPECT_EQ(answer.front(), '=') << answer;
  acknowledged.insert(std::move(id));
}

asio::awaitable<void> OutageMemory::outage(chat_process& node, milliseconds duration) {
  reader = std::make_unique<hub_client>(ex);
  sends = std::make_unique<net::task_group>(ex);
  const bool is_open = co_await reader->open(node.endpoint());
  EXPECT_TRUE(is_open);
  co_await reader->join("a", std::nullopt);
  for (std::size_t i = 0; i < sender_count; ++i) {
    senders.push_back(std::make_unique<sender>(ex));
    co_await senders.back()->connection.open(node.endpoint());
  }
  co_await send_for(seconds(2));  // what a working node takes for itself is not growth
  const std::size_t before = node.resident_bytes();
  redis.pause();
  co_await send_for(duration);
  const std::size_t after = node.resident_bytes();
  RecordProperty("resident_kib_before", static_cast<int>(before >> 10U));
  RecordProperty("resident_kib_after", static_cast<int>(after >> 10U));
  EXPECT_LT(after, before + (3U << 20U)) << before << " bytes before, " << after << " after";
  redis.resume();
  co_await sends->join();
  // Who comes now is served again.
  co_await send_until_answered(*senders.front(), "last");
  std::function<bool()> has_all = [this] {
    std::set<std::string> seen;
    for (const auto& each : reader->messages) seen.insert(each.id);
    return std::ranges::includes(seen, acknowledged);
  };
  const bool got_all = co_await becomes_true(has_all);
  EXPECT_TRUE(got_all) << "something acknowledged did not come";
  for (const auto& each : senders) co_await each->connection.close();
  co_await reader->close();
}

TEST_F(OutageMemory, IsBoundedByTheOutbox) {
  chat_process& node = start_node(0, {"--outbox-bytes-max", "256KiB", "--replay-entries", "2000"});
  ASSERT_TRUE(is_ready(node));
  run_coro(io, outage(node, seconds(10)), seconds(90));
  std::set<std::string> once;
  for (const auto& each : reader->messages) {
    EXPECT_TRUE(once.insert(each.id).second) << each.id << " came twice";
  }
  EXPECT_GE(answers["!retry"], 100U) << "refusals, so that senders know";
  EXPECT_EQ(answers["closed"], 0U) << "nobody is cut off for a slow Redis";
  EXPECT_GE(acknowledged.size(), 500U);
  EXPECT_TRUE(is_ready(node));
  EXPECT_LE(metric(node, "ordeal_chat_outbox_bytes"), 300 * 1'024);
  EXPECT_GE(metric(node, "ordeal_chat_call_failures_total{reason=\"retry_log\"}"), 1);
}

}  // namespace
}  // namespace ordeal::test
