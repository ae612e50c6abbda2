// The thread on which the fleet, the recorder and the judge live. Everything there is reached by
// call(); nothing of it is touched from outside while the thread runs.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "harness/fleet/fleet.h"
#include "harness/run/recorder.h"
#include "net/async/call_on.h"

namespace ordeal::harness {

class fleet_thread {
 public:
  // Starts the thread; the fleet itself is made later, when the nodes' addresses are known.
  fleet_thread(const plan& what, const std::filesystem::path& results, history_mode history,
               net::time_point run_start);
  // Joins; the fleet has been stopped before.
  ~fleet_thread();

  run_time elapsed() const { return net::now() - run_start_; }

  // Runs `work(*this)` over there and returns its result here.
  template <class F>
  net::asio::awaitable<std::invoke_result_t<F, fleet_thread&>> call(F work) {
    auto task = invoke_there(std::move(work), *this);
    return net::call_on(io_.get_executor(), std::move(task));
  }
  // The same for something that waits over there.
  template <class T>
  net::asio::awaitable<T> await(net::asio::awaitable<T> work) {
    return net::call_on(io_.get_executor(), std::move(work));
  }
  // Hands an event over; from any thread.
  void post(event what);
  void post(std::vector<tapped> batch);

  net::asio::awaitable<void> make(std::vector<net::websocket_url> urls);
  // The functions below: over there only.
  harness::fleet& fleet() { return *fleet_; }
  harness::recorder& recorder() { return recorder_; }
  harness::judge& judge() { return recorder_.judge(); }
  // Processor time of this thread so far.
  static std::chrono::nanoseconds cpu_time();

 private:
  template <class F>
  static net::asio::awaitable<std::invoke_result_t<F, fleet_thread&>> invoke_there(
      F work, fleet_thread& self) {
    co_return work(self);
  }

  const plan& plan_;
  net::time_point run_start_;
  net::asio::io_context io_{1};
  net::asio::executor_work_guard<net::asio::io_context::executor_type> keep_running_;
  harness::recorder recorder_;
  std::unique_ptr<harness::fleet> fleet_;
  std::thread thread_;
};

}  // namespace ordeal::harness
