// Which messages of one sender have arrived at one client: everything from the first to the last,
// minus the gaps. Eight bytes and a pointer as long as nothing is missing; memory grows with the
// open gaps, not with the messages.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace ordeal::harness {

class seq_ranges {
 public:
  enum class placing {
    highest,  // above everything so far
    behind,   // new, but something later of this sender came before it
    repeated  // had come already
  };
  placing add(std::uint32_t seq) {
    if (seq == end_ && end_ != 0) {
      ++end_;
      return placing::highest;
    }
    return add_out_of_line(seq);
  }
  bool has(std::uint32_t seq) const;
  bool is_empty() const { return end_ == 0; }
  // One above the highest that arrived; 0 when nothing has.
  std::uint32_t end() const { return end_; }

 private:
  struct gap {
    std::uint32_t first = 0, end = 0;  // [first, end)
  };

  placing add_out_of_line(std::uint32_t seq);

  std::uint32_t first_ = 0, end_ = 0;       // seqs count from 1
  std::unique_ptr<std::vector<gap>> gaps_;  // sorted, disjoint, within [first_, end_)
};

}  // namespace ordeal::harness
