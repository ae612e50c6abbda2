#include <csignal>

#include "fault-injection/redis/redis_faults.h"
#include "fault-injection/redis/redis_outage.h"

namespace ordeal::fault {
namespace {

// A server that is told to end first writes its data to disk.
constexpr std::chrono::milliseconds exit_limit{10'000};

std::unique_ptr<fault> make(const fault_spec&, environment& where) {
  return make_redis_outage(where, SIGTERM, exit_limit);
}

}  // namespace

fault_kind redis_stop_kind() {
  fault_kind kind;
  kind.name = "redis_stop";
  kind.klass = fault_class::process;
  kind.target = target_kind::redis;
  kind.duration = duration_use::required;
  kind.doc =
      "Stops Redis in order, as a package upgrade does: SIGTERM, on which it saves its data and "
      "closes every "
      "connection, and after `for` a start on the same port. Confirmed when the process has ended "
      "and a new TCP "
      "connection is refused; healed when a new connection answers PONG under a new run_id.";
  kind.make = make;
  return kind;
}

}  // namespace ordeal::fault
