#include "harness/scenario/plan.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "net/async/assert.h"

namespace ordeal::harness {
namespace {

using std::chrono::nanoseconds;

// Clients go round the nodes, so that nodes have equal counts; on each node they go round the
// rooms, so that every room has members on every node. With too few clients for that, they go round
// the rooms all together.
std::vector<client_plan> seat_clients(const scenario& from) {
  const load_recipe& load = from.load;
  const std::size_t count = from.nodes * load.clients_per_node;
  const bool is_room_everywhere = load.clients_per_node * load.rooms_each >= load.rooms;
  std::vector<client_plan> clients;
  clients.reserve(count);
  for (std::size_t index = 0; index < count; ++index) {
    client_plan client;
    client.id = static_cast<client_id>(index);
    client.home = static_cast<node_id>(index % from.nodes);
    const std::size_t turn = is_room_everywhere ? index / from.nodes : index;
    for (std::size_t seat = 0; seat < load.rooms_each; ++seat) {
      client.rooms.push_back(static_cast<room_id>((turn * load.rooms_each + seat) % load.rooms));
    }
    client.connect_at = nanoseconds(
        static_cast<std::int64_t>(static_cast<double>(load.ramp.count()) *
                                  static_cast<double>(index) / static_cast<double>(count)));
    clients.push_back(std::move(client));
  }
  return clients;
}

// Clients that go to other nodes leave nobody behind: for each room that the plan has on a node, the first client there
// has a deputy.
std::vector<client_plan> seat_deputies(const scenario& from,
                                       const std::vector<client_plan>& clients) {
  std::vector<client_plan> deputies;
  if (!from.load.reconnect_anywhere || from.nodes == 1) return deputies;
  std::set<std::pair<node_id, room_id>> covered;
  for (const client_plan& client : clients) {
    bool is_first = false;
    for (const room_id room : client.rooms)
      is_first = covered.emplace(client.home, room).second || is_first;
    if (!is_first) continue;
    client_plan deputy = client;
    deputy.id = static_cast<client_id>(clients.size() + deputies.size());
    deputy.deputy_of = client.id;
    deputies.push_back(std::move(deputy));
  }
  return deputies;
}

std::vector<phase_plan> place_phases(const std::vector<phase_recipe>& recipes) {
  std::vector<phase_plan> phases;
  run_time begins{};
  for (const phase_recipe& recipe : recipes) {
    phases.push_back({recipe.name, begins, begins + recipe.duration, recipe.send_period});
    begins += recipe.duration;
  }
  return phases;
}

std::vector<fault::fault_spec> place_faults(const std::vector<fault_recipe>& recipes,
                                            const std::vector<phase_plan>& phases) {
  std::vector<fault::fault_spec> faults;
  for (const fault_recipe& recipe : recipes) {
    const auto phase = std::find_if(phases.begin(), phases.end(), [&](const phase_plan& known) {
      return known.name == recipe.phase;
    });
    ORDEAL_ASSERT(phase != phases.end());
    faults.push_back({recipe.name, recipe.kind, recipe.nodes, phase->begins + recipe.offset,
                      recipe.held, recipe.with});
  }
  std::stable_sort(faults.begin(), faults.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return faults;
}

}  // namespace

plan make_plan(scenario from, target with, std::uint64_t seed, std::string run_nonce) {
  plan result;
  result.seed = seed;
  result.run_nonce = std::move(run_nonce);
  result.promises = with.promises;
  result.clients = seat_clients(from);
  result.deputies = seat_deputies(from, result.clients);
  for (std::size_t room = 0; room < from.load.rooms; ++room) {
    // The nonce keeps what other runs left in the same Redis out of this one.
    result.room_names.push_back(result.run_nonce + "-" + name_of(static_cast<room_id>(room)));
  }
  result.phases = place_phases(from.phases);
  result.faults = place_faults(from.faults, result.phases);
  result.publishing_ends = result.phases.empty() ? run_time{} : result.phases.back().ends;
  result.scenario = std::move(from);
  result.target = std::move(with);
  return result;
}

run_time first_send_at(const std::vector<phase_plan>& phases) {
  const auto loud = std::find_if_not(phases.begin(), phases.end(),
                                     [](const phase_plan& phase) { return phase.is_silent(); });
  return loud == phases.begin() ? run_time{} : std::prev(loud)->ends;
}

send_schedule::send_schedule(const plan& from)
    : plan_(&from), arrivals_(from.seed, "arrivals"), senders_(from.seed, "senders") {
  for (const client_plan& client : from.clients) {
    for (const room_id room : client.rooms) order_.emplace_back(client.id, room);
  }
  for (std::size_t left = order_.size(); left > 1; --left) {
    std::swap(order_[left - 1], order_[senders_.below(left)]);
  }
  enter_phases();
}

nanoseconds send_schedule::period() const {
  const nanoseconds usual = plan_->scenario.load.send_period;
  if (phase_ == plan_->phases.size()) return usual;
  return plan_->phases[phase_].send_period.value_or(usual);
}

void send_schedule::enter_phases() {
  while (phase_ < plan_->phases.size()) {
    const phase_plan& phase = plan_->phases[phase_];
    if (phase.is_silent()) next_at_ = phase.ends;
    if (next_at_ < phase.ends) return;
    const nanoseconds before = period();
    ++phase_;
    if (period() != before) next_at_ = phase.ends;
  }
}

send_schedule::send send_schedule::next() {
  const auto& [client, room] = order_[cursor_];
  const send result{next_at_, client, room};
  cursor_ = (cursor_ + 1) % order_.size();
  const load_recipe& load = plan_->scenario.load;
  switch (load.arrival) {
    case arrival_kind::constant:
      next_at_ += period();
      break;
    case arrival_kind::poisson: {
      const double gap = -std::log1p(-arrivals_.unit()) * static_cast<double>(period().count());
      next_at_ += nanoseconds(std::llround(gap));
      break;
    }
  }
  enter_phases();
  return result;
}

expected_totals expect_totals(const plan& of) {
  std::vector<std::uint64_t> members(of.room_names.size());
  for (const client_plan& client : of.clients) {
    for (const room_id room : client.rooms) ++members[index_of(room)];
  }
  expected_totals totals;
  send_schedule schedule(of);
  for (send_schedule::send next = schedule.next(); next.at < of.publishing_ends;
       next = schedule.next()) {
    ++totals.messages;
    totals.deliveries += members[index_of(next.room)];  // the sender is a member and gets its own
  }
  return totals;
}

}  // namespace ordeal::harness
