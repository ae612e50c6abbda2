// All checkers together: takes the history, gives the verdict. Lives on the fleet's thread. A checker that throws
// makes its check inconclusive, never a pass.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/checkers/checker.h"

namespace ordeal::harness {

struct fault_judgement {
  fault::fault_state state = fault::fault_state::planned;
  std::optional<run_time> active_at, healed_at;
  // By node: from confirmed heal until every node's messages sent after it arrive there; none: not (yet) seen.
  std::vector<std::optional<run_time>> recovery;
  std::uint64_t findings = 0;  // inside its outage window
};

struct latency_summary {
  double p50_ms = 0, p99_ms = 0, max_ms = 0;
  std::optional<double> steady_p99_ms;  // outside of outage windows
  std::uint64_t count = 0;
};

struct totals {
  std::uint64_t sent = 0, ok = 0, fail = 0, info = 0;
  std::uint64_t obligations = 0;  // (message, client) pairs that must be delivered
  std::uint64_t delivered = 0;    // of those, met
  std::uint64_t deliveries = 0;   // everything that arrived
};

// For the live display; cheap enough for four times a second.
struct progress {
  totals counts;
  std::array<std::uint64_t, finding_kind_count> findings{};
  std::uint64_t missing = 0;  // obligations open right now
  latency_summary latency;
  double lag_p99_ms = 0;
};

struct judgement {
  verdict result = verdict::pass;
  std::vector<check_result> checks;
  std::array<std::uint64_t, finding_kind_count> findings{};
  std::vector<finding> examples;  // the first three of each kind
  std::vector<fault_judgement> faults;
  totals counts;
  latency_summary latency;
  double lag_p99_ms = 0;
  std::uint64_t sends_skipped = 0;
  std::string why;  // one sentence about the worst finding; empty on pass
};

// How long after a heal it takes at most to see that a node kept its promise: the promised time, and a round of the
// schedule, in which everybody publishes once.
std::chrono::nanoseconds recovery_limit(const plan& of);

class judge : public event_sink {
 public:
  // `of` outlives the judge. `on_finding` gets every finding at once (violations.jsonl), up to a limit a kind.
  static std::unique_ptr<judge> make(const plan& of,
                                     std::function<void(const finding&)> on_finding);

  virtual progress current() const = 0;
  // Obligations not yet met plus sends not yet settled: zero means drained.
  virtual std::uint64_t open_obligations() const = 0;
  // Has every node recovered from every fault that has healed?
  virtual bool has_recovered() const = 0;
  // Has every probe reached every client it must reach?
  virtual bool are_probes_complete() const = 0;
  // `was_cut_short`: the run was interrupted; what never took place (later faults, probes) is then no failure, but the
  // verdict cannot be pass unless every check that ran had its data: it is inconclusive or fail.
  virtual judgement finish(run_time at, bool was_cut_short) = 0;
};

}  // namespace ordeal::harness
