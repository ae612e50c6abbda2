// link_latency: a long way to Redis. Order is kept, and throughput is not limited to one chunk a
// delay.
#include <algorithm>
#include <memory>
#include <string>

#include "fault-injection/link/link_faults.h"
#include "fault-injection/link/toxic_fault.h"

namespace ordeal::fault {
namespace {

// A delay that is still in force slows every canary, a busy machine only some.
constexpr int canary_count_healed = 3;

class link_latency final : public toxic_fault {
 public:
  link_latency(const fault_spec& spec, environment& env)
      : toxic_fault(spec, env),
        latency_(spec.duration("latency")),
        jitter_(spec.duration("jitter")) {}

 private:
  void poison(toxics& value) const override {
    value.latency = latency_;
    value.jitter = jitter_;
  }
  void cure(toxics& value) const override {
    value.latency = {};
    value.jitter = {};
  }

  asio::awaitable<step_result> confirm_link(std::size_t node) override {
    const auto expected_max =
        std::chrono::ceil<std::chrono::milliseconds>(2 * (latency_ + jitter_));
    const canary_report canary =
        co_await send_canary(link_of(node).port(), expected_max + prompt_reply_limit);
    step_result result;
    result.is_ok = canary.is_answered() && canary.round_trip >= 2 * latency_;
    result.evidence =
        canary.describe() + ", expected at least " + format_milliseconds(2 * latency_);
    co_return result;
  }

  asio::awaitable<step_result> confirm_link_healed(std::size_t node) override {
    net::nanoseconds shortest = net::nanoseconds::max();
    for (int i = 0; i < canary_count_healed && shortest >= latency_; ++i) {
      const canary_report canary = co_await send_canary(link_of(node).port(), prompt_reply_limit);
      if (!canary.is_answered()) break;
      shortest = std::min(shortest, canary.round_trip);
    }
    if (shortest == net::nanoseconds::max()) {
      co_return co_await toxic_fault::confirm_link_healed(node);
    }
    step_result result;
    result.is_ok = shortest < latency_;
    result.evidence = "PING on a new connection: a reply after " + format_milliseconds(shortest) +
                      ", expected less than " + format_milliseconds(latency_);
    co_return result;
  }

  net::nanoseconds latency_;
  net::nanoseconds jitter_;
};

parameter latency_parameter() {
  parameter row;
  row.name = "latency";
  row.type = parameter_type::duration;
  row.doc = "Delay of everything, in each direction.";
  return row;
}

parameter jitter_parameter() {
  parameter row;
  row.name = "jitter";
  row.type = parameter_type::duration;
  row.default_text = "0ms";
  row.doc = "More delay, drawn anew for each chunk between zero and this; order is kept.";
  return row;
}

}  // namespace

fault_kind link_latency_kind() {
  fault_kind kind;
  kind.name = "link_latency";
  kind.klass = fault_class::link;
  kind.target = target_kind::link;
  kind.duration = duration_use::required;
  kind.parameters = {latency_parameter(), jitter_parameter()};
  kind.doc =
      "Delays everything between a node and Redis, in order and without limiting the throughput. "
      "Confirmed by a PING on "
      "a new connection that takes at least twice the latency, and healed by one that takes less "
      "than it once.";
  kind.make = [](const fault_spec& spec, environment& env) {
    return std::make_unique<link_latency>(spec, env);
  };
  return kind;
}

}  // namespace ordeal::fault
