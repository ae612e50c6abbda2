// A checker is a pure fold over the history: streaming, linear, no I/O, no clock. One file each; registered in
// judge.cpp. Its memory does not grow with the length of the run beyond what it could not settle yet.
#pragma once

#include <memory>
#include <vector>

#include "harness/checkers/finding.h"
#include "harness/scenario/terms.h"

namespace ordeal::harness {

// Where findings go, as they are found. The judge counts them, keeps the first of each kind and passes all of them on
// to violations.jsonl.
class finding_sink {
 public:
  virtual ~finding_sink() = default;
  virtual void on(finding what) = 0;
  // False once only the count of this kind matters: composing the sentence would be wasted.
  virtual bool wants_detail(finding_kind) const { return true; }
};

class checker {
 public:
  virtual ~checker() = default;
  virtual const char* id() const = 0;

  // Only what a checker needs is overridden.
  virtual void on(const send_invoked&) {}
  virtual void on(const send_settled&) {}
  virtual void on(const delivered&) {}
  virtual void on(const join_invoked&) {}
  virtual void on(const join_confirmed&) {}
  virtual void on(const room_left&) {}
  virtual void on(const reset_received&) {}
  virtual void on(const client_connected&) {}
  virtual void on(const client_disconnected&) {}
  virtual void on(const fault_changed&) {}
  virtual void on(const node_changed&) {}
  virtual void on(const phase_changed&) {}
  virtual void on(const generator_lag&) {}
  virtual void on(const tapped&) {}
  virtual void on(const node_usage&) {}
  virtual void on(const redis_usage&) {}
  virtual void on(const observer_usage&) {}
  virtual void on(const clock_jumped&) {}
  virtual void on(const run_ended&) {}
  virtual void on(const reason_heard&) {}
  virtual void on(const backplane_seen&) {}

  // Known once it has finished: the harness itself was in trouble, so that no time it measured proves anything.
  virtual bool casts_doubt_on_times() const { return false; }

  // The history is over: report what only its end can show, and say how the check ended under the plan's contract.
  virtual check_result finish(run_time at) = 0;
};

}  // namespace ordeal::harness
