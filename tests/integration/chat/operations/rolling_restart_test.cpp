// A rolling restart loses nothing. Method: three nodes as processes, clients with cursors that send
// all the time; each node in turn gets SIGTERM and starts again on its port, twice. At the end
// every client has every acknowledged message once, and all clients have the same sequence.
#include <algorithm>
#include <csignal>
#include <set>

#include "net/async/clock.h"
#include "net/async/task_group.h"
#include "tests/integration/chat/hub/hub_client.h"
#include "tests/integration/chat/operations/operations.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

constexpr std::size_t node_count = 3;
constexpr std::size_t client_count = 6;
constexpr std::size_t messages_between = 200;  // two restarts
constexpr milliseconds pause_between_sends{3};

// A client that comes back, wherever, with its cursor, and sends again under the same id until it
// is answered.
struct wanderer {
  wanderer(asio::any_io_executor ex, std::size_t its_number)
      : connection(ex), number(its_number), home(its_number) {}
  hub_client connection;
  std::size_t number;
  std::size_t home;  // index of the node to try next, modulo the nodes
  std::optional<std::string> cursor;
  std::uint64_t next = 0;
  std::vector<std::string> acknowledged;
  int visits = 0;
  int invitations = 0;  // to come back elsewhere
};

class RollingRestart : public Operations {
 protected:
  RollingRestart() : Operations(with_password()) {
    for (std::size_t i = 0; i < node_count; ++i) ports.push_back(free_port());
    for (std::size_t i = 0; i < client_count; ++i)
      clients.push_back(std::make_unique<wanderer>(ex, i));
    nodes.resize(node_count);
  }

  void launch(std::size_t index) {
    auto wanted = node_options();
    wanted.name = "node-" + std::to_string(index + 1);
    wanted.port = ports[index];
    nodes[index] = &start_node(std::move(wanted));
  }

  asio::awaitable<void> wander(wanderer& client);
  asio::awaitable<void> visit(wanderer& client);
  asio::awaitable<bool> answers_ready(std::size_t index);
  asio::awaitable<void> restart(std::size_t index);
  asio::awaitable<void> roll();
  asio::awaitable<void> let_them_talk();
  std::size_t acknowledged() const;
  void expect_complete();
  bool has_everything() const;

  std::vector<std::uint16_t> ports;
  std::vector<chat_process*> nodes;
  std::vector<std::unique_ptr<wanderer>> clients;
  std::size_t joined = 0;
  bool is_over = false;      // no more sends
  bool is_complete = false;  // connections may go
};

asio::awaitable<void> RollingRestart::wander(wanderer& client) {
  while (!is_complete) {
    const auto port = ports[client.home++ % node_count];
    const asio::ip::tcp::endpoint node(asio::ip::address_v4::loopback(), port);
    const std::string sender = "?sender=wanderer-number-" + std::to_string(client.number);
    const bool is_open = co_await client.connection.open(node, sender);
    if (is_open) co_await visit(client);
    co_await client.connection.close();
    co_await net::sleep_for(pause_between_sends);
  }
}

asio::awaitable<void> RollingRestart::visit(wanderer& client) {
  hub_client& connection = client.connection;
  if (!connection.messages.empty()) client.cursor = connection.messages.back().cursor;
  const auto answer = co_await connection.join("a", client.cursor);
  if (answer.front() != '=') co_return;
  if (!client.cursor) {
    client.cursor = answer.substr(1);
    ++joined;
  }
  ++client.visits;
  connection.may_reconnect = false;
  while (connection.is_open() && !is_complete) {
    co_await net::sleep_for(pause_between_sends);
    if (is_over || joined < client_count) continue;
    const std::string id =
        "client-" + std::to_string(client.number) + "." + std::to_string(client.next);
    const auto said = co_await connection.send("a", id, id);
    if (said.front() != '=') continue;
    client.acknowledged.push_back(id);
    ++client.next;
  }
  client.invitations += connection.may_reconnect ? 1 : 0;
}

asio::awaitable<bool> RollingRestart::answers_ready(std::size_t index) {
  const auto deadline = net::now() + seconds(15);
  const milliseconds limit(1'000);
  while (net::now() < deadline) {
    const auto got =
        co_await net::http_request_once(nodes[index]->endpoint(), "GET", "/readyz", "", limit);
    if (!got.ec && got.response.status == 200) co_return true;
    co_await net::sleep_for(milliseconds(20));
  }
  co_return false;
}

asio::awaitable<void> RollingRestart::restart(std::size_t index) {
  chat_process& old = *nodes[index];
  old.program().signal(SIGTERM);
  std::function<bool()> has_ended = [&old] {
    return old.program().wait(milliseconds(0)).has_value();
  };
  const bool is_gone = co_await becomes_true(has_ended);
  EXPECT_TRUE(is_gone) << old.log();
  EXPECT_EQ(old.program().wait(milliseconds(0)), 0) << old.log();
  EXPECT_EQ(old.log().find("not known to be in the log"), std::string::npos) << old.log();
  launch(index);
  const bool is_back = co_await answers_ready(index);
  EXPECT_TRUE(is_back) << nodes[index]->log();
}

bool RollingRestart::has_everything() const {
  std::set<std::string> wanted;
  for (const auto& each : clients)
    wanted.insert(each->acknowledged.begin(), each->acknowledged.end());
  const std::size_t seen = clients.front()->connection.messages.size();
  return std::ranges::all_of(clients, [&](const auto& each) {
    const auto& got = each->connection.messages;
    return got.size() >= wanted.size() && got.size() == seen;
  });
}

std::size_t RollingRestart::acknowledged() const {
  std::size_t count = 0;
  for (const auto& each : clients) count += each->acknowledged.size();
  return count;
}

asio::awaitable<void> RollingRestart::let_them_talk() {
  const std::size_t enough = acknowledged() + messages_between;
  std::function<bool()> is_enough = [this, enough] { return acknowledged() >= enough; };
  const bool have_talked = co_await becomes_true(is_enough);
  EXPECT_TRUE(have_talked) << acknowledged() << " of " << enough << " messages";
}

asio::awaitable<void> RollingRestart::roll() {
  net::task_group wandering(ex);
  for (const auto& each : clients) wandering.spawn("client", wander(*each));
  std::function<bool()> all_are_in = [this] { return joined == client_count; };
  const bool are_in = co_await becomes_true(all_are_in);
  EXPECT_TRUE(are_in);
  for (std::size_t i = 0; i < 2 * node_count; ++i) {
    co_await let_them_talk();
    co_await restart(i % node_count);
  }
  co_await let_them_talk();
  is_over = true;
  std::function<bool()> has_all = [this] { return has_everything(); };
  co_await becomes_true(has_all, seconds(10));  // what is missing is told below
  is_complete = true;
  co_await wandering.join();
}

void RollingRestart::expect_complete() {
  const auto ids_of = [](const wanderer& client) {
    std::vector<std::string> ids;
    for (const auto& each : client.connection.messages) ids.push_back(each.id);
    return ids;
  };
  const auto first = ids_of(*clients.front());
  std::set<std::string> unique(first.begin(), first.end());
  EXPECT_EQ(unique.size(), first.size()) << "a message came twice";
  for (const auto& each : clients) {
    EXPECT_EQ(ids_of(*each), first) << "one order, and the same messages, for all";
    EXPECT_EQ(each->connection.resets, std::vector<std::string>{});
    EXPECT_GE(each->visits, 2) << "this client was never sent away";
    EXPECT_GE(each->invitations, 1) << "nobody told it to come back";
    for (const std::string& id : each->acknowledged) {
      EXPECT_TRUE(unique.contains(id)) << id << " was acknowledged and never came";
    }
  }
  RecordProperty("acknowledged", static_cast<int>(acknowledged()));
}

TEST_F(RollingRestart, LosesAndRepeatsNothing) {
  for (std::size_t i = 0; i < node_count; ++i) launch(i);
  for (const chat_process* node : nodes) ASSERT_TRUE(is_ready(*node));
  run_coro(io, roll(), seconds(100));
  expect_complete();
}

}  // namespace
}  // namespace ordeal::test
