// One link as the proxy thread sees it: its listener, its connections and the toxics in force.
// Proxy thread only, constructor included.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <set>

#include "fault-injection/link/connection.h"
#include "fault-injection/link/link.h"
#include "net/async/condition.h"
#include "net/async/task_group.h"

namespace ordeal::fault {

class link_core {
 public:
  // Binds a free loopback port and listens; throws std::runtime_error. `tap` may be empty.
  link_core(asio::any_io_executor ex, asio::ip::tcp::endpoint upstream, std::uint64_t seed,
            tap_maker tap);

  // Accepts and forwards until close(); returns when the last connection is gone.
  asio::awaitable<void> run();
  void close();

  std::uint16_t port() const { return local_.port(); }
  const link_counters& counters() const { return state_.counters; }

  void apply(toxics next);
  std::uint64_t reset_connections();

 private:
  void listen();
  void count_open();
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> reset_loop();
  asio::awaitable<void> serve(std::shared_ptr<proxied_connection> connection);

  link_state state_;
  tap_maker tap_;
  asio::ip::tcp::endpoint upstream_;
  asio::ip::tcp::endpoint local_;
  // Bound for the whole life and never listening: while the listener is closed, nobody else can get
  // the port.
  asio::ip::tcp::acceptor reservation_;
  asio::ip::tcp::acceptor listener_;
  net::condition changed_;  // the toxics, or is_closed_
  bool is_closed_ = false;
  std::set<std::shared_ptr<proxied_connection>> open_;
  net::task_group tasks_;
};

}  // namespace ordeal::fault
