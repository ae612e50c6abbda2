#include "tests/integration/fleet/fake_hub.h"

#include <boost/json/array.hpp>

namespace ordeal::test {
namespace {

namespace hub = net::hub;
namespace json = boost::json;

bool take_one(std::size_t& left) {
  if (left == 0) return false;
  --left;
  return true;
}

std::string text_of(const json::value& value) {
  const json::string& text = value.as_string();
  return std::string(text.data(), text.size());
}

}  // namespace

fake_hub::fake_hub(asio::any_io_executor ex, std::size_t node_count) : ex_(ex), listeners_(ex) {
  handlers_.on_request = [](const net::http_request&) { return net::http_response(); };
  handlers_.on_upgrade = [](const net::http_request& request) {
    net::http_response response;
    response.status = request.path == "/chat" ? 101 : 404;
    return response;
  };
  handlers_.on_websocket = [this](net::http_request, std::unique_ptr<net::websocket> ws) {
    return serve(std::move(ws));
  };
  const asio::ip::tcp::endpoint anywhere(asio::ip::address_v4::loopback(), 0);
  for (std::size_t node = 0; node < node_count; ++node) {
    nodes_.push_back(net::make_http_server(ex, anywhere, net::http_server_options(), handlers_));
  }
}

std::vector<net::websocket_url> fake_hub::urls() const {
  std::vector<net::websocket_url> urls;
  for (const auto& node : nodes_) {
    net::websocket_url url;
    url.host = "127.0.0.1";
    url.port = node->local_endpoint().port();
    urls.push_back(url);
  }
  return urls;
}

asio::awaitable<void> fake_hub::run() {
  for (const auto& node : nodes_) listeners_.spawn("node", node->run());
  co_await listeners_.join();
}

void fake_hub::stop() {
  for (std::size_t node = 0; node < nodes_.size(); ++node) shut_node(node);
}

void fake_hub::shut_node(std::size_t node) {
  nodes_[node]->stop();
  nodes_[node]->abort_all();
}

void fake_hub::open_node(std::size_t node) {
  const asio::ip::tcp::endpoint where = nodes_[node]->local_endpoint();
  shut_nodes_.push_back(std::move(nodes_[node]));
  nodes_[node] = net::make_http_server(ex_, where, net::http_server_options(), handlers_);
  listeners_.spawn("node", nodes_[node]->run());
}

void fake_hub::drop_connections() {
  for (const auto& node : nodes_) node->abort_all();
}

void fake_hub::say_goodbye(std::string reason) {
  for (session* to : sessions_) push(*to, hub::encode_close(reason, true));
}

std::vector<std::string> fake_hub::texts_in(const std::string& room) const {
  std::vector<std::string> texts;
  for (const log_entry& entry : log_) {
    if (entry.room == room) texts.push_back(entry.text);
  }
  return texts;
}

asio::awaitable<void> fake_hub::serve(std::unique_ptr<net::websocket> ws) {
  session self(ex_, *ws);
  sessions_.insert(&self);
  net::task_group writers(ex_);
  writers.spawn("writer", write_all(self));
  hub::record_splitter records(1U << 20);
  while (true) {
    const net::read_result got = co_await ws->read();
    if (got.ec) break;
    records.feed(got.message);
    while (const auto record = records.take()) on_record(self, *record);
  }
  sessions_.erase(&self);
  ws->abort();
  self.outbox.close();
  co_await writers.join();
}

asio::awaitable<void> fake_hub::write_all(session& to) {
  while (true) {
    const std::optional<std::string> record = co_await to.outbox.pop();
    if (!record) co_return;
    const asio::const_buffer part = asio::buffer(*record);
    const std::span<const asio::const_buffer> frame(&part, 1);
    const net::error_code ec = co_await to.ws.write(frame);
    if (ec) to.outbox.close();
  }
}

void fake_hub::reset_everybody(std::size_t count) {
  for (session* each : sessions_) {
    for (const std::string& room : each->rooms) {
      json::array told;
      told.emplace_back(room);
      const std::string record = hub::encode_invocation("Reset", told);
      for (std::size_t i = 0; i < count; ++i) push(*each, record);
    }
  }
}

void fake_hub::on_record(session& from, std::string_view record) {
  if (next.is_wordless) return;
  if (!from.has_handshake) {
    from.has_handshake = true;
    return push(from, hub::encode_handshake_response());
  }
  const auto call = hub::decode(record);
  if (call.has_error() || call->type != hub::message_type::invocation) return;
  if (call->target == "Join") on_join(from, *call);
  if (call->target == "Send" || call->target == "Say") on_send(from, *call);
}

void fake_hub::on_join(session& from, const hub::message& call) {
  const std::string room = text_of(call.arguments->at(0));
  if (take_one(next.join_errors)) {
    return push(from, hub::encode_completion_error(call.invocation_id, "refused: full"));
  }
  const json::value& cursor = call.arguments->at(1);
  const std::string here = cursor_at(log_.size());
  if (!cursor.is_null()) {
    ++resumes_;
    std::size_t index = std::stoul(text_of(cursor).substr(1));
    if (index < first_valid_index_) {
      json::array told;
      told.emplace_back(room);
      told.emplace_back("trimmed");
      push(from, hub::encode_invocation("Reset", told));
      index = log_.size();
    }
    for (; index < log_.size(); ++index) {
      if (log_[index].room == room) push(from, encode_broadcast(index));
    }
  }
  from.rooms.insert(room);
  push(from, hub::encode_completion_result(call.invocation_id, json::value(here)));
}

// Send(room, message id, text), or Say(room, text), which knows no ids.
void fake_hub::on_send(session& from, const hub::message& call) {
  if (take_one(next.send_errors)) {
    return push(from, hub::encode_completion_error(call.invocation_id, next.send_error));
  }
  log_entry entry;
  entry.room = text_of(call.arguments->at(0));
  entry.text = text_of(call.arguments->at(call.arguments->size() - 1));
  if (call.arguments->size() == 3) entry.message_id = text_of(call.arguments->at(1));
  const bool is_repeated = !entry.message_id.empty() && index_by_id_.count(entry.message_id) > 0;
  repeated_sends_ += is_repeated ? 1 : 0;
  if (!is_repeated) {
    index_by_id_[entry.message_id] = log_.size();
    log_.push_back(entry);
    const std::string broadcast = encode_broadcast(log_.size() - 1);
    for (session* to : sessions_) {
      if (to->rooms.count(entry.room) > 0) push(*to, broadcast);
    }
  }
  if (call.invocation_id.empty() || take_one(next.swallowed_acks)) return;
  push(from,
       hub::encode_completion_result(call.invocation_id, json::value(cursor_at(log_.size()))));
}

std::string fake_hub::encode_broadcast(std::size_t index) const {
  const log_entry& entry = log_[index];
  json::array arguments;
  arguments.emplace_back(entry.room);
  arguments.emplace_back(cursor_at(index + 1));
  arguments.emplace_back(entry.message_id);
  arguments.emplace_back(entry.text);
  return hub::encode_invocation("Message", arguments);
}

}  // namespace ordeal::test
