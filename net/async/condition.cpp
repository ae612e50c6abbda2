#include "net/async/condition.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/async/clock.h"

namespace ordeal::net {

asio::awaitable<void> condition::wait_until(asio::steady_timer::time_point deadline) {
  using namespace asio::experimental::awaitable_operators;
  const auto token = asio::as_tuple(asio::use_awaitable);
  asio::steady_timer limit(timer_.get_executor(), deadline);
  co_await (timer_.async_wait(token) || limit.async_wait(token));
}

asio::awaitable<bool> stop_event::wait_for(asio::steady_timer::duration duration) {
  const auto deadline = now() + duration;
  while (!is_set_ && now() < deadline) co_await changed_.wait_until(deadline);
  co_return is_set_;
}

asio::awaitable<void> sleep_for(asio::steady_timer::duration duration) {
  const auto ex = co_await asio::this_coro::executor;
  asio::steady_timer timer(ex, duration);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace ordeal::net
