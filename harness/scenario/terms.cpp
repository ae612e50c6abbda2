#include "harness/scenario/terms.h"

#include <algorithm>

#include "fault-injection/fault.h"

namespace ordeal::harness {
namespace {

std::string target_of(const fault::fault_spec& spec) {
  const fault::fault_kind* kind = fault::find_kind(spec.kind);
  if (kind != nullptr && kind->target == fault::target_kind::redis) return "redis";
  if (spec.nodes.empty()) return "all nodes";
  std::string names;
  for (const std::size_t node : spec.nodes)
    names += (names.empty() ? "" : ", ") + name_of(node_id(node));
  return names;
}

bool is_aimed_at(const fault_terms& what, node_id node) {
  if (what.target == "all nodes") return true;
  return (", " + what.target + ",").find(", " + name_of(node) + ",") != std::string::npos;
}

}  // namespace

std::chrono::nanoseconds slowest_send_period(const terms& of) {
  std::chrono::nanoseconds slowest = of.send_period;
  for (const phase_plan& phase : of.phases)
    slowest = std::max(slowest, phase.send_period.value_or(slowest));
  return slowest;
}

bool cuts_off(const fault_terms& what, node_id node) {
  return what.kind.starts_with("redis_") ||
         (what.kind.starts_with("link_") && is_aimed_at(what, node));
}

bool strikes(const fault_terms& what, node_id node) {
  return what.kind.starts_with("node_") && is_aimed_at(what, node);
}

std::size_t terms::client_count() const {
  const auto is_planned = [](const seat_terms& client) { return !client.is_deputy; };
  return static_cast<std::size_t>(std::count_if(clients.begin(), clients.end(), is_planned));
}

terms terms_of(const plan& from) {
  terms result;
  result.promises = from.promises;
  result.has_resume_protocol = from.target.protocol.resume != resume_kind::none;
  result.has_backplane = from.target.has_backplane;
  result.nodes = from.scenario.nodes;
  result.rooms = from.room_names;
  for (const client_plan& client : from.clients)
    result.clients.push_back({client.home, client.rooms});
  for (const client_plan& deputy : from.deputies)
    result.clients.push_back({deputy.home, deputy.rooms, true});
  result.phases = from.phases;
  for (const fault::fault_spec& spec : from.faults)
    result.faults.push_back({spec.name, spec.kind, target_of(spec), spec.at});
  result.expectations = from.scenario.expectations;
  result.send_period = from.scenario.load.send_period;
  result.arrival = from.scenario.load.arrival;
  result.publishing_ends = from.publishing_ends;
  result.planned_messages = expect_totals(from).messages;
  result.scenario = from.scenario.name;
  result.scenario_file = from.scenario.file;
  result.description = from.scenario.description;
  result.target = from.target.name;
  result.run_nonce = from.run_nonce;
  result.seed = from.seed;
  return result;
}

}  // namespace ordeal::harness
