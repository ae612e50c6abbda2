// A scenario file is a scenario or has problems; from a scenario comes a plan that holds together, and from the plan
// the terms of a judgement that survive being stored.
#include "fault-injection/fault.h"
#include "harness/scenario/plan.h"
#include "harness/scenario/problem_list.h"
#include "harness/scenario/scenario_loader.h"
#include "harness/scenario/terms.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::harness;

constexpr std::size_t seat_count_max = 4'096;  // larger fleets are allowed, but take their time

std::optional<std::string> no_environment(const std::string&) {
  return std::nullopt;
}

loaded_scenario load(const std::string& text) {
  scenario_inputs inputs;
  inputs.environment = no_environment;
  return parse_scenario(text, "fuzz.yaml", fault::kinds(), inputs);
}

void try_plan(const scenario& from) {
  const load_recipe& load = from.load;
  if (from.nodes * load.clients_per_node * load.rooms_each > seat_count_max) return;
  const plan made = make_plan(from, target(), 1, "abcd2345");
  ORDEAL_ASSERT(made.clients.size() == from.nodes * load.clients_per_node);
  for (const client_plan& client : made.clients) {
    ORDEAL_ASSERT(index_of(client.home) < from.nodes);
    ORDEAL_ASSERT(client.connect_at >= run_time{} && client.connect_at <= load.ramp);
    for (const room_id room : client.rooms) ORDEAL_ASSERT(index_of(room) < load.rooms);
  }
  run_time end{};
  for (const phase_plan& phase : made.phases) {
    ORDEAL_ASSERT(phase.begins == end && phase.ends > phase.begins);
    end = phase.ends;
  }
  run_time earlier{};
  for (const fault::fault_spec& spec : made.faults) {
    ORDEAL_ASSERT(spec.at >= earlier && spec.at <= end);
    earlier = spec.at;
    for (const std::size_t node : spec.nodes) ORDEAL_ASSERT(node < from.nodes);
  }
  send_schedule schedule(made);
  run_time sent_at{};
  for (int i = 0; i < 8; ++i) {
    const send_schedule::send next = schedule.next();
    ORDEAL_ASSERT(next.at >= sent_at && index_of(next.client) < made.clients.size());
    sent_at = next.at;
  }
  const std::string stored = to_json(terms_of(made));
  ORDEAL_ASSERT(to_json(parse_terms(stored)) == stored);
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string text(text_of(bytes, size));
  const loaded_scenario found = load(text);
  ORDEAL_ASSERT(found.value.has_value() == found.problems.empty());
  const std::string shown = render_all(found.problems, text);
  const loaded_scenario again = load(text);
  ORDEAL_ASSERT(render_all(again.problems, text) == shown);
  if (found.value) try_plan(*found.value);
  return 0;
}
