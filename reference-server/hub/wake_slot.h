// Where one coroutine waits to be resumed by a plain call, within that call: nothing is posted, no
// timer is touched. For the writers of sessions, of which one flush wakes hundreds (a
// net::condition costs a microsecond each there). One waiter, one thread. Cancellation does not
// reach the waiter: whoever cancels it wakes it as well.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "net/async/assert.h"

namespace ordeal::chat {

namespace asio = boost::asio;

class wake_slot {
 public:
  wake_slot() = default;
  wake_slot(const wake_slot&) = delete;
  wake_slot& operator=(const wake_slot&) = delete;

  // Returns within the next wake().
  asio::awaitable<void> wait() {
    ORDEAL_ASSERT(!waiter_);
    auto keep = [this](auto handler) {
      waiter_ = std::make_unique<waiter_of<decltype(handler)>>(std::move(handler));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(keep,
                                                                          asio::use_awaitable);
  }

  bool is_waiting() const { return waiter_ != nullptr; }

  // False when nobody waits.
  bool wake() {
    if (!waiter_) return false;
    const auto woken = std::exchange(waiter_, nullptr);
    woken->resume();
    return true;
  }

 private:
  struct waiter {
    virtual ~waiter() = default;
    virtual void resume() = 0;
  };
  template <class Handler>
  struct waiter_of final : waiter {
    explicit waiter_of(Handler&& from) : handler(std::move(from)) {}
    void resume() override { std::move(handler)(); }
    Handler handler;
  };

  std::unique_ptr<waiter> waiter_;
};

}  // namespace ordeal::chat
