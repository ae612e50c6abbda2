// link_reset: the connections of a node are torn down by RST, once or again and again; connecting
// anew works at once.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "fault-injection/link/link_faults.h"
#include "fault-injection/link/toxic_fault.h"
#include "net/async/deadline.h"

namespace ordeal::fault {
namespace {

using asio::ip::tcp;

asio::awaitable<std::pair<net::error_code, std::size_t>> read_byte(tcp::socket& socket) {
  char byte = 0;
  const auto into = asio::buffer(&byte, 1);
  const auto [ec, count] =
      co_await socket.async_read_some(into, asio::as_tuple(asio::use_awaitable));
  co_return std::make_pair(ec, count);
}

class link_reset final : public toxic_fault {
 public:
  link_reset(const fault_spec& spec, environment& env)
      : toxic_fault(spec, env), every_(spec.duration("every")) {}

 private:
  // A connection of our own, there to be reset with the others.
  struct witnessed {
    explicit witnessed(asio::any_io_executor ex) : witness(ex) {}
    tcp::socket witness;
    std::uint64_t open_before = 0;
    std::uint64_t resets_before = 0;
  };

  void poison(toxics& value) const override { value.reset_every = every_; }
  void cure(toxics& value) const override { value.reset_every = {}; }

  asio::awaitable<step_result> inject_link(std::size_t node) override {
    link& target = link_of(node);
    const link_counters before = co_await target.counters();
    auto seen = std::make_unique<witnessed>(env().executor());
    seen->open_before = before.open;
    seen->resets_before = before.resets;
    // Its reply shows that it is through to Redis; when there is none, confirm_link will say so.
    co_await send_canary_on(seen->witness, target.port(), prompt_reply_limit);
    witnesses_.insert_or_assign(node, std::move(seen));

    auto result = co_await toxic_fault::inject_link(node);
    const std::uint64_t count = co_await target.reset_connections();
    result.evidence += ", " + std::to_string(count) + " reset, one of them ours";
    co_return result;
  }

  asio::awaitable<step_result> confirm_link(std::size_t node) override {
    const auto found = witnesses_.find(node);
    if (found == witnesses_.end()) {
      step_result nothing;
      nothing.evidence = "not confirmed: nothing was reset";
      co_return nothing;
    }
    witnessed& seen = *found->second;
    const link_counters after = co_await link_of(node).counters();
    const auto end = co_await net::with_deadline(read_byte(seen.witness), prompt_reply_limit);
    const bool is_witness_reset = end && end->first == asio::error::connection_reset;
    const std::uint64_t resets = after.resets - seen.resets_before;

    step_result result;
    if (seen.open_before == 0) {
      result.evidence = "not confirmed: no connection was open";
      co_return result;
    }
    result.is_ok = is_witness_reset && resets > 1;
    result.evidence = std::to_string(seen.open_before) + " connections were open, " +
                      std::to_string(resets) + " were reset with ours; ours ended with: ";
    result.evidence += end ? end->first.message() : "nothing";
    co_return result;
  }

  net::nanoseconds every_;
  std::map<std::size_t, std::unique_ptr<witnessed>> witnesses_;
};

}  // namespace

fault_kind link_reset_kind() {
  parameter every;
  every.name = "every";
  every.type = parameter_type::duration;
  every.default_text = "0s";
  every.doc = "Reset again so often until the heal, which then needs `for`; 0s: once.";

  fault_kind kind;
  kind.name = "link_reset";
  kind.klass = fault_class::link;
  kind.target = target_kind::link;
  kind.duration = duration_use::optional;
  kind.parameters = {every};
  kind.doc =
      "Resets every open connection between a node and Redis by RST; new ones work at once. "
      "Confirmed by a connection "
      "of the fault's own that is reset with the others; not confirmed when no other was open.";
  kind.make = [](const fault_spec& spec, environment& env) {
    return std::make_unique<link_reset>(spec, env);
  };
  kind.validate = [](const fault_spec& spec) -> std::string {
    if (spec.held || spec.duration("every").count() == 0) return {};
    return "`every` repeats the reset until the heal: say how long with `for`";
  };
  return kind;
}

}  // namespace ordeal::fault
