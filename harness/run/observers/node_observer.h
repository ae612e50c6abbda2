// What each node's process uses, from /proc: the process that was launched, not what it starts itself. A node that is
// away, killed or stopped, gives nothing. Control thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/history/event.h"
#include "harness/run/nodes.h"

namespace ordeal::harness {

// The resident pages in a line of /proc/PID/statm; nullopt when it is no such line.
std::optional<std::uint64_t> parse_resident_pages(std::string_view line);

class node_observer {
 public:
  // `nodes` outlives it.
  explicit node_observer(node_set& nodes);

  // One sample of each node that runs. `now` tells the time, which is read again for each: to look at one may take
  // long, on a busy machine or where there are many descriptors.
  std::vector<node_usage> look(const std::function<run_time()>& now);

 private:
  struct course {
    pid_t pid = -1;
    std::uint32_t incarnation = 0;
    std::uint32_t descriptors = 0;
    run_time count_again_at{};  // the descriptors
  };

  std::optional<node_usage> look_at(std::size_t index, pid_t pid,
                                    const std::function<run_time()>& now);

  node_set& nodes_;
  std::vector<course> courses_;
};

}  // namespace ordeal::harness
