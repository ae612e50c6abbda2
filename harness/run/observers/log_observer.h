// What the nodes' logs say while a run has load: each look gives the new lines, equal ones counted together, without
// the time that they begin with. Bounded: of a node that says much, the lines that speak of trouble. Control thread
// only.
#pragma once

#include <vector>

#include "harness/history/event.h"
#include "harness/run/log_file.h"
#include "harness/run/nodes.h"

namespace ordeal::harness {

// The lines of one node as events: equal ones are one, and there are few of them.
std::vector<reason_heard> reasons_in(const std::vector<std::string>& lines, node_id node,
                                     run_time at, const std::vector<std::string>& secrets);

class log_observer {
 public:
  // From the end of each log on. `nodes` outlives it.
  explicit log_observer(const node_set& nodes);

  std::vector<reason_heard> look(run_time at);

 private:
  const node_set& nodes_;
  std::vector<log_follower> logs_;
};

}  // namespace ordeal::harness
