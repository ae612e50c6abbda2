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
#include "harness/checkers/ending.h"
#include "harness/checkers/reasons.h"

namespace ordeal::harness {

struct fault_judgement {
  fault::fault_state state = fault::fault_state::planned;
  std::optional<run_time> active_at, healed_at;
  // By node: from confirmed heal until every node's messages sent after it arrive there; none: not (yet) seen.
  std::vector<std::optional<run_time>> recovery;
  std::optional<std::vector<node_id>> touched;  // whom it could have touched; none: it never began
  std::uint64_t findings = 0;                   // inside its outage window
  std::string evidence;                         // of a failure to confirm; empty otherwise
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
  ending end;
  verdict result = verdict::pass;
  std::vector<check_result> checks;
  std::array<std::uint64_t, finding_kind_count> findings{};
  std::vector<finding> examples;  // the first three of each kind
  std::vector<fault_judgement> faults;
  std::vector<counted_reason> reasons;  // what was said when something failed
  totals counts;
  latency_summary latency;
  double lag_p99_ms = 0;
  std::uint64_t sends_skipped = 0;
  std::string
      observed;  // the strongest contract this history satisfies, in words; empty: no data to say so
  std::string why;  // one sentence about the worst finding; empty on pass
};

// How long after a heal it takes at most to see that a node kept its promise: the promised time, and a round of the
// schedule at its slowest, in which everybody publishes once. Silent phases come on top.
std::chrono::nanoseconds recovery_limit(const terms& of);

class judge : public event_sink {
 public:
  // `on_finding` gets every finding at once (violations.jsonl), up to a limit a kind. `on_suspicion` is called when a
  // message was skipped somewhere: it may turn out lost, which is certain only at the end.
  static std::unique_ptr<judge> make(terms of, std::function<void(const finding&)> on_finding,
                                     std::function<void()> on_suspicion = {});

  virtual progress current() const = 0;
  // Obligations not yet met plus sends not yet settled: zero means drained.
  virtual std::uint64_t open_obligations() const = 0;
  // Has every node recovered from every fault that has healed?
  virtual bool has_recovered() const = 0;
  // Has every probe reached every client it must reach?
  virtual bool are_probes_complete() const = 0;
  // After the last event, which is run_ended in a history that is whole. A run that was cut short
  // or whose history is torn can be convicted, but never acquitted: what did not take place any
  // more (later faults, probes) is no failure, and of a torn history nothing counts as lost because
  // it had not arrived yet.
  virtual judgement finish() = 0;
};

}  // namespace ordeal::harness
