// The oracle's view of faults: their windows, the recovery of nodes, and whom a fault excuses.
#include <algorithm>

#include "tests/property/oracle.h"

namespace ordeal::harness {

using fault::fault_state;

namespace {

constexpr std::chrono::seconds in_flight_max{1};

}  // namespace

// ---- Outages

// A client is where it is or was last, connected or not; a deputy is nowhere before its first connection.
bool oracle::is_there(client_id client, moment before) const {
  if (!of_.clients[index_of(client)].is_deputy) return true;
  const auto found = connections_.find(client);
  return found != connections_.end() && found->second.front() < before;
}

// A node is used when a client is there.
bool oracle::is_used(std::size_t node, moment before) const {
  for (std::size_t c = 0; c < of_.clients.size(); ++c) {
    if (is_there(client_id(c), before) && index_of(node_of(client_id(c), before)) == node)
      return true;
  }
  return false;
}

// Two nodes share a room when each has it: a client in it is there, or has its home there.
bool oracle::shares_room(std::size_t a, std::size_t b, moment before) const {
  const auto has = [&](std::size_t node, room_id room) {
    for (std::size_t c = 0; c < of_.clients.size(); ++c) {
      if (!is_planned(client_id(c), room)) continue;
      if (index_of(of_.clients[c].home) == node) return true;
      if (is_there(client_id(c), before) && index_of(node_of(client_id(c), before)) == node)
        return true;
    }
    return false;
  };
  for (std::size_t r = 0; r < of_.rooms.size(); ++r) {
    if (has(a, room_id(r)) && has(b, room_id(r))) return true;
  }
  return false;
}

// A message proves a path only while it is followed: until it was refused, given up, or has reached
// all it is owed to. (A probe is followed even when its outcome is unknown.)
bool oracle::is_open(std::size_t message, moment before) const {
  const sent_message& of = sent_[message];
  if (of.settled >= before) return true;
  if (of.result == outcome::fail) return false;
  if (of.result == outcome::info && !of.is_probe) return false;
  for (std::size_t c = 0; c < of_.clients.size(); ++c) {
    if (is_owed(message, client_id(c), before) && first_arrival(message, client_id(c)) >= before)
      return true;
  }
  return false;
}

// Recovery is measured from the heal of the fault, or that of a later one. A heal is also the failure of a fault that
// had begun.
moment oracle::measured_since(std::size_t fault, moment now) const {
  moment latest = faults_[fault].recovering;
  for (const auto& changes : fault_events_) {
    bool is_open = false;
    for (const moment i : changes) {
      const fault_state state = at<fault_changed>(i)->state;
      if (state == fault_state::injecting || state == fault_state::active) is_open = true;
      const bool is_heal =
          state == fault_state::healed || (state == fault_state::failed && is_open);
      if (is_heal && i > latest && i <= now) latest = i;
    }
  }
  return latest;
}

// A node has heard another one when a message sent there since then has reached it, and it is known that it was sent
// there: its sender has not moved meanwhile, or it was acknowledged there.
bool oracle::has_heard(std::size_t fault, std::size_t node, std::size_t origin, moment now) const {
  const moment since = measured_since(fault, now);
  for (const arrival& each : arrivals_) {
    if (each.when <= since || each.when > now || !each.is_first) continue;
    if (index_of(each.what->node) != node) continue;
    const sent_message& message = sent_[each.message];
    const bool is_acknowledged = message.result == outcome::ok && message.settled < each.when;
    const node_id through =
        is_acknowledged ? at<send_settled>(message.settled)->node : message.through;
    if (!is_acknowledged && node_of(message.id.sender, each.when) != through) continue;
    if (index_of(through) != origin || message.at < time_of(events_[since])) continue;
    if (is_open(each.message, each.when)) return true;
  }
  return false;
}

// A node is down from the time it ends, or starts, until it is ready.
bool oracle::is_down(std::size_t node, moment before) const {
  bool is_down = false;
  for (moment i = 0; i < before; ++i) {
    const auto* e = at<node_changed>(i);
    if (e != nullptr && index_of(e->node) == node) is_down = e->state != node_state::ready;
  }
  return is_down;
}

// A node is expected to hear those that it shares a room with: itself, and the others unless they are down.
bool oracle::is_expected(std::size_t origin, std::size_t node, moment before) const {
  return shares_room(origin, node, before) && (origin == node || !is_down(origin, before));
}

// A fault's window opens when its injection begins and closes when, after it healed (or failed, as then nobody knows
// what it did), every node has recovered. A node has recovered once somebody is there and it got, from each node that
// it is expected to hear, a message sent after the heal; when another fault heals before that, sent after that.
void oracle::follow_fault(std::size_t fault) {
  fault_facts& facts = faults_[fault];
  facts.measured_from.assign(of_.nodes, never);
  facts.recovered.assign(of_.nodes, never);
  for (const moment i : fault_events_[fault]) {
    const fault_state state = at<fault_changed>(i)->state;
    const bool opens = state == fault_state::injecting || state == fault_state::active ||
                       state == fault_state::healed;
    if (opens && facts.opened == never) facts.opened = i;
    const bool is_over = state == fault_state::healed || state == fault_state::failed;
    if (is_over && facts.opened != never) facts.recovering = i;
  }
  if (facts.recovering == never) return;

  for (moment i = facts.recovering + 1; i < end() && facts.closed == never; ++i) {
    if (at<send_invoked>(i) != nullptr) facts.had_traffic = true;
    if (at<delivered>(i) == nullptr && at<client_connected>(i) == nullptr &&
        at<node_changed>(i) == nullptr)
      continue;
    bool are_all_back = true;
    for (std::size_t node = 0; node < of_.nodes; ++node) {
      if (facts.recovered[node] != never) continue;
      bool has_heard_all = is_used(node, i + 1);
      for (std::size_t origin = 0; origin < of_.nodes && has_heard_all; ++origin) {
        has_heard_all = !is_expected(origin, node, i + 1) || has_heard(fault, node, origin, i);
      }
      if (has_heard_all) {
        facts.recovered[node] = i;
        facts.measured_from[node] = measured_since(fault, i);
      } else {
        are_all_back = false;
      }
    }
    if (are_all_back) facts.closed = i;
  }
  const moment last = facts.closed == never ? (end() == 0 ? 0 : end() - 1) : facts.closed;
  for (std::size_t node = 0; node < of_.nodes; ++node) {
    if (facts.recovered[node] == never) facts.measured_from[node] = measured_since(fault, last);
  }
}

bool oracle::is_window_open(std::size_t fault, moment after) const {
  const fault_facts& facts = faults_[fault];
  return facts.opened != never && facts.opened <= after && facts.closed > after;
}

// Of several open windows the one of the fault that was planned first counts.
std::optional<std::size_t> oracle::outage_at(moment after) const {
  for (std::size_t f = 0; f < faults_.size(); ++f) {
    if (is_window_open(f, after)) return f;
  }
  return std::nullopt;
}

std::optional<std::size_t> oracle::outage_of(const sent_message& message) const {
  return outage_at(message.when);
}

std::optional<std::size_t> oracle::outage_of(const arrival& what) const {
  const auto sent = outage_at(sent_[what.message].when);
  return sent ? sent : outage_at(what.when);
}

// What never arrived was lost in the outage of its send, or in the first one that began while it may still have been
// under way.
std::optional<std::size_t> oracle::outage_of_loss(const sent_message& message) const {
  if (const auto sent = outage_at(message.when)) return sent;
  std::optional<std::size_t> first;
  std::optional<run_time> first_begun;
  for (std::size_t f = 0; f < faults_.size(); ++f) {
    for (const moment i : fault_events_[f]) {
      const auto* e = at<fault_changed>(i);
      if (e->state != fault_state::injecting) continue;
      if (e->at < message.at || e->at > message.at + in_flight_max) continue;
      if (first_begun && *first_begun <= e->at) continue;
      first = f;
      first_begun = e->at;
    }
  }
  return first;
}

// Once a fault failed nobody knows what it did and goes on doing. What was sent after it began, or
// was under way then, may be missing because of it.
bool oracle::is_doubtful(const sent_message& message) const {
  for (const auto& changes : fault_events_) {
    std::optional<run_time> begun;
    for (const moment i : changes) {
      const auto* e = at<fault_changed>(i);
      if (e->state == fault_state::injecting) begun = e->at;
      if (e->state == fault_state::failed && message.at + in_flight_max >= begun.value_or(e->at))
        return true;
    }
  }
  return false;
}

bool oracle::has_failed_fault() const {
  const auto rows = faults();
  return std::any_of(rows.begin(), rows.end(),
                     [](const fault_row& row) { return row.state == fault_state::failed; });
}

// Since when no fault has been in effect (between injecting and healed); nothing while one is, and after one failed.
std::optional<run_time> oracle::calm_since(moment after) const {
  run_time since = run_time::min();
  for (const auto& changes : fault_events_) {
    bool is_in_effect = false;
    for (const moment i : changes) {
      if (i > after) break;
      const auto* e = at<fault_changed>(i);
      if (e->state == fault_state::failed) return std::nullopt;
      is_in_effect = e->state != fault_state::healed && e->state != fault_state::planned;
      if (e->state == fault_state::healed) since = std::max(since, e->at);
    }
    if (is_in_effect) return std::nullopt;
  }
  return since;
}

// An owed message arrives late when the promised time had passed since it was acknowledged, all faults were over, and
// the client had joined on its present connection.
bool oracle::is_late(const arrival& what) const {
  const sent_message& message = sent_[what.message];
  const client_id client = what.what->client;
  if (!what.is_first || message.result != outcome::ok || message.settled > what.when) return false;
  if (!is_owed(what.message, client, what.when)) return false;
  const auto calm = calm_since(what.when);
  if (!calm) return false;
  std::optional<run_time> joined;
  for (const moment i : membership_.at({client, message.id.room})) {
    if (i > what.when) break;
    if (at<join_confirmed>(i) != nullptr) joined = time_of(events_[i]);
    if (at<client_disconnected>(i) != nullptr) joined.reset();
  }
  if (!joined) return false;
  const run_time due_from = std::max({time_of(events_[message.settled]), *calm, *joined});
  return what.what->at - due_from > of_.promises.recovery;
}

bool oracle::has_recovered() const {
  return std::all_of(faults_.begin(), faults_.end(), [](const fault_facts& f) {
    return f.recovering == never || f.closed != never;
  });
}

std::vector<oracle::fault_row> oracle::faults() const {
  std::vector<fault_row> rows;
  for (std::size_t f = 0; f < faults_.size(); ++f) {
    fault_row row;
    for (const moment i : fault_events_[f]) {
      const auto* e = at<fault_changed>(i);
      row.state = e->state;
      if (e->state == fault_state::active) row.active_at = e->at;
      if (e->state == fault_state::healed) row.healed_at = e->at;
    }
    for (std::size_t n = 0; n < of_.nodes; ++n) {
      std::optional<run_time> took;
      if (const moment back = faults_[f].recovered[n]; back != never)
        took = time_of(events_[back]) - time_of(events_[faults_[f].measured_from[n]]);
      row.recovery.push_back(took);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace ordeal::harness
