// Lets the sessions write what was queued for them, paced by the flush policy. One thread; outlets
// outlive their mark or are forgotten before they go.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/async/condition.h"
#include "reference-server/hub/flush_policy.h"
#include "reference-server/hub/out_queue.h"

namespace ordeal::chat {

namespace asio = boost::asio;

// The writing end of a session, as the fan-out sees it.
class outlet {
 public:
  explicit outlet(std::size_t queue_bytes_max) : queue(queue_bytes_max) {}
  virtual ~outlet() = default;

  // Start to write what `queue` holds; cut the client off when it has overflown. Does not block.
  virtual void flush() = 0;

  out_queue queue;
  // Since when nothing of the queue was written although something waits there.
  std::optional<net::time_point> stalled_since;
  bool is_dirty = false;    // the flusher's: marked, not yet flushed
  bool is_crowded = false;  // catch_up's
};

class flusher {
 public:
  flusher(asio::any_io_executor ex, flush_pacing pacing) : policy_(pacing), marked_(ex) {}

  // `out` has something to write.
  void mark(outlet& out) {
    if (out.is_dirty) return;
    out.is_dirty = true;
    if (dirty_.empty()) marked_.notify_all();
    dirty_.push_back(&out);
  }
  void forget(outlet& out);
  // Those with something new since the last flush.
  const std::vector<outlet*>& marked() const { return dirty_; }

  asio::awaitable<void> run();
  void stop();  // flushes what is marked, then run() ends

  std::uint64_t flush_count() const { return flush_count_; }

 private:
  void flush_all();

  flush_policy policy_;
  net::condition marked_;
  std::vector<outlet*> dirty_;
  std::vector<outlet*> flushing_;
  std::uint64_t flush_count_ = 0;
  bool is_stopping_ = false;
};

}  // namespace ordeal::chat
