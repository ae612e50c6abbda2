#include "tests/selftest/planted_node/session.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "net/async/task_group.h"

namespace ordeal::planted {
namespace {

constexpr std::size_t record_bytes_max = 1U << 20;
constexpr std::size_t waiting_bytes_max = 16U << 20;
constexpr std::chrono::seconds ping_interval(10);  // clients give up after 30 s of silence

}  // namespace

session::session(asio::any_io_executor ex, std::uint64_t id, std::unique_ptr<net::websocket> ws)
    : ex_(ex), id_(id), ws_(std::move(ws)), changed_(ex), closed_(ex) {}

asio::awaitable<void> session::run(call_handler& handler) {
  net::task_group loops(ex_);
  loops.spawn("reader", read_loop(handler));
  loops.spawn("writer", write_loop());
  loops.spawn("pings", ping_loop());
  co_await loops.join();
}

void session::push(std::shared_ptr<const std::string> record) {
  if (closed_.is_set()) return;
  waiting_bytes_ += record->size();
  waiting_.push_back(std::move(record));
  changed_.notify_all();
  if (waiting_bytes_ > waiting_bytes_max) close();
}

void session::push(std::string record) {
  push(std::make_shared<const std::string>(std::move(record)));
}

void session::close() {
  closed_.set();
  changed_.notify_all();
  ws_->abort();
}

asio::awaitable<void> session::read_loop(call_handler& handler) {
  net::hub::record_splitter records(record_bytes_max);
  bool is_fine = true;
  while (is_fine && !closed_.is_set()) {
    const auto frame = co_await ws_->read();
    if (frame.ec) break;
    records.feed(frame.message);
    for (auto record = records.take(); record && is_fine; record = records.take()) {
      is_fine = co_await take_record(*record, handler);
    }
    is_fine = is_fine && !records.is_overflown();
  }
  close();
}

asio::awaitable<bool> session::take_record(std::string_view record, call_handler& handler) {
  if (!is_greeted_) {
    const auto greeting = net::hub::decode_handshake_request(record);
    is_greeted_ = greeting.has_value() && greeting->protocol == "json";
    push(net::hub::encode_handshake_response(is_greeted_ ? "" : "the protocol is json"));
    co_return is_greeted_;
  }
  const auto decoded = net::hub::decode(record);
  if (!decoded) {
    push(net::hub::encode_close(net::hub::describe(decoded.error())));
    co_return false;
  }
  if (decoded->type == net::hub::message_type::close) co_return false;
  if (decoded->type == net::hub::message_type::invocation) {
    co_await handler.handle(shared_from_this(), *decoded);
  }
  co_return true;
}

asio::awaitable<void> session::write_loop() {
  while (!closed_.is_set()) {
    if (waiting_.empty()) {
      co_await changed_.wait();
      continue;
    }
    const auto batch = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    std::vector<asio::const_buffer> parts;
    for (const auto& each : batch) parts.push_back(asio::buffer(*each));
    const auto ec = co_await ws_->write(parts);
    if (ec) close();
  }
}

asio::awaitable<void> session::ping_loop() {
  for (;;) {
    const bool is_closed = co_await closed_.wait_for(ping_interval);
    if (is_closed) co_return;
    push(net::hub::encoded_ping());
  }
}

}  // namespace ordeal::planted
