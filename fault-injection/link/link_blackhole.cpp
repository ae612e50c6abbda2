// link_blackhole: the cut network. See toxics::is_blackhole for what is held back and when it comes
// out.
#include <memory>
#include <string>

#include "fault-injection/link/link_faults.h"
#include "fault-injection/link/toxic_fault.h"

namespace ordeal::fault {
namespace {

constexpr std::chrono::milliseconds silence_limit(300);

class link_blackhole final : public toxic_fault {
 public:
  using toxic_fault::toxic_fault;

 private:
  void poison(toxics& value) const override { value.is_blackhole = true; }
  void cure(toxics& value) const override { value.is_blackhole = false; }

  asio::awaitable<step_result> confirm_link(std::size_t node) override {
    const link_counters before = co_await link_of(node).counters();
    const canary_report canary = co_await send_canary(link_of(node).port(), silence_limit);
    const link_counters after = co_await link_of(node).counters();
    const std::uint64_t forwarded =
        after.bytes_up + after.bytes_down - before.bytes_up - before.bytes_down;
    step_result result;
    result.is_ok = canary.is_silent() && forwarded == 0;
    result.evidence = canary.describe() + ", " + std::to_string(forwarded) +
                      " bytes forwarded meanwhile, " + std::to_string(after.bytes_swallowed) +
                      " held back so far";
    co_return result;
  }
};

}  // namespace

fault_kind link_blackhole_kind() {
  fault_kind kind;
  kind.name = "link_blackhole";
  kind.klass = fault_class::link;
  kind.target = target_kind::link;
  kind.duration = duration_use::required;
  kind.doc =
      "Cuts the network between a node and Redis without closing anything: both sides see silence. "
      "What is sent "
      "meanwhile arrives late and in order after the heal, as TCP would retransmit it; new "
      "connections open and hear "
      "nothing. Confirmed by a PING on a new connection that gets no reply in 300 ms while nothing "
      "is forwarded.";
  kind.make = [](const fault_spec& spec, environment& env) {
    return std::make_unique<link_blackhole>(spec, env);
  };
  return kind;
}

}  // namespace ordeal::fault
