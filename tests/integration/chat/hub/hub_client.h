// A client of the hub for integration tests: connects, shakes hands, keeps what it receives in
// order. One thread; close it before it goes.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/async/task_group.h"
#include "net/websocket.h"

namespace ordeal::test {

namespace asio = boost::asio;

class hub_client {
 public:
  struct received {
    std::string room, cursor, id, text;
  };

  explicit hub_client(asio::any_io_executor ex) : tasks_(ex), changed_(ex) {}

  // False when it is refused; `query` with '?'.
  asio::awaitable<bool> open(asio::ip::tcp::endpoint node, std::string query = {});
  // The WebSocket only.
  asio::awaitable<bool> open_without_handshake(asio::ip::tcp::endpoint node,
                                               std::string query = {});

  // "=<result>" or "!<error>" of the completion; "closed" when the connection ends before it.
  asio::awaitable<std::string> join(std::string room, std::optional<std::string> cursor);
  asio::awaitable<std::string> send(std::string room, std::string id, std::string text);
  asio::awaitable<std::string> invoke(std::string target, boost::json::array arguments);

  // While paused nothing is read from the socket.
  void pause_reading(bool is_paused);

  asio::awaitable<void> close();

  bool is_open() const { return is_open_; }
  std::vector<received> messages;
  std::vector<std::string> resets;     // "room: reason"
  std::optional<std::string> goodbye;  // the close record's error
  bool may_reconnect = false;          // as the close record says
  std::size_t ping_count = 0;

 private:
  asio::awaitable<void> read_loop();
  asio::awaitable<void> write(std::string record);
  void take(std::string_view record);

  net::task_group tasks_;
  net::condition changed_;
  std::unique_ptr<net::websocket> socket_;
  std::map<std::string, std::string> completions_;
  std::string partial_;
  int last_invocation_ = 0;
  bool is_open_ = false;
  bool is_paused_ = false;
  bool is_writing_ = false;
  bool has_handshaken_ = false;
};

// Polls until `condition()` holds; false when it does not within `limit`.
asio::awaitable<bool> becomes_true(std::function<bool()> condition,
                                   std::chrono::milliseconds limit = std::chrono::seconds(15));

}  // namespace ordeal::test
