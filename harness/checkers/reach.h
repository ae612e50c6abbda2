// Whom each fault could have touched: the nodes that it is aimed at, or that it comes between and Redis - of those that
// were seen to use the Redis under test by the time it began. Folded once per event.
#pragma once

#include <optional>
#include <vector>

#include "harness/history/event.h"
#include "harness/scenario/terms.h"

namespace ordeal::harness {

class reach {
 public:
  explicit reach(const terms& of)
      : of_(of), is_used_(of.nodes, false), used_by_(of.faults.size()) {}

  void on(const backplane_seen& what);
  void on(const fault_changed& what);
  template <class Event>
  void on(const Event&) {}

  // Whether the history says what went over the links at all.
  bool is_known() const { return is_known_; }
  // By node: has it ever sent something to the Redis under test? And had it before the first fault?
  const std::vector<bool>& used() const { return is_used_; }
  const std::vector<bool>& used_before_faults() const {
    return used_before_faults_.empty() ? is_used_ : used_before_faults_;
  }
  // None before it began. A history that says nothing of the links is taken at the word of its terms.
  std::optional<std::vector<node_id>> touched(std::size_t fault) const;

 private:
  const terms& of_;
  bool is_known_ = false;
  std::vector<bool> is_used_;                              // by node, so far
  std::vector<bool> used_before_faults_;                   // empty: there was none yet
  std::vector<std::optional<std::vector<bool>>> used_by_;  // by fault: when it began
};

}  // namespace ordeal::harness
