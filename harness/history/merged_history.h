// The histories of shards, read as one: a merge by time that does not depend on how the inputs are
// grouped or ordered.
//
// - Of the next events of all inputs the first in the order of event_order.h is taken. Events of one input keep their
//   order, whatever their times: at one nanosecond a client may have received several messages.
// - Events about the whole run (is_shared: faults, nodes, phases, what nodes and Redis used) that are equal in every
//   field, time included, are one event. So is a repetition within one input.
// - run_ended comes once, last, and only if every input has it: the latest time, cut short if one was, the highest
//   signal, and of the problems that are not empty the first in the alphabet.
//
// Inputs count times from one zero. One thread; one event an input and the shared ones of an instant in memory.
#pragma once

#include <optional>
#include <vector>

#include "harness/history/event_source.h"

namespace ordeal::harness {

class merged_history final : public event_source {
 public:
  // The inputs outlive it.
  explicit merged_history(std::vector<event_source*> inputs);

  std::optional<event> next() override;

 private:
  struct input {
    event_source* from = nullptr;
    std::optional<event> head;
    std::optional<run_ended> end;
  };
  void advance(input& which);
  bool is_repeated(const event& what) const;
  void remember(const event& what);
  std::optional<event> end();

  std::vector<input> inputs_;
  std::vector<event> shared_;  // taken since `latest_` was reached
  run_time latest_ = run_time::min();
  bool has_ended_ = false;
};

}  // namespace ordeal::harness
