// How long everything took: delivery latency from the intended send time (all, outside of outages,
// by declared phase), and the generator's own lateness. Folded once per event, after the ledger.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/checkers/histogram.h"
#include "harness/checkers/ledger.h"

namespace ordeal::harness {

// Index into the plan's phases.
std::optional<std::size_t> find_phase(const terms& of, std::string_view name);

class timings {
 public:
  timings(const terms& of, const ledger& book)
      : of_(of), book_(book), by_phase_(of.phases.size()) {}

  void on(const delivered& what);
  void on(const phase_changed& what);
  void on(const generator_lag& what);
  template <class Event>
  void on(const Event&) {}

  // How long of the time between the two was in phases in which nothing was to be sent.
  run_time silence_between(run_time from, run_time until) const;
  // The declared phase that is on.
  std::optional<std::size_t> phase() const { return phase_; }
  const histogram& latency() const { return latency_; }
  const histogram& steady_latency() const { return steady_latency_; }
  const histogram& latency_in(std::size_t phase) const { return by_phase_[phase]; }
  const histogram& lag() const { return lag_; }
  std::uint64_t skipped() const { return skipped_; }
  // Of those, left out because the target was away: in an outage, and at other times.
  std::uint64_t skipped_away() const { return away_in_outage_ + away_at_peace_; }
  std::uint64_t skipped_away_at_peace() const { return away_at_peace_; }
  std::uint64_t skipped_by_generator() const { return skipped_ - skipped_away(); }

 private:
  const terms& of_;
  const ledger& book_;
  std::optional<std::size_t> phase_;
  std::vector<std::pair<run_time, run_time>> silences_;
  histogram latency_, steady_latency_, lag_;
  std::vector<histogram> by_phase_;
  std::uint64_t skipped_ = 0, away_in_outage_ = 0, away_at_peace_ = 0;
};

}  // namespace ordeal::harness
