// The messages of one sender into one room that are not done with: unsettled, or owed to somebody.
// Those that are complete are forgotten, so memory is what is under way plus what was lost.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "harness/history/event.h"

namespace ordeal::harness {

enum class send_state : std::uint8_t { pending, ok, refused, unknown };

// A set of nodes; those from the 65th on are not kept, and nothing is said about them.
class node_set_bits {
 public:
  void add(node_id node) {
    if (index_of(node) < 64) bits_ |= std::uint64_t{1} << index_of(node);
  }
  bool has(node_id node) const { return index_of(node) < 64 && (bits_ >> index_of(node) & 1) != 0; }
  bool is_empty() const { return bits_ == 0; }

 private:
  std::uint64_t bits_ = 0;
};

struct open_message {
  run_time invoked_at{};
  run_time settled_at{};
  std::uint64_t ordinal = 0;   // the how manieth of the run, from 1
  node_set_bits reached;       // nodes on which a client has got it
  node_set_bits from_redis;    // nodes to which Redis sent it
  node_id origin{};            // through which it was sent; then the one that acknowledged it
  std::uint32_t must = 0;      // clients that must get it if it is acknowledged
  std::uint32_t present = 0;   // clients that should have been there when it was sent
  std::uint32_t met = 0;       // of those, have got it
  std::uint32_t arrivals = 0;  // at anybody, not counting repetitions
  send_state state = send_state::pending;
  bool is_probe = false;
  bool was_sent_to_redis = false, was_accepted_by_redis = false, was_refused_by_redis = false;

  std::uint32_t owed() const { return must - met; }
  bool is_done() const {
    switch (state) {
      case send_state::pending:
        return false;
      case send_state::refused:
        return true;
      case send_state::ok:
        return met == must;
      case send_state::unknown:
        return !is_probe || met == must;
    }
    return false;
  }
};

class open_messages {
 public:
  // The seq of the next message; seqs are dense from 1.
  std::uint32_t next_seq() const {
    return base_ + static_cast<std::uint32_t>(recent_.size() - head_);
  }
  void append(const open_message& what) { recent_.push_back(what); }

  // Null when it was never sent or is done with.
  const open_message* find(std::uint32_t seq) const {
    if (seq >= base_) {
      const std::size_t at = head_ + (seq - base_);
      return at < recent_.size() && !recent_[at].is_done() ? &recent_[at] : nullptr;
    }
    return stuck_.empty() ? nullptr : find_stuck(seq);
  }
  open_message* find(std::uint32_t seq) {
    return const_cast<open_message*>(std::as_const(*this).find(seq));
  }

  // Forgets what is done with; call it after `seq` changed.
  void forget_done(std::uint32_t seq) {
    if (seq == base_) {
      advance();
    } else if (seq < base_ && !stuck_.empty()) {
      const auto it = stuck_.find(seq);
      if (it != stuck_.end() && it->second.is_done()) stuck_.erase(it);
    } else if (recent_.size() - head_ > recent_max) {
      advance();
    }
  }
  // ... or any from `first` on did.
  void forget_done_from(std::uint32_t first);

  // In order of seq; `visit(seq, message)`.
  template <class F>
  void for_each_from(std::uint32_t first, F visit) {
    for (auto it = stuck_.lower_bound(first); it != stuck_.end(); ++it)
      visit(it->first, it->second);
    for (std::size_t i = head_ + (first > base_ ? first - base_ : 0); i < recent_.size(); ++i) {
      if (!recent_[i].is_done()) visit(base_ + static_cast<std::uint32_t>(i - head_), recent_[i]);
    }
  }
  template <class F>
  void for_each(F visit) const {
    for (const auto& [seq, message] : stuck_) visit(seq, message);
    for (std::size_t i = head_; i < recent_.size(); ++i) {
      if (!recent_[i].is_done()) visit(base_ + static_cast<std::uint32_t>(i - head_), recent_[i]);
    }
  }

 private:
  static constexpr std::size_t recent_max = 1024;

  const open_message* find_stuck(std::uint32_t seq) const;
  void advance();

  std::vector<open_message> recent_;  // recent_[head_] has seq base_
  std::size_t head_ = 0;
  std::uint32_t base_ = 1;
  std::map<std::uint32_t, open_message> stuck_;  // older ones that something is still missing of
};

}  // namespace ordeal::harness
