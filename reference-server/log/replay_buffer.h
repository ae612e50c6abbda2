// The newest messages of the log in memory, for clients that resume: bounded by count and bytes,
// complete from its first index on. Pure.
#pragma once

#include <deque>
#include <vector>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

class replay_buffer {
 public:
  replay_buffer(std::size_t entries_max, std::size_t bytes_max)
      : entries_max_(entries_max), bytes_max_(bytes_max) {}

  // Forgets everything; what comes next has an index above `last_index`.
  void reset(std::uint64_t last_index);

  // A message, above all before it.
  void add(entry_ptr message);

  // True when every message above `after_index` is here.
  bool covers(std::uint64_t after_index) const { return after_index >= complete_after_; }

  // Appends the messages of `room` with after_index < index <= upto_index.
  void collect(std::uint64_t after_index, std::uint64_t upto_index, std::string_view room,
               std::vector<entry_ptr>& into) const;

  std::size_t size() const { return messages_.size(); }

 private:
  std::size_t entries_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t complete_after_ = 0;
  std::deque<entry_ptr> messages_;
};

}  // namespace ordeal::chat
