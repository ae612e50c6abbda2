// A log and a WebSocket without Redis and sockets, for the hub's unit tests. Everything happens
// when the test polls its io_context.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "net/async/condition.h"
#include "net/websocket.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat::test {

inline constexpr const char* fake_log_id = "log1";

inline cursor_place place_with(range_status status) {
  cursor_place place;
  place.status = status;
  return place;
}

class fake_log final : public chat_log {
 public:
  explicit fake_log(asio::any_io_executor ex) : changed_(ex) {
    health_.state = log_state::open;
    health_.is_ready = true;
    health_.log_id = fake_log_id;
    health_.epoch = 1;
    health_.last_read = position{1, 0};
  }

  // What another node appended: read by this one at once. `earlier`: where it was on a lost branch.
  void publish(std::string room, std::string id, std::string text,
               std::optional<position> earlier = std::nullopt) {
    auto added = std::make_shared<entry>();
    added->at = position{health_.epoch, health_.last_read.index + 1};
    added->earlier = earlier;
    added->room = std::move(room);
    added->client_message_id = std::move(id);
    added->text = std::move(text);
    health_.last_read = added->at;
    entries_.push_back(added);
    if (subscriber != nullptr) subscriber->on_entries({added});
  }
  // The log goes on from `common` in `epoch`, without what lies above.
  void fork(position common, std::uint64_t epoch) {
    const position to = health_.last_read;
    std::erase_if(entries_, [&](const entry_ptr& each) { return each->at > common; });
    health_.epoch = epoch;
    health_.last_read = common;
    subscriber->on_fork(common, position{to.epoch, common.index + 1}, to);
  }
  void let_go() {
    is_append_held = is_range_held = false;
    changed_.notify_all();
  }

  asio::awaitable<void> run(log_subscriber& to) override {
    subscriber = &to;
    co_return;
  }
  void stop(std::chrono::milliseconds) override {}

  asio::awaitable<append_outcome> append(std::string room, std::string id,
                                         std::string text) override {
    accepted.push_back(text);
    accepted_ids.push_back(id);
    while (is_append_held) co_await changed_.wait();
    if (is_append_broken) throw std::runtime_error("a bug of the log");
    append_outcome outcome = next_outcome;
    if (outcome.status == append_status::appended) {
      publish(std::move(room), std::move(id), std::move(text));
      outcome.at = health_.last_read;
    }
    co_return outcome;
  }

  bool is_congested() const override { return is_full; }

  asio::awaitable<range_result> range(cursor after, position upto, std::string room,
                                      std::size_t bytes_max) override {
    ++range_count;
    while (is_range_held) co_await changed_.wait();
    range_result result;
    result.status = range_answer;
    if (range_answer != range_status::ok) co_return result;
    result.reached = upto;
    std::size_t bytes = 0;
    for (const auto& kept : entries_) {
      if (kept->at <= after.at || kept->at > upto || kept->room != room) continue;
      result.entries.push_back(kept);
      bytes += kept->text.size();
      if (bytes < bytes_max) continue;
      result.reached = kept->at;
      break;
    }
    co_return result;
  }

  cursor_place place_of(const cursor& at) const override {
    cursor_place place;
    place.from = at.at;
    place.status = at.log_id == health_.log_id ? range_status::ok : range_status::unknown_log;
    place.is_ahead = at.at > health_.last_read;
    const auto known = places.find(at.at);
    return known != places.end() ? known->second : place;
  }

  asio::awaitable<cursor_place> check_cursor(cursor at) override {
    ++check_count;
    cursor_place place = check_answer;
    if (place.status == range_status::ok) place.from = at.at;
    co_return place;
  }

  const log_health& health() const override { return health_; }
  log_health& health() { return health_; }

  log_subscriber* subscriber = nullptr;
  std::vector<std::string> accepted;  // texts, in the order of append calls
  std::vector<std::string> accepted_ids;
  append_outcome next_outcome{append_status::appended, {}, {}};
  range_status range_answer = range_status::ok;
  std::map<position, cursor_place> places;  // of cursors that lie elsewhere than they say
  cursor_place check_answer = place_with(range_status::ok);
  std::size_t range_count = 0;
  std::size_t check_count = 0;
  bool is_append_held = false;
  bool is_range_held = false;
  bool is_append_broken = false;
  bool is_full = false;

 private:
  net::condition changed_;
  log_health health_;
  std::vector<entry_ptr> entries_;
};

// The client's end of a fake connection.
struct fake_wire {
  explicit fake_wire(asio::any_io_executor ex) : changed(ex) {}

  void receive(std::string frame) {
    inbox.push_back(std::move(frame));
    changed.notify_all();
  }
  void hang_up() {
    is_gone = true;
    changed.notify_all();
  }
  // The frame that is held back, and no other.
  void let_one_write() {
    ++writes_let;
    changed.notify_all();
  }
  void let_write() {
    is_write_held = false;
    changed.notify_all();
  }

  net::condition changed;
  std::deque<std::string> inbox;
  std::vector<std::string> frames;  // as written by the server
  std::uint16_t close_code = 0;
  std::uint16_t peer_close_code = 0;
  std::string close_reason;
  std::size_t read_count = 0;
  std::size_t writes_let = 0;
  bool is_write_held = false;
  net::websocket::try_result try_result = net::websocket::try_result::refused;
  bool is_gone = false;
};

class fake_socket final : public net::websocket {
 public:
  explicit fake_socket(std::shared_ptr<fake_wire> wire) : wire_(std::move(wire)) {}
  ~fake_socket() override { wire_->is_gone = true; }

  asio::awaitable<net::read_result> read() override {
    while (wire_->inbox.empty() && !wire_->is_gone) co_await wire_->changed.wait();
    net::read_result result;
    if (wire_->inbox.empty()) {
      result.ec = asio::error::eof;
      co_return result;
    }
    current_ = std::move(wire_->inbox.front());
    wire_->inbox.pop_front();
    ++wire_->read_count;
    result.message = current_;
    co_return result;
  }

  asio::awaitable<net::error_code> write(std::span<const asio::const_buffer> parts) override {
    std::string frame;
    for (const auto& part : parts) frame.append(static_cast<const char*>(part.data()), part.size());
    while (wire_->is_write_held && wire_->writes_let == 0 && !wire_->is_gone)
      co_await wire_->changed.wait();
    if (wire_->is_gone) co_return asio::error::broken_pipe;
    if (wire_->is_write_held) --wire_->writes_let;
    wire_->frames.push_back(std::move(frame));
    co_return net::error_code{};
  }

  try_result try_write(std::span<const asio::const_buffer> parts) override {
    if (wire_->try_result == try_result::refused || wire_->is_gone) return try_result::refused;
    for (const auto& part : parts)
      partly_.append(static_cast<const char*>(part.data()), part.size());
    if (wire_->try_result == try_result::sent) wire_->frames.push_back(std::exchange(partly_, {}));
    return wire_->try_result;
  }

  asio::awaitable<net::error_code> write_rest() override {
    while (wire_->is_write_held && !wire_->is_gone) co_await wire_->changed.wait();
    wire_->frames.push_back(std::exchange(partly_, {}));
    co_return net::error_code{};
  }

  asio::awaitable<void> close(net::close_code code, std::string_view reason) override {
    wire_->close_code = static_cast<std::uint16_t>(code);
    wire_->close_reason = std::string(reason);
    wire_->hang_up();
    co_return;
  }

  void abort() noexcept override { wire_->hang_up(); }
  std::pair<std::uint16_t, std::string> close_reason() const override {
    return {wire_->peer_close_code, {}};
  }
  std::string peer() const override { return "fake:1"; }

 private:
  std::shared_ptr<fake_wire> wire_;
  std::string partly_;
  std::string current_;
};

}  // namespace ordeal::chat::test
