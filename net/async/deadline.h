// A limit on one operation. The only place that races awaitables.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
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

}  // namespace ordeal::net
