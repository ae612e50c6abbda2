// The epochs of a log, oldest first: each begins at the index of its barrier and ends where the
// next begins. An epoch's number is used once in all branches of a log, so (epoch, index) names one
// entry for ever. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

class epoch_chain {
 public:
  struct segment {
    std::uint64_t epoch = 0;
    std::uint64_t first = 0;  // index
    friend bool operator==(const segment&, const segment&) = default;
  };

  // In any order, each epoch once.
  void add(std::uint64_t epoch, std::uint64_t first);

  bool empty() const { return segments_.empty(); }
  const std::vector<segment>& segments() const { return segments_; }

  // The index of the last entry of `epoch` when the log ends at `top`; nullopt: not an epoch of this chain.
  std::optional<std::uint64_t> end_of(std::uint64_t epoch, std::uint64_t top) const;
  // Is there an entry at `at`, or was there one before it was trimmed, when the log ends at `top`?
  bool holds(position at, std::uint64_t top) const;
  // The epoch of the entry at `index`; 0 when it lies before the first segment.
  std::uint64_t epoch_at(std::uint64_t index) const;

  // Only what begins at or below `index`.
  epoch_chain up_to(std::uint64_t index) const;

  friend bool operator==(const epoch_chain&, const epoch_chain&) = default;

 private:
  std::vector<segment> segments_;  // by first
};

// The newest position that both logs hold: the end of what they have in common. {0, 0}: nothing.
position common_position(const epoch_chain& one, position one_last, const epoch_chain& other,
                         std::uint64_t other_top);

// Epochs count up in terms; the digits below keep two recoveries that know nothing of each other apart.
inline constexpr std::uint64_t epochs_per_term = 1'000'000;
inline constexpr std::uint64_t term_of(std::uint64_t epoch) {
  return epoch / epochs_per_term;
}

// Has a log that reaches `one` gone further than one that reaches `other`? On one branch this is their order; between
// branches, and between logs, the later term decides, then the length.
inline bool is_further(position one, position other) {
  if (term_of(one.epoch) != term_of(other.epoch)) return term_of(one.epoch) > term_of(other.epoch);
  if (one.index != other.index) return one.index > other.index;
  return one.epoch > other.epoch;
}

}  // namespace ordeal::chat
