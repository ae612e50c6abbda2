// A bounded queue between coroutines of one thread (several producers, one consumer). Overflow is the producer's to
// handle: try_push says no, it never drops silently.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "net/async/condition.h"

namespace ordeal::net {

template <class T>
class mailbox {
 public:
  mailbox(asio::any_io_executor ex, std::size_t size_max) : changed_(ex), size_max_(size_max) {}

  // False when the box is full or closed; `item` is then untouched.
  bool try_push(T&& item) {
    if (is_closed_ || items_.size() >= size_max_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  // The next item; nullopt when the box is closed and empty, or the coroutine was cancelled.
  asio::awaitable<std::optional<T>> pop() {
    while (items_.empty() && !is_closed_) {
      co_await changed_.wait();
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) break;
    }
    if (items_.empty()) co_return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    co_return item;
  }

  // What is queued can still be popped.
  void close() {
    is_closed_ = true;
    changed_.notify_all();
  }

  std::size_t size() const { return items_.size(); }
  bool is_closed() const { return is_closed_; }

 private:
  condition changed_;
  std::deque<T> items_;
  std::size_t size_max_;
  bool is_closed_ = false;
};

}  // namespace ordeal::net
