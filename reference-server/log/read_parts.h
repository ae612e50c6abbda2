// What one read brought, in parts of bounded size: XREAD bounds entries and not bytes. A plain value.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "reference-server/log/entry_codec.h"
#include "reference-server/log/log_commands.h"

namespace ordeal::chat {

inline std::size_t bytes_of(const std::vector<entry_ptr>& entries) {
  std::size_t bytes = 0;
  for (const entry_ptr& each : entries) bytes += entry_bytes(*each);
  return bytes;
}

class read_parts {
 public:
  read_parts(read_answer whole, std::size_t bytes_max)
      : rest_(std::move(whole)), bytes_max_(bytes_max) {}

  // The next entries in order, as many as fit and one at least; everything else that the read said is said by each
  // part, and the beats, which speak of all of it, by the last. A read without entries is one part.
  read_answer take() {
    std::size_t count = 0;
    for (std::size_t bytes = 0; next_ + count < rest_.entries.size(); ++count) {
      bytes += entry_bytes(*rest_.entries[next_ + count]);
      if (count > 0 && bytes > bytes_max_) break;
    }
    read_answer part;
    part.log_id = rest_.log_id;
    part.state = rest_.state;
    part.incarnation = rest_.incarnation;
    part.top = rest_.top;
    part.floor = rest_.floor;
    part.has_foreign_entry = rest_.has_foreign_entry;
    const auto begin = rest_.entries.begin() + static_cast<std::ptrdiff_t>(next_);
    const auto end = begin + static_cast<std::ptrdiff_t>(count);
    part.entries.assign(std::make_move_iterator(begin), std::make_move_iterator(end));
    next_ += count;
    if (is_empty()) part.beats = std::move(rest_.beats);
    return part;
  }

  // Every part was taken, when at least one was.
  bool is_empty() const { return next_ == rest_.entries.size(); }

 private:
  read_answer rest_;
  std::size_t bytes_max_;
  std::size_t next_ = 0;  // entries before it were taken
};

}  // namespace ordeal::chat
