// The oracle's view of faults: their windows, the recovery of nodes, and whom a fault excuses.
#include <algorithm>

#include "tests/property/oracle.h"

namespace ordeal::harness {

using fault::fault_state;

namespace {

constexpr std::chrono::seconds in_flight_max{1};

}  // namespace

// ---- Outages

// Two nodes share a room when a client of the plan at each is in it, connected or not. A node with clients shares a
// room with itself.
bool oracle::shares_room(std::size_t a, std::size_t b, moment before) const {
  for (std::size_t c = 0; c < of_.clients.size(); ++c) {
    if (index_of(node_of(client_id(c), before)) != a) continue;
    for (std::size_t d = 0; d < of_.clients.size(); ++d) {
      if (index_of(node_of(client_id(d), before)) != b) continue;
      for (const room_id room : of_.clients[c].rooms) {
        if (is_planned(client_id(d), room)) return true;
      }
    }
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

// A fault's window opens when its injection begins and closes when, after it healed (or failed, as then nobody knows
// what it did), every node where clients are has recovered. A node has recovered once it got, from each node that it
// shares a room with, a message sent after the heal; when another fault heals before that, sent after that.
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

  std::vector<moment> heals;  // of any fault
  for (std::size_t f = 0; f < of_.faults.size(); ++f) {
    bool is_open = false;
    for (const moment i : fault_events_[f]) {
      const fault_state state = at<fault_changed>(i)->state;
      if (state == fault_state::injecting || state == fault_state::active) is_open = true;
      if (state == fault_state::healed || (state == fault_state::failed && is_open))
        heals.push_back(i);
    }
  }
  const auto from = [&](moment now) {
    moment latest = facts.recovering;
    for (const moment heal : heals) {
      if (heal > latest && heal <= now) latest = heal;
    }
    return latest;
  };
  const auto has_heard = [&](std::size_t node, std::size_t origin, moment now) {
    for (const arrival& each : arrivals_) {
      if (each.when <= from(now) || each.when > now || !each.is_first) continue;
      if (index_of(each.what->node) != node) continue;
      const sent_message& message = sent_[each.message];
      const bool is_acknowledged = message.result == outcome::ok && message.settled < each.when;
      const node_id through =
          is_acknowledged ? at<send_settled>(message.settled)->node : message.through;
      if (!is_acknowledged && node_of(message.id.sender, each.when) != through) continue;
      if (index_of(through) != origin || message.at < time_of(events_[from(now)])) continue;
      if (is_open(each.message, each.when)) return true;
    }
    return false;
  };
  for (moment i = facts.recovering + 1; i < end() && facts.closed == never; ++i) {
    if (at<send_invoked>(i) != nullptr) facts.had_traffic = true;
    if (at<delivered>(i) == nullptr && at<client_connected>(i) == nullptr) continue;
    bool are_all_back = true;
    for (std::size_t node = 0; node < of_.nodes; ++node) {
      if (facts.recovered[node] != never || !is_used(node, i + 1)) continue;
      bool has_heard_all = true;
      for (std::size_t origin = 0; origin < of_.nodes && has_heard_all; ++origin) {
        has_heard_all = !shares_room(origin, node, i + 1) || has_heard(node, origin, i);
      }
      if (has_heard_all) {
        facts.recovered[node] = i;
        facts.measured_from[node] = from(i);
      } else {
        are_all_back = false;
      }
    }
    if (are_all_back) facts.closed = i;
  }
  const moment last = facts.closed == never ? (end() == 0 ? 0 : end() - 1) : facts.closed;
  for (std::size_t node = 0; node < of_.nodes; ++node) {
    if (facts.recovered[node] == never) facts.measured_from[node] = from(last);
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
