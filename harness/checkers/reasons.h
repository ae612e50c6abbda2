// What was heard when something failed, counted by text; and what each node's log said when, for the findings about it.
// Bounded, whatever the history holds. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/checkers/finding.h"

namespace ordeal::harness {

struct counted_reason {
  reason_kind kind{};
  std::string text;
  std::uint64_t count = 0;
  run_time first{}, last{};
  std::set<node_id> nodes;
};

class reasons {
 public:
  void on(const reason_heard& what);
  template <class Event>
  void on(const Event&) {}

  // Most frequent first within each kind; of logs only the lines that speak of trouble.
  std::vector<counted_reason> all() const;
  // What the node said from there to there, in order of time: trouble before other lines, if there is too much.
  std::vector<surroundings::log_line> said_by(node_id node, run_time from, run_time until) const;

 private:
  static constexpr std::size_t rows_max = 1'024, lines_max = 2'048, lines_shown = 5;
  using row_key = std::pair<reason_kind, std::string>;
  struct log_entry {
    run_time at{};
    std::uint32_t count = 0;
    const row_key* what = nullptr;
  };

  std::map<row_key, counted_reason> rows_;
  std::map<node_id, std::deque<log_entry>> logs_;
};

}  // namespace ordeal::harness
