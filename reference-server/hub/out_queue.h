// What waits to be written to one client: shared immutable records, in order, bounded in bytes. A
// record that does not fit overflows the queue for good: nothing is ever skipped, the connection
// has to end. No I/O, one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ordeal::chat {

// One encoded hub record. A broadcast is encoded once and shared by the queues of all members.
using record_ptr = std::shared_ptr<const std::string>;

class out_queue {
 public:
  explicit out_queue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // False when the record was not taken: the queue is closed, or has overflown by it.
  bool push(record_ptr record) {
    if (is_closed_ || is_overflown_) return false;
    if (bytes_ + record->size() > bytes_max_) {
      is_overflown_ = true;
      return false;
    }
    append(std::move(record));
    return true;
  }

  // The last record; nothing is accepted after it. What an overflown queue held is dropped: the
  // client reads it again when it resumes from its cursor.
  void close(record_ptr last) {
    if (is_closed_) return;
    is_closed_ = true;
    if (is_overflown_) {
      waiting_.clear();
      bytes_ = in_frame_bytes_;
    }
    append(std::move(last));
  }

  // Everything that goes into the next frame: at least one record, then as many as fit into
  // `frame_bytes_max`. Empty when nothing waits. The records stay counted until written().
  void take(std::vector<record_ptr>& frame, std::size_t frame_bytes_max) {
    frame.clear();
    in_frame_bytes_ = 0;
    auto next = waiting_.begin();
    for (; next != waiting_.end(); ++next) {
      if (next != waiting_.begin() && in_frame_bytes_ + (*next)->size() > frame_bytes_max) break;
      in_frame_bytes_ += (*next)->size();
      frame.push_back(std::move(*next));
    }
    waiting_.erase(waiting_.begin(), next);
  }

  void written() {
    bytes_ -= in_frame_bytes_;
    in_frame_bytes_ = 0;
  }

  bool is_empty() const { return waiting_.empty(); }
  bool is_closed() const { return is_closed_; }
  bool is_overflown() const { return is_overflown_; }
  void overflow() { is_overflown_ = true; }

  // Of everything that is not yet written.
  std::size_t bytes() const { return bytes_; }
  std::size_t bytes_max() const { return bytes_max_; }
  std::size_t count() const { return waiting_.size(); }

 private:
  void append(record_ptr record) {
    bytes_ += record->size();
    waiting_.push_back(std::move(record));
  }

  std::vector<record_ptr> waiting_;
  std::size_t bytes_ = 0;
  std::size_t in_frame_bytes_ = 0;
  std::size_t bytes_max_;
  bool is_closed_ = false;
  bool is_overflown_ = false;
};

}  // namespace ordeal::chat
