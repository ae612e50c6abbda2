#include <csignal>

#include "fault-injection/redis/redis_faults.h"
#include "fault-injection/redis/redis_outage.h"

namespace ordeal::fault {
namespace {

constexpr std::chrono::milliseconds exit_limit{2'000};

std::unique_ptr<fault> make(const fault_spec&, environment& where) {
  return make_redis_outage(where, SIGKILL, exit_limit);
}

}  // namespace

fault_kind redis_kill_kind() {
  fault_kind kind;
  kind.name = "redis_kill";
  kind.klass = fault_class::process;
  kind.target = target_kind::redis;
  kind.duration = duration_use::required;
  kind.doc =
      "Crashes Redis: kill -9, and after `for` a start on the same port with the data that its "
      "persistence has kept "
      "(with `none` and `rdb` that may be less than what was acknowledged). Every connection "
      "breaks and new ones are "
      "refused until then. Confirmed when the process has ended and a new TCP connection is "
      "refused; healed when a new "
      "connection answers PONG under a new run_id.";
  kind.make = make;
  return kind;
}

}  // namespace ordeal::fault
