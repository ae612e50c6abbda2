#include "reference-server/hub/chat_hub.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>
#include <exception>
#include <utility>

#include "net/async/assert.h"
#include "net/async/log.h"
#include "net/async/random.h"
#include "net/async/task_group.h"
#include "reference-server/hub/records.h"
#include "reference-server/hub/session.h"

namespace ordeal::chat {
namespace {

constexpr std::size_t token_length = 32;

// Often enough for the shortest limit to be kept within a quarter, and at least once a second.
std::chrono::milliseconds watch_interval(const hub_limits& limits) {
  const auto shortest = std::min({limits.handshake_timeout, limits.ping_interval,
                                  limits.client_timeout, limits.closing_timeout});
  return std::clamp(shortest / 4, std::chrono::milliseconds(1), std::chrono::milliseconds(1'000));
}

net::http_response refuse(unsigned status, std::string why) {
  net::http_response response;
  response.status = status;
  response.body = std::move(why) + "\n";
  return response;
}

}  // namespace

std::string_view query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return pair.substr(equals + 1);
    }
  }
  return {};
}

chat_hub::chat_hub(asio::any_io_executor ex, hub_limits limits, chat_log& log)
    : ex_(ex),
      log_(log),
      flusher_(ex, limits.pacing),
      context_{limits, log, flusher_, rooms_, count_},
      session_gone_(ex),
      stopping_(ex) {}

chat_hub::~chat_hub() {
  ORDEAL_ASSERT(sessions_.empty());
}

asio::awaitable<void> chat_hub::run() {
  net::task_group tasks(ex_);
  tasks.spawn("flusher", flusher_.run());
  tasks.spawn("watch", watch_clients());
  co_await tasks.join();
}

void chat_hub::stop() {
  stopping_.set();
  flusher_.stop();
}

asio::awaitable<void> chat_hub::watch_clients() {
  const auto interval = watch_interval(context_.limits);
  while (!stopping_.is_set()) {
    const auto now = net::now();
    for (session* client : sessions_) client->tick(now);
    ids_.expire(now);
    co_await stopping_.wait_for(interval);
  }
}

net::http_response chat_hub::negotiate(const net::http_request& request) {
  if (is_draining_) return refuse(503, "this node is shutting down");
  if (ids_.size() >= context_.limits.connections_max) return refuse(503, "too many connections");
  const auto version = query_parameter(request.query, "negotiateVersion");
  const bool has_token = !version.empty() && version != "0";
  const std::string connection_id = net::random_id(token_length);
  const std::string token = has_token ? net::random_id(token_length) : connection_id;
  ids_.add(token, net::now() + context_.limits.negotiated_id_lifetime);

  namespace json = boost::json;
  json::object transport;
  transport["transport"] = "WebSockets";
  json::array formats;
  formats.emplace_back("Text");
  transport["transferFormats"] = std::move(formats);
  json::array transports;
  transports.emplace_back(std::move(transport));
  json::object answer;
  answer["negotiateVersion"] = has_token ? 1 : 0;
  answer["connectionId"] = connection_id;
  if (has_token) answer["connectionToken"] = token;
  answer["availableTransports"] = std::move(transports);

  net::http_response response;
  response.content_type = "application/json";
  response.body = json::serialize(answer);
  return response;
}

net::http_response chat_hub::admit(const net::http_request& request) const {
  if (request.path != "/chat") return refuse(404, "WebSockets are served at /chat");
  if (is_draining_) return refuse(503, "this node is shutting down");
  if (sessions_.size() >= context_.limits.connections_max)
    return refuse(503, "too many connections");
  const auto token = query_parameter(request.query, "id");
  if (!token.empty()) {
    const auto state = ids_.find(token);
    if (state == negotiated_ids::state::unknown)
      return refuse(404, "no such connection id: negotiate again");
    if (state == negotiated_ids::state::in_use) return refuse(409, "this connection id is in use");
  }
  net::http_response accepted;
  accepted.status = 101;
  return accepted;
}

asio::awaitable<void> chat_hub::serve(net::http_request request,
                                      std::unique_ptr<net::websocket> socket) {
  const std::string token(query_parameter(request.query, "id"));
  // Two upgrades with one token may both have been admitted before either got here.
  if (!token.empty() && !ids_.claim(token)) {
    socket->abort();
    co_return;
  }
  std::exception_ptr failure;
  {
    session client(ex_, context_, std::move(socket));
    sessions_.insert(&client);
    ++count_.connections_opened;
    if (is_draining_) client.drain();
    try {
      co_await client.run();
    } catch (...) {
      failure = std::current_exception();
    }
    sessions_.erase(&client);
  }
  if (!token.empty()) ids_.release(token);
  session_gone_.notify_all();
  if (!failure) co_return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& thrown) {
    net::log(net::log_level::error, "hub", "a connection ended by a fault of this server",
             {{"what", thrown.what()}});
  }
}

asio::awaitable<void> chat_hub::drain(net::time_point deadline) {
  is_draining_ = true;
  for (session* client : sessions_) client->drain();
  while (!sessions_.empty() && net::now() < deadline) co_await session_gone_.wait_until(deadline);
  for (session* client : sessions_) client->abort();
  while (!sessions_.empty()) co_await session_gone_.wait();
}

void chat_hub::on_entries(const std::vector<entry_ptr>& batch) {
  count_.entries += batch.size();
  const std::string& log_id = log_.health().log_id;
  for (const auto& read : batch) {
    const room* const where = rooms_.find(read->room);
    if (where == nullptr) continue;
    count_.deliveries += rooms_.deliver(*where, *read, message_record(*read, log_id), flusher_);
  }
}

void chat_hub::on_gap(std::uint64_t from, std::uint64_t to) {
  net::log(net::log_level::warn, "hub", "this node missed entries: every client is reset",
           {{"from", std::to_string(from)}, {"to", std::to_string(to)}});
  for (session* client : sessions_) client->on_gap(position{log_.health().epoch, to});
}

void chat_hub::on_fork(position common, position from, position to) {
  net::log(net::log_level::warn, "hub", "the log has lost entries that were delivered here",
           {{"from", format_cursor(log_.health().log_id, from)},
            {"to", format_cursor(log_.health().log_id, to)}});
  for (session* client : sessions_) client->on_fork(common, to);
}

void chat_hub::on_state_change() {
  const log_health& health = log_.health();
  net::log(net::log_level::debug, "hub", "the log changed its state",
           {{"ready", health.is_ready ? "true" : "false"}, {"reason", health.reason}});
}

}  // namespace ordeal::chat
