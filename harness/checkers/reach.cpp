#include "harness/checkers/reach.h"

namespace ordeal::harness {

void reach::on(const backplane_seen& what) {
  is_known_ = true;
  if (what.bytes > 0 && index_of(what.node) < of_.nodes) is_used_[index_of(what.node)] = true;
}

void reach::on(const fault_changed& what) {
  if (what.state != fault::fault_state::injecting) return;
  used_by_.at(what.fault) = is_used_;
  if (used_before_faults_.empty()) used_before_faults_ = is_used_;
}

std::optional<std::vector<node_id>> reach::touched(std::size_t fault) const {
  if (!used_by_[fault]) return std::nullopt;
  const fault_terms& what = of_.faults[fault];
  std::vector<node_id> nodes;
  for (std::size_t n = 0; n < of_.nodes; ++n) {
    const bool is_using = is_known_ ? (*used_by_[fault])[n] : of_.has_backplane;
    if (strikes(what, node_id(n)) || (cuts_off(what, node_id(n)) && is_using))
      nodes.push_back(node_id(n));
  }
  return nodes;
}

}  // namespace ordeal::harness
