// Everything that is looked at every second while a run has load, beside the messages: the nodes' processes, Redis'
// connections, the fleet's thread, the machine's clocks. Each becomes an event of the history. Control thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>

#include "harness/run/fleet_thread.h"
#include "harness/run/observers/node_observer.h"
#include "harness/run/test_bed.h"
#include "net/async/condition.h"
#include "net/async/task_group.h"

namespace ordeal::harness {

class observers {
 public:
  // Both outlive it; the nodes run and the fleet is made.
  observers(test_bed& bed, fleet_thread& load);

  void start();
  // When it returns no further event comes.
  net::asio::awaitable<void> stop();

 private:
  net::asio::awaitable<void> watch_nodes();
  net::asio::awaitable<void> watch_redis(fault::managed_redis& redis);
  net::asio::awaitable<void> watch_logs();
  net::asio::awaitable<void> watch_links();
  net::asio::awaitable<void> watch_fleet();
  net::asio::awaitable<void> watch_clocks();

  test_bed& bed_;
  fleet_thread& fleet_;
  net::stop_event stopping_;
  bool is_fleet_watch_over_ = false;  // on the fleet's thread
  net::task_group tasks_;
};

}  // namespace ordeal::harness
