#include "reference-server/hub/flusher.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace ordeal::chat {

void flusher::forget(outlet& out) {
  if (!out.is_dirty) return;
  out.is_dirty = false;
  std::erase(dirty_, &out);
}

void flusher::flush_all() {
  flushing_.swap(dirty_);
  for (outlet* out : flushing_) {
    out->is_dirty = false;
    out->flush();
  }
  flushing_.clear();
  ++flush_count_;
}

asio::awaitable<void> flusher::run() {
  const auto ex = co_await asio::this_coro::executor;
  while (!is_stopping_) {
    if (dirty_.empty()) {
      co_await marked_.wait();
      continue;
    }
    const auto now = net::now();
    if (now < policy_.due()) {
      co_await net::sleep_for(policy_.due() - now);
      continue;
    }
    flush_all();
    // The queue of handlers is first in, first out: when this comes back, every session that was
    // woken has made its system call, and the time since `now` is what the flush cost.
    co_await asio::post(ex, asio::use_awaitable);
    policy_.on_flushed(now, net::now());
  }
  flush_all();
}

void flusher::stop() {
  is_stopping_ = true;
  marked_.notify_all();
}

}  // namespace ordeal::chat
