// The newest entries of the log in memory, for clients that resume and for a Redis that lost them:
// dense in index, bounded by count and bytes. Pure.
#pragma once

#include <deque>
#include <vector>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

class replay_buffer {
 public:
  replay_buffer(std::size_t entries_max, std::size_t bytes_max)
      : entries_max_(entries_max), bytes_max_(bytes_max) {}

  // Forgets everything; the next entry has the index after `last_index`.
  void reset(std::uint64_t last_index);

  // The entry with the next index.
  void add(entry_ptr each);

  // Drops what lies above `index`.
  void truncate(std::uint64_t index);

  // Indexes: everything in [low, end) is here; low == end when it is empty.
  std::uint64_t low() const { return low_; }
  std::uint64_t end() const { return low_ + entries_.size(); }

  // Null when it is not here.
  entry_ptr at(std::uint64_t index) const;

  // True when every entry above `after_index` is here.
  bool covers(std::uint64_t after_index) const { return after_index + 1 >= low_; }

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t entries_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t low_ = 1;
  std::deque<entry_ptr> entries_;
};

}  // namespace ordeal::chat
