// Notices that the master has changed while the old one still answers: a demoted master keeps its
// connections, and whoever blocks in XREAD there hears nothing of the switch. Subscribes to a
// sentinel's +switch-master and asks for the address every few seconds besides, because the
// announcement can be missed (centrifugo#1189).
//
// One thread. The owner joins run(); set_current() and the callback's work happen on the same thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "net/async/condition.h"
#include "net/async/random.h"
#include "net/redis/connection.h"

namespace ordeal::net::redis {

class raw_connection;

class master_watch {
 public:
  // Called from run() when another server is the master, and says so itself: close your connections, connect() finds
  // it. Once for each change.
  using other_master = std::function<void(const server_address& master)>;
  static constexpr std::chrono::milliseconds poll_interval_default{2'000};

  master_watch(asio::any_io_executor ex, connection_options options, other_master on_other,
               std::chrono::milliseconds poll_interval = poll_interval_default);
  ~master_watch();

  // Until stop() or cancelled; at once without sentinels in the options. That no sentinel can be reached ends nothing
  // and calls nobody: the connection to the master may be as good as ever.
  asio::awaitable<void> run();
  void stop();

  // Where the connections lead (open_result::at) that the callback is for. Without it there is nothing to compare.
  void set_current(server_address master);

 private:
  asio::awaitable<void> keep_watching();
  asio::awaitable<bool> open(const server_address& sentinel);
  asio::awaitable<void> listen();
  asio::awaitable<void> watch_through_one();
  asio::awaitable<void> poll();
  asio::awaitable<bool> take_master(server_address master);
  asio::awaitable<void> pause();
  void close() noexcept;

  asio::any_io_executor ex_;
  connection_options options_;
  other_master on_other_;
  std::chrono::milliseconds poll_interval_;
  random_stream jitter_;
  std::optional<server_address> current_;
  std::unique_ptr<raw_connection> asking_;
  std::unique_ptr<raw_connection> listening_;
  condition changed_;
  stop_event stop_;
  bool has_news_ = false;
  bool is_lost_ = false;
};

}  // namespace ordeal::net::redis
