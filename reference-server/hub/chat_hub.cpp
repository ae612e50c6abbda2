#include "reference-server/hub/chat_hub.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "net/async/assert.h"
#include "net/async/log.h"
#include "net/async/random.h"
#include "net/async/task_group.h"
#include "reference-server/hub/records.h"
#include "reference-server/hub/sender.h"
#include "reference-server/hub/session.h"

namespace ordeal::chat {
namespace {

constexpr std::size_t token_length = 32;
constexpr std::chrono::minutes complaint_interval{1};

// Often enough for the shortest limit to be kept within a quarter, and at least once a second.
std::chrono::milliseconds watch_interval(const hub_limits& limits) {
  const auto shortest = std::min({limits.handshake_timeout, limits.ping_interval,
                                  limits.client_timeout, limits.closing_timeout});
  return std::clamp(shortest / 4, std::chrono::milliseconds(1), std::chrono::milliseconds(1'000));
}

constexpr const char* too_many_connections =
    "this node has as many connections as --connections-max allows: try another one, or later";
constexpr const char* foreign_origin =
    "this origin may not use the hub: start ordeal-chat with --allow-origin to let it in";

net::http_response accept() {
  net::http_response accepted;
  accepted.status = 101;
  return accepted;
}

// What a browser asks before it sends a POST with headers of the client library's own.
net::http_response preflight(const net::http_request& request) {
  net::http_response response;
  response.status = 204;
  response.headers.push_back({"Access-Control-Allow-Methods", "POST"});
  const std::string_view wanted = request.header("Access-Control-Request-Headers");
  if (!wanted.empty())
    response.headers.push_back({"Access-Control-Allow-Headers", std::string(wanted)});
  response.headers.push_back({"Access-Control-Max-Age", "600"});
  return response;
}

net::http_response refuse(unsigned status, std::string why) {
  net::http_response response;
  response.status = status;
  response.body = std::move(why) + "\n";
  return response;
}

std::string sender_of(const net::http_request& request) {
  const auto key = query_parameter(request.query, "sender");
  return key.empty() ? session_scope() : sender_scope(key);
}

// Empty: there is no key, or one that is in order.
std::string sender_error(const net::http_request& request) {
  const auto key = query_parameter(request.query, "sender");
  return key.empty() ? std::string() : sender_key_error(key);
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
      ledger_(limits.out_total_bytes_max),
      pace_(ex, limits, flusher_, count_),
      replays_(ex),
      context_{limits, log, flusher_, pace_, ledger_, replays_, rooms_, count_},
      origins_(limits.allowed_origins, limits.is_local),
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
    keep_waiting_within_limit();
    keep_out_bytes_within_limit();
    ids_.expire(now);
    co_await stopping_.wait_for(interval);
  }
}

net::http_response chat_hub::negotiate(const net::http_request& request) {
  if (!origins_.allows(request)) return refuse_origin(request);
  net::http_response response;
  if (request.method == "OPTIONS") {
    response = preflight(request);
  } else {
    response = grant_id(request);
  }
  for (auto& header : origins_.cors_headers(request)) response.headers.push_back(std::move(header));
  return response;
}

net::http_response chat_hub::grant_id(const net::http_request& request) {
  if (is_draining_) return refuse(503, "this node is shutting down");
  if (std::string error = sender_error(request); !error.empty())
    return refuse(400, std::move(error));
  // Who negotiates and never comes must not keep others out: the oldest one goes.
  if (ids_.size() >= context_.limits.connections_max && !ids_.drop_oldest())
    return refuse(503, too_many_connections);
  const auto version = query_parameter(request.query, "negotiateVersion");
  const bool has_token = !version.empty() && version != "0";
  const bool wants_resume = query_parameter(request.query, "useStatefulReconnect") == "true";
  const std::string connection_id = net::random_id(token_length);
  const std::string token = has_token ? net::random_id(token_length) : connection_id;
  ids_.add(token, net::now() + context_.limits.negotiated_id_lifetime, wants_resume);

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
  // Clients that did not ask for it refuse an answer that has it.
  if (wants_resume) answer["useStatefulReconnect"] = true;

  net::http_response response;
  response.content_type = "application/json";
  response.body = json::serialize(answer);
  return response;
}

net::http_response chat_hub::admit(const net::http_request& request) {
  if (request.path != "/chat") return refuse(404, "WebSockets are served at /chat");
  if (!origins_.allows(request)) return refuse_origin(request);
  if (std::string error = sender_error(request); !error.empty())
    return refuse(400, std::move(error));
  const auto token = query_parameter(request.query, "id");
  if (!token.empty()) return admit_id(token);
  if (is_draining_) return refuse(503, "this node is shutting down");
  return admit_new();
}

net::http_response chat_hub::admit_id(std::string_view token) {
  if (is_draining_) return refuse(404, "this node is shutting down: negotiate with another one");
  const session* const known = session_of(std::string(token));
  if (known != nullptr && known->may_take_over()) return accept();
  if (known != nullptr) return refuse(404, "this session is over: negotiate again");
  switch (ids_.find(token)) {
    case negotiated_ids::state::unknown:
      return refuse(404, "no such connection id: negotiate again");
    case negotiated_ids::state::in_use:
      return refuse(409, "this connection id is in use");
    case negotiated_ids::state::free:
      break;
  }
  return admit_new();
}

// A proxy that ends TLS and rewrites Host makes a page's own origin a foreign one.
net::http_response chat_hub::refuse_origin(const net::http_request& request) {
  ++count_.foreign_origins;
  const auto now = net::now();
  if (now >= next_origin_complaint_) {
    next_origin_complaint_ = now + complaint_interval;
    const std::string origin(request.header("Origin").substr(0, 200));
    net::log(net::log_level::warn, "hub", "a page of another origin was refused",
             {{"origin", origin},
              {"host", std::string(request.header("Host").substr(0, 200))},
              {"remedy", "--allow-origin " + origin + ", if it is yours"}});
  }
  return refuse(403, foreign_origin);
}

void chat_hub::count_refusal(unsigned status) {
  if (status == 431) ++count_.large_headers;
  if (status == 503) ++count_.refused;
}

net::http_response chat_hub::admit_new() {
  if (sessions_.size() < context_.limits.connections_max) return accept();
  ++count_.refused;
  return refuse(503, too_many_connections);
}

std::string chat_hub::descriptor_trouble() const {
  if (is_out_of_descriptors_)
    return "connections cannot be accepted: raise the limit of open files (ulimit -n)";
  const std::size_t descriptors = context_.limits.descriptors_limit;
  if (descriptors == 0 || sessions_.size() < context_.limits.connections_max) return {};
  return std::to_string(sessions_.size()) + " clients are connected, and the limit of " +
         std::to_string(descriptors) + " open files (ulimit -n) leaves no room for more";
}

session* chat_hub::session_of(const std::string& token) const {
  const auto known = resumable_.find(token);
  return known == resumable_.end() ? nullptr : known->second;
}

asio::awaitable<void> chat_hub::serve(net::http_request request,
                                      std::unique_ptr<net::websocket> socket) {
  std::string token(query_parameter(request.query, "id"));
  // The coroutine that opened the session goes on with this socket.
  session* const known = session_of(token);
  if (known != nullptr && known->may_take_over()) {
    known->take_over(std::move(socket));
    co_return;
  }
  // Two upgrades with one token may both have been admitted before either got here.
  if (!token.empty() && !ids_.claim(token)) {
    socket->abort();
    co_return;
  }
  std::exception_ptr failure;
  try {
    std::string sender = sender_of(request);
    co_await serve_session(token, std::move(sender), std::move(socket));
  } catch (...) {
    failure = std::current_exception();
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

asio::awaitable<void> chat_hub::serve_session(std::string token, std::string sender,
                                              std::unique_ptr<net::websocket> socket) {
  const bool wants_resume = ids_.wants_resume(token);
  session client(ex_, context_, wants_resume, std::move(sender));
  sessions_.insert(&client);
  if (wants_resume) resumable_.emplace(token, &client);
  ++count_.connections_opened;
  if (is_draining_) client.drain();
  std::exception_ptr failure;
  try {
    co_await client.run(std::move(socket));
  } catch (...) {
    failure = std::current_exception();
  }
  if (wants_resume) resumable_.erase(token);
  sessions_.erase(&client);
  if (failure) std::rethrow_exception(failure);
}

// Clients that are waited for may together keep a bounded amount of memory: the one that has been
// away for the longest goes first.
void chat_hub::keep_waiting_within_limit() {
  if (context_.sessions_waiting == 0) return;
  std::vector<session*> waiting;
  std::size_t kept_bytes = 0;
  for (session* client : sessions_) {
    if (!client->is_waiting()) continue;
    waiting.push_back(client);
    kept_bytes += client->kept_bytes();
  }
  std::sort(waiting.begin(), waiting.end(), [](const session* one, const session* other) {
    return one->waiting_until() < other->waiting_until();
  });
  for (session* client : waiting) {
    if (kept_bytes <= context_.limits.reconnect_bytes_max) return;
    kept_bytes -= client->kept_bytes();
    client->stop_waiting();
  }
}

std::size_t chat_hub::out_bytes() const {
  std::size_t bytes = ledger_.bytes();
  for (const session* client : sessions_) bytes += client->slot_bytes();
  return bytes;
}

// The ones that have taken nothing for longest go first: what they miss they read again when they come back.
void chat_hub::keep_out_bytes_within_limit() {
  const std::size_t bytes_max = context_.limits.out_total_bytes_max;
  std::size_t bytes = out_bytes();
  if (bytes <= bytes_max) return;
  const auto now = net::now();
  std::vector<session*> by_stall;
  std::size_t going_bytes = 0;  // in frames of clients that are on their way out
  for (session* client : sessions_) {
    if (client->may_be_cut_off()) by_stall.push_back(client);
    if (client->is_leaving()) going_bytes += client->queue.bytes();
  }
  if (bytes <= bytes_max + going_bytes) return;
  std::sort(by_stall.begin(), by_stall.end(), [now](const session* one, const session* other) {
    const auto one_since = one->stalled_since.value_or(now);
    const auto other_since = other->stalled_since.value_or(now);
    if (one_since != other_since) return one_since < other_since;
    return one->queue.bytes() > other->queue.bytes();
  });
  std::size_t cut_count = 0;
  for (session* client : by_stall) {
    if (bytes <= bytes_max + going_bytes) break;
    const std::size_t slots = client->slot_bytes();
    const std::size_t records = ledger_.bytes();
    client->cut_off_for_memory(now);
    ++cut_count;
    going_bytes += client->queue.bytes() + slots + records - std::min(records, ledger_.bytes());
  }
  if (cut_count == 0 || now < next_memory_complaint_) return;
  next_memory_complaint_ = now + complaint_interval;
  net::log(net::log_level::warn, "hub",
           "too much waits for clients: those that took nothing for longest were cut off",
           {{"clients", std::to_string(cut_count)}, {"limit_bytes", std::to_string(bytes_max)}});
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
    const record_ptr record = ledger_.keep(message_record(*read, log_id));
    count_.deliveries += rooms_.deliver(*where, *read, record, flusher_);
  }
  if (ledger_.is_full()) keep_out_bytes_within_limit();
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
