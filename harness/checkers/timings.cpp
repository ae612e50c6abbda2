#include "harness/checkers/timings.h"

#include <algorithm>

namespace ordeal::harness {

std::optional<std::size_t> find_phase(const terms& of, std::string_view name) {
  for (std::size_t i = 0; i < of.phases.size(); ++i) {
    if (of.phases[i].name == name) return i;
  }
  return std::nullopt;
}

void timings::on(const phase_changed& what) {
  if (phase_ && of_.phases[*phase_].is_silent()) silences_.back().second = what.at;
  phase_.reset();
  if (what.kind == phase_kind::declared) phase_ = find_phase(of_, what.name);
  if (phase_ && of_.phases[*phase_].is_silent()) silences_.emplace_back(what.at, run_time::max());
}

run_time timings::silence_between(run_time from, run_time until) const {
  run_time sum{};
  for (const auto& [begins, ends] : silences_)
    sum += std::max(run_time{}, std::min(ends, until) - std::max(begins, from));
  return sum;
}

void timings::on(const delivered& what) {
  const reception& arrived = book_.last_reception();
  if (!arrived.is_new()) return;
  const auto took = what.at - what.intended;
  latency_.add(took);
  if (!arrived.sent_during && !book_.faults().current()) steady_latency_.add(took);
  if (phase_) by_phase_[*phase_].add(took);
}

void timings::on(const generator_lag& what) {
  if (what.was_skipped) {
    ++skipped_;
    if (what.reason == skip_reason::away)
      ++(book_.faults().current() ? away_in_outage_ : away_at_peace_);
  } else {
    lag_.add(what.lag);
  }
}

}  // namespace ordeal::harness
