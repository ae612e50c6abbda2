// link_refuse: Redis is gone as far as a node can tell; its connections are reset and its connects
// refused.
#include <boost/asio/error.hpp>
#include <memory>
#include <string>

#include "fault-injection/link/link_faults.h"
#include "fault-injection/link/toxic_fault.h"

namespace ordeal::fault {
namespace {

class link_refuse final : public toxic_fault {
 public:
  using toxic_fault::toxic_fault;

 private:
  void poison(toxics& value) const override { value.is_refusing = true; }
  void cure(toxics& value) const override { value.is_refusing = false; }

  asio::awaitable<step_result> confirm_link(std::size_t node) override {
    const canary_report canary = co_await send_canary(link_of(node).port(), prompt_reply_limit);
    const link_counters counters = co_await link_of(node).counters();
    step_result result;
    result.is_ok = canary.connect_ec == asio::error::connection_refused && counters.open == 0;
    result.evidence = canary.describe() + ", " + std::to_string(counters.open) +
                      " connections open, " + std::to_string(counters.resets) + " reset so far";
    co_return result;
  }
};

}  // namespace

fault_kind link_refuse_kind() {
  fault_kind kind;
  kind.name = "link_refuse";
  kind.klass = fault_class::link;
  kind.target = target_kind::link;
  kind.duration = duration_use::required;
  kind.doc =
      "Closes the way from a node to Redis: open connections are reset, new ones are refused until "
      "the heal. "
      "Confirmed by a new connection that is refused.";
  kind.make = [](const fault_spec& spec, environment& env) {
    return std::make_unique<link_refuse>(spec, env);
  };
  return kind;
}

}  // namespace ordeal::fault
