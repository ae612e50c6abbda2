// Waiting for something to become true on one thread: a condition (wake-ups without memory, re-check your predicate)
// and a stop_event (set once, stays set; the graceful way to end a loop).
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ordeal::net {

namespace asio = boost::asio;
using error_code = boost::system::error_code;

class condition {
 public:
  explicit condition(asio::any_io_executor ex)
      : timer_(ex, asio::steady_timer::time_point::max()) {}

  // Returns after the next notify_all, or at once when the coroutine is cancelled. Spurious wake-ups are allowed:
  // call it in a loop around a predicate.
  asio::awaitable<void> wait() { co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable)); }

  // As wait, and returns also at `deadline`.
  asio::awaitable<void> wait_until(asio::steady_timer::time_point deadline);

  void notify_all() { timer_.cancel(); }

 private:
  asio::steady_timer timer_;
};

class stop_event {
 public:
  explicit stop_event(asio::any_io_executor ex) : changed_(ex) {}

  void set() {
    is_set_ = true;
    changed_.notify_all();
  }
  bool is_set() const { return is_set_; }

  asio::awaitable<void> wait() {
    while (!is_set_) co_await changed_.wait();
  }

  // Sleeps for `duration` or until the event is set, whichever is first; true when it is set.
  asio::awaitable<bool> wait_for(asio::steady_timer::duration duration);

 private:
  condition changed_;
  bool is_set_ = false;
};

// Sleeps; returns early only when the coroutine is cancelled.
asio::awaitable<void> sleep_for(asio::steady_timer::duration duration);

}  // namespace ordeal::net
