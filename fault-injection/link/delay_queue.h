// What one direction of a connection has read and not yet forwarded: bytes and at last the end of
// the stream, each with the time from which it may go out. First in, first out: a chunk is never
// due before the one ahead of it. No I/O, no clock; one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "net/async/clock.h"

namespace ordeal::fault {

enum class stream_end { none, fin, reset };

class delay_queue {
 public:
  explicit delay_queue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void push(std::string_view bytes, net::time_point arrived, net::nanoseconds delay);
  void push_end(stream_end how, net::time_point arrived, net::nanoseconds delay);

  // Read no more until something was consumed.
  bool is_full() const { return byte_count_ >= bytes_max_; }
  std::size_t byte_count() const { return byte_count_; }

  // When the front may go out; nullopt when there is nothing.
  std::optional<net::time_point> next_due() const;
  // Of the front; there must be one. Its bytes are empty exactly when it is the end.
  std::string_view front_bytes() const;
  stream_end front_end() const { return chunks_.front().end; }
  // Takes `count` bytes off the front; a partly written chunk stays the front.
  void consume(std::size_t count);
  // Forgets everything.
  void clear();

  // The delay was lowered: nothing that waits may wait longer than this since it arrived.
  void limit_delays(net::nanoseconds longest);

 private:
  struct chunk {
    std::string bytes;
    std::size_t consumed = 0;
    stream_end end = stream_end::none;
    net::time_point arrived;
    net::nanoseconds delay{};
    net::time_point due;
  };

  void append(chunk next);

  std::size_t bytes_max_;
  std::size_t byte_count_ = 0;
  std::deque<chunk> chunks_;
};

}  // namespace ordeal::fault
