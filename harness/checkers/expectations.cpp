// The scenario's own bounds (`expect:`), one check a row. A metric without a value is no pass.
#include <algorithm>
#include <cmath>

#include "harness/checkers/checkers.h"
#include "harness/seconds.h"

namespace ordeal::harness {
namespace {

struct measured {
  std::optional<double> value;  // none: nothing was measured
  bool is_duration = false;
};

const char* name_of(expected_stat stat) {
  switch (stat) {
    case expected_stat::max:
      return "max";
    case expected_stat::p50:
      return "p50";
    case expected_stat::p95:
      return "p95";
    case expected_stat::p99:
      return "p99";
    case expected_stat::min:
      return "min";
    case expected_stat::count:
      return "count";
  }
  return "?";
}

double share_of(expected_stat stat) {
  switch (stat) {
    case expected_stat::p50:
      return 0.5;
    case expected_stat::p95:
      return 0.95;
    case expected_stat::p99:
      return 0.99;
    case expected_stat::max:
    case expected_stat::min:
    case expected_stat::count:
      return 1.0;
  }
  return 1.0;
}

measured stat_of(const histogram& values, expected_stat stat) {
  if (stat == expected_stat::count) return {static_cast<double>(values.count()), false};
  if (values.count() == 0) return {std::nullopt, true};
  if (stat == expected_stat::min) return {seconds(values.min()), true};
  if (stat == expected_stat::max) return {seconds(values.max()), true};
  return {seconds(values.quantile(share_of(stat))), true};
}

measured stat_of(std::vector<run_time> values, expected_stat stat) {
  if (stat == expected_stat::count) return {static_cast<double>(values.size()), false};
  if (values.empty()) return {std::nullopt, true};
  std::sort(values.begin(), values.end());
  if (stat == expected_stat::min) return {seconds(values.front()), true};
  const auto rank = std::ceil(share_of(stat) * static_cast<double>(values.size()));
  return {seconds(values[static_cast<std::size_t>(rank) - 1]), true};
}

class expectation_check final : public checker {
 public:
  expectation_check(const bench& at, const expectation& row, std::size_t index)
      : at_(at), row_(row), id_("expect[" + std::to_string(index) + "]") {}
  const char* id() const override { return id_.c_str(); }

  check_result finish(run_time) override {
    const measured now = measure();
    const std::string what = title();
    if (!now.value) return {id_, verdict::inconclusive, what + ": nothing was measured"};
    std::string bounds;
    if (row_.max) bounds += ", at most " + text(*row_.max, now.is_duration);
    if (row_.min) bounds += ", at least " + text(*row_.min, now.is_duration);
    const bool is_outside =
        (row_.max && *now.value > *row_.max) || (row_.min && *now.value < *row_.min);
    const std::string detail = what + " " + text(*now.value, now.is_duration) + bounds;
    if (!is_outside && row_.metric == "recovery_time" && is_recovering())
      return {id_, verdict::inconclusive, detail + ", but not every node recovered"};
    return {id_, is_outside ? verdict::fail : verdict::pass, detail};
  }

 private:
  static std::string text(double value, bool is_duration) {
    if (!is_duration) return std::to_string(std::llround(value));
    return text_of_duration(std::chrono::nanoseconds(std::llround(value * 1e9)));
  }

  std::string title() const {
    std::string words = row_.metric;
    if (row_.metric == "recovery_time" || row_.metric == "delivery_latency" ||
        row_.metric == "generator_lag") {
      words += std::string(" ") + name_of(row_.stat);
    }
    if (!row_.when.empty()) words += " (" + row_.when + ")";
    if (!row_.fault.empty()) words += " (" + row_.fault + ")";
    return words;
  }

  measured measure() const {
    if (row_.metric == "recovery_time") return stat_of(recovery_times(), row_.stat);
    if (row_.metric == "generator_lag") return stat_of(at_.times.lag(), row_.stat);
    if (row_.metric == "delivery_latency") {
      if (row_.when.empty()) return stat_of(at_.times.latency(), row_.stat);
      const auto phase = find_phase(at_.of, row_.when);
      return phase ? stat_of(at_.times.latency_in(*phase), row_.stat) : measured{};
    }
    for (std::size_t kind = 0; kind < finding_kind_count; ++kind) {
      if (row_.metric == harness::name_of(finding_kind(kind))) {
        return {static_cast<double>(at_.found.count(finding_kind(kind))), false};
      }
    }
    return {};
  }

  bool is_about(std::size_t fault) const {
    return row_.fault.empty() || at_.of.faults[fault].name == row_.fault;
  }

  // A time that is not over yet is none of the values.
  bool is_recovering() const {
    const auto& courses = at_.book.faults().courses();
    for (std::size_t f = 0; f < courses.size(); ++f) {
      if (is_about(f) && courses[f].is_recovering) return true;
    }
    return false;
  }

  std::vector<run_time> recovery_times() const {
    std::vector<run_time> times;
    for (std::size_t f = 0; f < at_.of.faults.size(); ++f) {
      if (!is_about(f)) continue;
      for (const node_course& node : at_.book.faults().courses()[f].nodes) {
        if (node.took) times.push_back(*node.took);
      }
    }
    return times;
  }

  const bench at_;
  const expectation row_;
  const std::string id_;
};

}  // namespace

std::vector<std::unique_ptr<checker>> make_expectations(const bench& at) {
  std::vector<std::unique_ptr<checker>> checks;
  for (const expectation& row : at.of.expectations) {
    checks.push_back(std::make_unique<expectation_check>(at, row, checks.size()));
  }
  return checks;
}

}  // namespace ordeal::harness
