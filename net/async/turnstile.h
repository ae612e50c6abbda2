// One at a time, in the order of their coming: for coroutines of one thread that share what only one of them may use.
#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <deque>

#include "net/async/condition.h"

namespace ordeal::net {

class turnstile {
 public:
  explicit turnstile(asio::any_io_executor ex) : ex_(ex) {}
  turnstile(const turnstile&) = delete;
  turnstile& operator=(const turnstile&) = delete;

  // A place in the line, as long as it lives; the first one has the turn. The turnstile outlives it.
  class place {
   public:
    explicit place(turnstile& where) : where_(where), moved_up_(where.ex_) {
      where_.line_.push_back(this);
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() {
      const bool was_first = has_turn();
      std::erase(where_.line_, this);
      if (was_first && !where_.line_.empty()) where_.line_.front()->moved_up_.notify_all();
    }

    bool has_turn() const { return where_.line_.front() == this; }
    // Returns with the turn. A cancelled coroutine throws at its next wait, and leaves the line.
    asio::awaitable<void> wait() {
      while (!has_turn()) co_await moved_up_.wait();
    }

   private:
    turnstile& where_;
    condition moved_up_;
  };

  std::size_t size() const { return line_.size(); }

 private:
  asio::any_io_executor ex_;
  std::deque<place*> line_;
};

}  // namespace ordeal::net
