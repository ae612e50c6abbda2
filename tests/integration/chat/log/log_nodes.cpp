#include "tests/integration/chat/log/log_nodes.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "net/async/clock.h"
#include "net/async/condition.h"

namespace ordeal::test {

using namespace std::chrono_literals;

namespace {

void rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> run_node(log_node& node) {
  co_await node.log->run(node);
  node.has_ended = true;
}

asio::awaitable<void> append_into(chat::chat_log& log, std::string room, std::string id,
                                  std::string text,
                                  std::shared_ptr<std::optional<chat::append_outcome>> result) {
  auto outcome = co_await log.append(std::move(room), std::move(id), std::move(text));
  *result = std::move(outcome);
}

asio::awaitable<void> append_until_in(std::vector<log_node*> nodes, std::string id,
                                      std::string text,
                                      std::shared_ptr<std::optional<chat::append_outcome>> result) {
  for (std::size_t i = 0;; ++i) {
    auto outcome = co_await nodes[i % nodes.size()]->log->append("room", id, text);
    if (outcome.status != chat::append_status::retry_later) {
      *result = std::move(outcome);
      co_return;
    }
    co_await net::sleep_for(20ms);  // as a client would
  }
}

asio::awaitable<void> range_into(chat::chat_log& log, chat::cursor after, chat::position upto,
                                 std::string room, std::size_t bytes_max,
                                 std::optional<chat::range_result>& result) {
  const bool wants_all = bytes_max == SIZE_MAX;
  auto found = co_await log.range(after, upto, room, bytes_max);
  while (wants_all && found.status == chat::range_status::ok && found.reached != upto) {
    after.at = found.reached;
    auto more = co_await log.range(after, upto, room, bytes_max);
    found.status = more.status;
    found.reached = more.reached;
    found.entries.insert(found.entries.end(), more.entries.begin(), more.entries.end());
  }
  result = std::move(found);
}

asio::awaitable<void> check_into(chat::chat_log& log, chat::cursor at,
                                 std::optional<chat::cursor_place>& result) {
  const auto place = co_await log.check_cursor(std::move(at));
  result = place;
}

}  // namespace

void log_node::on_entries(const std::vector<chat::entry_ptr>& batch) {
  EXPECT_FALSE(batch.empty());
  for (const chat::entry_ptr& each : batch) {
    EXPECT_EQ(each->kind, chat::entry_kind::message);
    const auto was_seen = [&each](const fork& lost) { return *each->earlier <= lost.to; };
    if (each->earlier && std::ranges::any_of(forks, was_seen)) {
      repeated.push_back(each);
      continue;
    }
    if (!read.empty()) {
      EXPECT_LT(read.back()->at, each->at);
    }
    read.push_back(each);
  }
}

asio::awaitable<void> log_node::wait_for_clients() {
  ++parts_waited;
  while (is_crowded) co_await taken->wait();
}

std::vector<std::string> log_node::ids() const {
  std::vector<std::string> result;
  for (const chat::entry_ptr& each : read) result.push_back(each->client_message_id);
  return result;
}

LogNodes::~LogNodes() {
  for (const auto& node : nodes_) node->log->stop(0ms);
  const auto have_all_ended = [this] {
    for (const auto& node : nodes_) {
      if (!node->has_ended) return false;
    }
    return true;
  };
  EXPECT_TRUE(until("all nodes ended", have_all_ended));
  io_.restart();
  io_.run_until(net::now() + 5s);
  EXPECT_TRUE(io_.stopped()) << "work remains on the io_context";
}

chat::log_options LogNodes::options_for(const redis_server& server) {
  chat::log_options options;
  options.redis = server.connection();
  options.node_name = "node";
  options.heartbeat_interval = 100ms;
  options.recovery_grace = 500ms;
  options.boot_grace = 100ms;
  options.block_time = 100ms;
  options.command_timeout = 500ms;
  options.retry_backoff_min = 10ms;
  options.retry_backoff_max = 50ms;
  return options;
}

log_node& LogNodes::add_node(chat::log_options options) {
  nodes_.push_back(std::make_unique<log_node>());
  log_node& node = *nodes_.back();
  node.taken = std::make_unique<net::condition>(io_.get_executor());
  node.log = chat::make_chat_log(io_.get_executor(), std::move(options));
  asio::co_spawn(io_, run_node(node), rethrow);
  return node;
}

log_node& LogNodes::add_ready_node(chat::log_options options) {
  log_node& node = add_node(std::move(options));
  EXPECT_TRUE(until("node is ready", [&node] { return node.is_ready(); }));
  return node;
}

bool LogNodes::until(std::string_view what, const std::function<bool()>& is_true,
                     std::chrono::seconds limit) {
  const auto deadline = net::now() + limit;
  io_.restart();
  while (!is_true()) {
    if (net::now() > deadline) {
      ADD_FAILURE() << "never came true: " << what;
      return false;
    }
    io_.run_one_for(10ms);
    if (io_.stopped()) io_.restart();
  }
  return true;
}

LogNodes::outcome_ptr LogNodes::append(log_node& node, std::string id, std::string room,
                                       std::string text) {
  auto result = std::make_shared<std::optional<chat::append_outcome>>();
  asio::co_spawn(io_,
                 append_into(*node.log, std::move(room), std::move(id), std::move(text), result),
                 rethrow);
  return result;
}

LogNodes::outcome_ptr LogNodes::append_surely(std::vector<log_node*> nodes, std::string id,
                                              std::string text) {
  auto result = std::make_shared<std::optional<chat::append_outcome>>();
  asio::co_spawn(io_, append_until_in(std::move(nodes), std::move(id), std::move(text), result),
                 rethrow);
  return result;
}

chat::append_outcome LogNodes::append_now(log_node& node, std::string id) {
  const outcome_ptr result = append(node, std::move(id));
  if (!until("append has an outcome", [&result] { return result->has_value(); })) return {};
  return **result;
}

chat::range_result LogNodes::range(log_node& node, chat::cursor after, std::string room,
                                   std::size_t bytes_max) {
  std::optional<chat::range_result> result;
  const chat::position upto = node.log->health().last_read;
  asio::co_spawn(io_,
                 range_into(*node.log, std::move(after), upto, std::move(room), bytes_max, result),
                 rethrow);
  if (!until("range has a result", [&result] { return result.has_value(); })) return {};
  return *result;
}

chat::cursor_place LogNodes::check(log_node& node, chat::cursor at) {
  std::optional<chat::cursor_place> result;
  asio::co_spawn(io_, check_into(*node.log, std::move(at), result), rethrow);
  if (!until("cursor is checked", [&result] { return result.has_value(); })) return {};
  return *result;
}

chat::cursor LogNodes::cursor_at(log_node& node, chat::position at) {
  chat::cursor result;
  result.log_id = node.log->health().log_id;
  result.at = at;
  return result;
}

void LogNodes::stop(log_node& node, std::chrono::milliseconds drain) {
  node.log->stop(drain);
  EXPECT_TRUE(until("node ended", [&node] { return node.has_ended; }));
}

}  // namespace ordeal::test
