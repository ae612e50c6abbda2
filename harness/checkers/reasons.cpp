#include "harness/checkers/reasons.h"

#include <algorithm>

#include "harness/history/reason_text.h"

namespace ordeal::harness {

void reasons::on(const reason_heard& what) {
  const row_key key{what.kind, what.text};
  auto row = rows_.find(key);
  if (row == rows_.end()) {
    if (rows_.size() == rows_max) return;  // no recorder writes as many: a history of others
    row = rows_.emplace(key, counted_reason{what.kind, what.text, 0, what.at, what.at, {}}).first;
  }
  counted_reason& known = row->second;
  known.count += what.count;
  known.first = std::min(known.first, what.at);
  known.last = std::max(known.last, what.at);
  if (known.nodes.size() < rows_max) known.nodes.insert(what.node);
  if (what.kind != reason_kind::log || logs_.size() == rows_max) return;
  std::deque<log_entry>& log = logs_[what.node];
  log.push_back({what.at, what.count, &row->first});
  if (log.size() > lines_max) log.pop_front();
}

std::vector<counted_reason> reasons::all() const {
  std::vector<counted_reason> sorted;
  for (const auto& [key, row] : rows_) {
    if (row.kind != reason_kind::log || speaks_of_trouble(row.text)) sorted.push_back(row);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.count > b.count;
  });
  return sorted;
}

std::vector<surroundings::log_line> reasons::said_by(node_id node, run_time from,
                                                     run_time until) const {
  std::vector<surroundings::log_line> lines;
  const auto found = logs_.find(node);
  if (found == logs_.end()) return lines;
  for (const log_entry& each : found->second) {
    if (each.at < from || each.at > until) continue;
    const std::string& text = each.what->second;
    const auto same = std::find_if(lines.begin(), lines.end(),
                                   [&text](const auto& line) { return line.text == text; });
    if (same == lines.end()) {
      lines.push_back({each.at, each.count, text});
    } else {
      same->count += each.count;
    }
  }
  const auto is_trouble = [](const auto& line) { return speaks_of_trouble(line.text); };
  std::stable_partition(lines.begin(), lines.end(), is_trouble);
  if (lines.size() > lines_shown) lines.resize(lines_shown);
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return lines;
}

}  // namespace ordeal::harness
