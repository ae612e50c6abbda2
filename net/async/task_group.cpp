#include "net/async/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/async/assert.h"

namespace ordeal::net {

task_group::~task_group() {
  ORDEAL_ASSERT(children_.empty());
}

void task_group::spawn(std::string_view name, asio::awaitable<void> awaitable) {
  if (is_cancelled_) return;
  const auto which = children_.emplace(children_.end());
  which->name = name;
  auto on_end = [this, which](std::exception_ptr failure) { finished(which, failure); };
  asio::co_spawn(ex_, std::move(awaitable),
                 asio::bind_cancellation_slot(which->signal.slot(), std::move(on_end)));
}

void task_group::cancel() {
  is_cancelled_ = true;
  // A child that ends during its emit removes itself: step first.
  for (auto next = children_.begin(); next != children_.end();) {
    const auto which = next++;
    which->signal.emit(asio::cancellation_type::terminal);
  }
}

void task_group::finished(std::list<child>::iterator which, std::exception_ptr failure) {
  const bool is_first_failure = failure && !failure_ && !is_cancelled_;
  if (is_first_failure) {
    failure_ = failure;
    failure_name_ = which->name;
  }
  children_.erase(which);
  if (is_first_failure) cancel();
  if (children_.empty()) changed_.notify_all();
}

asio::awaitable<void> task_group::join() {
  // Joining is clean-up: it must also work after the joiner itself was cancelled.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  while (!children_.empty()) co_await changed_.wait();
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace ordeal::net
