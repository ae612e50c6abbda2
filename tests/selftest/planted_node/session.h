// One client: its WebSocket, the hub protocol's handshake, pings and calls, and what waits to be
// sent to it. The calls themselves are the hub's.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/async/condition.h"
#include "net/hub/codec.h"
#include "net/websocket.h"

namespace ordeal::planted {

namespace asio = boost::asio;

class session;

class call_handler {
 public:
  virtual ~call_handler() = default;
  // Answers through who->push(); `call` lives until it returns.
  virtual asio::awaitable<void> handle(std::shared_ptr<session> who,
                                       const net::hub::message& call) = 0;
};

class session : public std::enable_shared_from_this<session> {
 public:
  session(asio::any_io_executor ex, std::uint64_t id, std::unique_ptr<net::websocket> ws);

  std::uint64_t id() const { return id_; }
  std::size_t waiting_count() const { return waiting_.size(); }

  // Until the connection is gone. `handler` outlives it.
  asio::awaitable<void> run(call_handler& handler);
  // A whole record. A client that leaves too much waiting is cut off.
  void push(std::shared_ptr<const std::string> record);
  void push(std::string record);
  void close();

 private:
  asio::awaitable<void> read_loop(call_handler& handler);
  asio::awaitable<bool> take_record(std::string_view record, call_handler& handler);
  asio::awaitable<void> write_loop();
  asio::awaitable<void> ping_loop();

  asio::any_io_executor ex_;
  std::uint64_t id_;
  std::unique_ptr<net::websocket> ws_;
  std::vector<std::shared_ptr<const std::string>> waiting_;
  std::size_t waiting_bytes_ = 0;
  net::condition changed_;
  net::stop_event closed_;
  bool is_greeted_ = false;
};

}  // namespace ordeal::planted
