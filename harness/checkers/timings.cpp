#include "harness/checkers/timings.h"

namespace ordeal::harness {

std::optional<std::size_t> find_phase(const terms& of, std::string_view name) {
  for (std::size_t i = 0; i < of.phases.size(); ++i) {
    if (of.phases[i].name == name) return i;
  }
  return std::nullopt;
}

void timings::on(const phase_changed& what) {
  phase_.reset();
  if (what.kind == phase_kind::declared) phase_ = find_phase(of_, what.name);
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
