// A limit on one operation. The only place that races awaitables.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdint>
#include <optional>

#include "net/async/condition.h"

namespace ordeal::net {

// Awaits `operation` for at most `limit`; nullopt when time ran out: the operation was then cancelled (terminal) and
// awaited, and its result is gone, so afterwards close whatever it worked on. `operation` must report its errors as
// values (as_tuple), not as exceptions.
template <class T>
asio::awaitable<std::optional<T>> with_deadline(asio::awaitable<T> operation,
                                                asio::steady_timer::duration limit) {
  using namespace asio::experimental::awaitable_operators;
  const auto ex = co_await asio::this_coro::executor;
  asio::steady_timer timer(ex, limit);
  auto winner =
      co_await (std::move(operation) || timer.async_wait(asio::as_tuple(asio::use_awaitable)));
  std::optional<T> result;
  if (winner.index() == 0) result.emplace(std::move(std::get<0>(winner)));
  co_return result;
}

// Until `moved()` has not changed for `limit`.
template <class Moved>
asio::awaitable<void> standstill(Moved moved, asio::steady_timer::duration limit) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    const std::uint64_t before = moved();
    timer.expires_after(limit);
    const auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (ec || moved() == before) co_return;
  }
}

// As with_deadline, for an operation that may take long, but not stand still for as long as `limit`: `moved()` is a
// number that changes with what it has done. Noticed after twice that time at the latest.
template <class T, class Moved>
asio::awaitable<std::optional<T>> while_moving(asio::awaitable<T> operation,
                                               asio::steady_timer::duration limit, Moved moved) {
  using namespace asio::experimental::awaitable_operators;
  auto winner = co_await (std::move(operation) || standstill(moved, limit));
  std::optional<T> result;
  if (winner.index() == 0) result.emplace(std::move(std::get<0>(winner)));
  co_return result;
}

}  // namespace ordeal::net
