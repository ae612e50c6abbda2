#include "tests/integration/chat/hub/hub_client.h"

#include <array>
#include <span>
#include <utility>

#include "net/async/clock.h"
#include "net/hub/codec.h"

namespace ordeal::test {

namespace json = boost::json;
namespace hub = net::hub;

asio::awaitable<bool> hub_client::open(asio::ip::tcp::endpoint node, std::string query) {
  const bool is_connected = co_await open_without_handshake(node, std::move(query));
  if (!is_connected) co_return false;
  co_await write(hub::encode_handshake_request());
  while (is_open_ && !has_handshaken_) co_await changed_.wait();
  co_return is_open_;
}

asio::awaitable<bool> hub_client::open_without_handshake(asio::ip::tcp::endpoint node,
                                                         std::string query) {
  net::websocket_url url;
  url.host = node.address().to_string();
  url.port = node.port();
  url.path = "/chat" + query;
  const net::websocket_limits limits;
  auto connected = co_await net::connect_websocket(url, limits);
  if (connected.ec) co_return false;
  socket_ = std::move(connected.connection);
  is_open_ = true;
  has_handshaken_ = false;
  partial_.clear();
  tasks_.spawn("reader", read_loop());
  co_return true;
}

asio::awaitable<std::string> hub_client::join(std::string room, std::optional<std::string> cursor) {
  json::array arguments;
  arguments.emplace_back(room);
  arguments.emplace_back(nullptr);
  if (cursor) arguments.back() = *cursor;
  return invoke("Join", std::move(arguments));
}

asio::awaitable<std::string> hub_client::send(std::string room, std::string id, std::string text) {
  json::array arguments;
  arguments.emplace_back(room);
  arguments.emplace_back(id);
  arguments.emplace_back(text);
  return invoke("Send", std::move(arguments));
}

asio::awaitable<std::string> hub_client::invoke(std::string target, json::array arguments) {
  const std::string id = std::to_string(++last_invocation_);
  co_await write(hub::encode_invocation(target, arguments, id));
  while (is_open_ && completions_.count(id) == 0) co_await changed_.wait();
  if (completions_.count(id) == 0) co_return "closed";
  co_return completions_[id];
}

// Several coroutines of a test may call at once; a WebSocket takes one write at a time.
asio::awaitable<void> hub_client::write(std::string record) {
  while (is_writing_) co_await changed_.wait();
  if (!is_open_) co_return;
  is_writing_ = true;
  const std::array<asio::const_buffer, 1> parts{asio::buffer(record)};
  const std::span<const asio::const_buffer> all(parts);
  co_await socket_->write(all);  // the reader sees an error as well
  is_writing_ = false;
  changed_.notify_all();
}

asio::awaitable<void> hub_client::read_loop() {
  for (;;) {
    while (is_paused_) co_await changed_.wait();
    const auto frame = co_await socket_->read();
    if (frame.ec) break;
    partial_ += frame.message;
    for (auto end = partial_.find(hub::record_separator); end != std::string::npos;
         end = partial_.find(hub::record_separator)) {
      take(std::string_view(partial_).substr(0, end));
      partial_.erase(0, end + 1);
    }
    changed_.notify_all();
  }
  is_open_ = false;
  changed_.notify_all();
}

void hub_client::take(std::string_view record) {
  if (record == "{}") {
    has_handshaken_ = true;
    return;
  }
  const json::object fields =
      json::parse(json::string_view(record.data(), record.size())).as_object();
  const auto text = [](const json::value& value) { return std::string(value.as_string()); };
  switch (fields.at("type").as_int64()) {
    case 1: {
      const auto& arguments = fields.at("arguments").as_array();
      if (fields.at("target").as_string() == "Message") {
        messages.push_back(
            {text(arguments[0]), text(arguments[1]), text(arguments[2]), text(arguments[3])});
      } else {
        resets.push_back(text(arguments[0]) + ": " + text(arguments[1]));
      }
      break;
    }
    case 3: {
      const bool is_error = fields.contains("error");
      completions_[text(fields.at("invocationId"))] =
          is_error ? "!" + text(fields.at("error"))
                   : "=" + (fields.contains("result") ? text(fields.at("result")) : std::string());
      break;
    }
    case 6:
      ++ping_count;
      break;
    case 7:
      goodbye = fields.contains("error") ? text(fields.at("error")) : std::string();
      may_reconnect = fields.contains("allowReconnect") && fields.at("allowReconnect").as_bool();
      break;
    default:
      break;
  }
}

void hub_client::pause_reading(bool is_paused) {
  is_paused_ = is_paused;
  changed_.notify_all();
}

asio::awaitable<void> hub_client::close() {
  if (socket_) socket_->abort();
  pause_reading(false);
  co_await tasks_.join();
  while (is_writing_) co_await changed_.wait();
  socket_.reset();
}

asio::awaitable<bool> becomes_true(std::function<bool()> condition,
                                   std::chrono::milliseconds limit) {
  const auto deadline = net::now() + limit;
  while (!condition()) {
    if (net::now() >= deadline) co_return false;
    co_await net::sleep_for(std::chrono::milliseconds(5));
  }
  co_return true;
}

}  // namespace ordeal::test
