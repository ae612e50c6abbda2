// Counts findings as they come, keeps the first of each kind and passes them on, up to a limit a
// kind. A silent loss is only counted: its message was reported as lost already.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "harness/checkers/checker.h"

namespace ordeal::harness {

class tally final : public finding_sink {
 public:
  tally(const terms& of, std::function<void(const finding&)> pass_on);

  void on(finding what) override;
  bool wants_detail(finding_kind kind) const override {
    return kind != finding_kind::silent_loss && count(kind) < passed_on_max;
  }

  bool wants_surroundings(finding_kind kind) const {
    return kind != finding_kind::silent_loss && count(kind) < surroundings_max;
  }

  // Not everything could be judged: that no more of this kind was found proves nothing.
  void leave_open(finding_kind kind) { is_open_[std::size_t(kind)] = true; }
  bool is_left_open(finding_kind kind) const { return is_open_[std::size_t(kind)]; }

  std::uint64_t count(finding_kind kind) const { return counts_[std::size_t(kind)]; }
  const std::array<std::uint64_t, finding_kind_count>& counts() const { return counts_; }
  std::uint64_t count_in_fault(finding_kind kind, std::size_t fault) const {
    return by_fault_[fault][std::size_t(kind)];
  }
  // All kinds together, a silent loss not counted twice.
  std::uint64_t count_in_fault(std::size_t fault) const;
  // The first three of each kind, in the order of kinds.
  std::vector<finding> examples() const;
  const finding* first(finding_kind kind) const;

 private:
  static constexpr std::uint64_t passed_on_max = 1000;
  static constexpr std::uint64_t surroundings_max = 100;
  static constexpr std::size_t example_max = 3;
  using kind_counts = std::array<std::uint64_t, finding_kind_count>;

  std::function<void(const finding&)> pass_on_;
  kind_counts counts_{};
  std::array<bool, finding_kind_count> is_open_{};
  std::vector<kind_counts> by_fault_;
  std::array<std::vector<finding>, finding_kind_count> examples_;
};

}  // namespace ordeal::harness
