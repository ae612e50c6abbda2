#include "harness/checkers/tally.h"

namespace ordeal::harness {

tally::tally(const terms& of, std::function<void(const finding&)> pass_on)
    : pass_on_(std::move(pass_on)), by_fault_(of.faults.size(), kind_counts{}) {}

void tally::on(finding what) {
  const auto kind = static_cast<std::size_t>(what.kind);
  ++counts_[kind];
  if (what.fault) ++by_fault_.at(*what.fault)[kind];
  if (what.kind == finding_kind::silent_loss) return;
  if (examples_[kind].size() < example_max) examples_[kind].push_back(what);
  if (counts_[kind] <= passed_on_max && pass_on_) pass_on_(what);
}

std::uint64_t tally::count_in_fault(std::size_t fault) const {
  std::uint64_t sum = 0;
  for (std::size_t kind = 0; kind < finding_kind_count; ++kind) {
    if (finding_kind(kind) != finding_kind::silent_loss) sum += by_fault_[fault][kind];
  }
  return sum;
}

std::vector<finding> tally::examples() const {
  std::vector<finding> all;
  for (const auto& some : examples_) all.insert(all.end(), some.begin(), some.end());
  return all;
}

const finding* tally::first(finding_kind kind) const {
  const auto& some = examples_[std::size_t(kind)];
  return some.empty() ? nullptr : &some.front();
}

}  // namespace ordeal::harness
