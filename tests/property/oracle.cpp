#include "tests/property/oracle.h"

#include <algorithm>
#include <bitset>

#include "harness/checkers/judge.h"

namespace ordeal::harness {
namespace {

// What was under way when a client left may still arrive that long after.
constexpr std::chrono::seconds leave_grace{2};

}  // namespace

// ---- Reading: lists of what happened

oracle::oracle(const terms& of, std::span<const event> events) : of_(of), events_(events) {
  has_ended_ = !events.empty() && std::holds_alternative<run_ended>(events.back());
  fault_events_.resize(of.faults.size());
  read();
  sort_arrivals();
  for (std::size_t f = 0; f < of_.faults.size(); ++f) {
    faults_.emplace_back();
    follow_fault(f);
  }
}

void oracle::note(moment i, const send_invoked& what) {
  sent_.push_back({what.id, i, what.at, what.node, is_probing(i), never, {}});
}
void oracle::note(moment i, const send_settled& what) {
  sent_message& message = sent_.at(index_of_message(what.id, i));
  message.settled = i;
  message.result = what.result;
}
void oracle::note(moment i, const delivered& what) {
  arrivals_.push_back({i, &what});
}
void oracle::note(moment i, const join_invoked& what) {
  membership_[{what.client, what.room}].push_back(i);
}
void oracle::note(moment i, const join_confirmed& what) {
  membership_[{what.client, what.room}].push_back(i);
}
void oracle::note(moment i, const room_left& what) {
  membership_[{what.client, what.room}].push_back(i);
}
void oracle::note(moment i, const reset_received& what) {
  membership_[{what.client, what.room}].push_back(i);
}
void oracle::note(moment i, const client_connected& what) {
  connections_[what.client].push_back(i);
}
void oracle::note(moment i, const client_disconnected& what) {
  for (const room_id room : of_.clients[index_of(what.client)].rooms) {
    membership_[{what.client, room}].push_back(i);
  }
}
void oracle::note(moment i, const fault_changed& what) {
  fault_events_.at(what.fault).push_back(i);
}
void oracle::note(moment i, const phase_changed&) {
  phases_.push_back(i);
}

void oracle::read() {
  for (moment i = 0; i < end(); ++i) {
    std::visit([this, i](const auto& what) { note(i, what); }, events_[i]);
  }
  for (const sent_message& message : sent_) {
    auto& ends = claim_ends_.emplace_back();
    auto& members = was_member_.emplace_back();
    for (std::size_t c = 0; c < of_.clients.size(); ++c) {
      ends.push_back(claim_end(client_id(c), message.id.room, message.when));
      members.push_back(is_member(client_id(c), message.id.room, message.when));
    }
  }
}

std::size_t oracle::index_of_message(const message_id& id, moment before) const {
  for (std::size_t m = 0; m < sent_.size() && sent_[m].when < before; ++m) {
    if (sent_[m].id == id) return m;
  }
  return never;
}

bool oracle::is_planned(client_id client, room_id room) const {
  if (index_of(client) >= of_.clients.size()) return false;
  const auto& rooms = of_.clients[index_of(client)].rooms;
  return std::find(rooms.begin(), rooms.end(), room) != rooms.end();
}

// An arrival is damaged (corrupt), not of this run (foreign), or of a message that had not been
// sent by then (unknown); else it came under another room than the message was sent into (wrong
// room), or to a client that never asked for the room, or left it more than the grace ago and has
// not asked again (stranger). Only what remains is good, and counts as the message having arrived.
oracle::sort oracle::sort_of(const delivered& what, moment when, std::size_t& message) const {
  if (what.payload == payload_state::corrupt) return sort::corrupt;
  if (what.payload != payload_state::intact) return sort::foreign;
  message = index_of_message(what.id, when);
  if (message == never) return sort::unknown;
  if (!what.is_known_room || what.room != what.id.room) return sort::wrong_room;
  if (!is_planned(what.client, what.room)) return sort::stranger;
  const join_invoked* asked = nullptr;
  const room_left* left = nullptr;  // after the latest request
  for (const moment i : membership_.at({what.client, what.room})) {
    if (i > when) break;
    if (const auto* e = at<join_invoked>(i)) {
      asked = e;
      left = nullptr;
    }
    if (const auto* e = at<room_left>(i)) left = e;
  }
  if (asked == nullptr) return sort::stranger;
  if (left != nullptr && left->at + leave_grace < what.at) return sort::stranger;
  return sort::good;
}

void oracle::sort_arrivals() {
  for (std::size_t c = 0; c < of_.clients.size(); ++c) {
    for (const room_id room : of_.clients[c].rooms) membership_[{client_id(c), room}];
  }
  first_arrivals_.assign(sent_.size(), std::vector<moment>(of_.clients.size(), never));
  for (arrival& each : arrivals_) {
    each.is = sort_of(*each.what, each.when, each.message);
    if (each.is != sort::good) continue;
    moment& first = first_arrivals_[each.message][index_of(each.what->client)];
    each.is_first = first == never;
    first = std::min(first, each.when);
  }
}

// ---- Membership: whom messages are owed to

// A claim ends when the client leaves, asks to join afresh, or loses its connection to a target that cannot resume. A
// goodbye at the end of the run ends nothing, and neither does a reset: it tells, but does not deliver.
bool oracle::ends_claim(client_id client, room_id room, moment when) const {
  if (const auto* e = at<room_left>(when)) return e->client == client && e->room == room;
  if (const auto* e = at<join_invoked>(when))
    return e->client == client && e->room == room && !e->is_resume;
  if (const auto* e = at<client_disconnected>(when))
    return e->client == client && !e->was_planned && !of_.can_resume();
  return false;
}

// A client is a member (has a claim) when a join was confirmed and nothing has ended the claim since.
bool oracle::is_member(client_id client, room_id room, moment before) const {
  const auto found = membership_.find({client, room});
  if (found == membership_.end()) return false;
  bool is_in = false;
  for (const moment i : found->second) {
    if (i >= before) break;
    if (at<join_confirmed>(i) != nullptr) is_in = true;
    if (ends_claim(client, room, i)) is_in = false;
  }
  return is_in;
}

moment oracle::claim_end(client_id client, room_id room, moment after) const {
  const auto found = membership_.find({client, room});
  if (found == membership_.end()) return never;
  for (const moment i : found->second) {
    if (i > after && ends_claim(client, room, i)) return i;
  }
  return never;
}

// Absent is who wants to be in a room - asked, and has not left since - without being a member.
bool oracle::is_absent(client_id client, room_id room) const {
  bool wants = false;
  for (const moment i : membership_.at({client, room})) {
    if (at<join_invoked>(i) != nullptr) wants = true;
    if (at<room_left>(i) != nullptr) wants = false;
  }
  return wants && !is_member(client, room, end());
}

// A client is where it connected last; before that, at home.
node_id oracle::node_of(client_id client, moment before) const {
  node_id place = of_.clients[index_of(client)].home;
  const auto found = connections_.find(client);
  if (found == connections_.end()) return place;
  for (const moment i : found->second) {
    if (i < before) place = at<client_connected>(i)->node;
  }
  return place;
}

bool oracle::is_probing(moment when) const {
  bool is_on = false;
  for (const moment i : phases_) {
    if (i < when) is_on = at<phase_changed>(i)->kind == phase_kind::probe;
  }
  return is_on;
}

// How much of that time belongs to phases in which the schedule sends nothing.
run_time oracle::silence_between(run_time from, run_time until) const {
  run_time sum{};
  for (std::size_t p = 0; p < phases_.size(); ++p) {
    const auto* phase = at<phase_changed>(phases_[p]);
    const auto is_it = [phase](const phase_plan& each) { return each.name == phase->name; };
    const auto declared = std::find_if(of_.phases.begin(), of_.phases.end(), is_it);
    if (phase->kind != phase_kind::declared || declared == of_.phases.end()) continue;
    if (!declared->is_silent()) continue;
    const run_time ends = p + 1 < phases_.size() ? time_of(events_[phases_[p + 1]]) : until;
    if (std::min(ends, until) > std::max(phase->at, from))
      sum += std::min(ends, until) - std::max(phase->at, from);
  }
  return sum;
}

// ---- Obligations

moment oracle::first_arrival(std::size_t message, client_id client) const {
  return first_arrivals_[message][index_of(client)];
}

// A later message of the same sender in the same room had reached the client.
bool oracle::was_overtaken(std::size_t message, client_id client, moment before) const {
  const message_id& id = sent_[message].id;
  for (std::size_t m = 0; m < sent_.size(); ++m) {
    const message_id& other = sent_[m].id;
    if (other.sender != id.sender || other.room != id.room || other.seq <= id.seq) continue;
    if (first_arrival(m, client) < before) return true;
  }
  return false;
}

// A message is owed to those who were members of its room when it was sent. When that claim ends and it has not
// arrived, it is owed no more, as it may have been under way - unless the target promises order per sender and a
// later message of the same sender had arrived: then it was lost before.
bool oracle::is_owed(std::size_t message, client_id client, moment before) const {
  if (!was_member_[message][index_of(client)]) return false;
  const moment ended = claim_ends_[message][index_of(client)];
  if (ended >= before) return true;
  if (first_arrival(message, client) < ended) return true;
  return of_.promises.order != order_promise::none && was_overtaken(message, client, ended);
}

bool oracle::has_arrived_anywhere(std::size_t message) const {
  const auto& by_client = first_arrivals_[message];
  return std::any_of(by_client.begin(), by_client.end(), [](moment m) { return m != never; });
}

// A message is lost for a client when it was acknowledged, is owed, and had not arrived when the run ended. Where the
// history is torn nobody knows what came afterwards, so it is as if all claims ended there. A loss is silent when
// no reset told the client anything at or after the send.
std::vector<oracle::loss> oracle::losses() const {
  std::vector<loss> all;
  for (std::size_t m = 0; m < sent_.size(); ++m) {
    if (sent_[m].result != outcome::ok) continue;
    for (std::size_t c = 0; c < of_.clients.size(); ++c) {
      const client_id client{static_cast<std::uint32_t>(c)};
      if (!is_owed(m, client, end()) || first_arrival(m, client) != never) continue;
      const bool may_be_under_way =
          of_.promises.order == order_promise::none || !was_overtaken(m, client, end());
      if (!has_ended_ && may_be_under_way) continue;
      bool is_silent = true;
      for (const moment i : membership_.at({client, sent_[m].id.room})) {
        if (at<reset_received>(i) != nullptr && time_of(events_[i]) >= sent_[m].at)
          is_silent = false;
      }
      all.push_back({&sent_[m], client, outage_of_loss(sent_[m]), is_silent});
    }
  }
  return all;
}

// An acknowledgement is false when the message was owed to somebody and reached nobody at all. Where the history is
// torn it might have, a moment later.
std::vector<const oracle::sent_message*> oracle::false_acks() const {
  std::vector<const sent_message*> all;
  if (!has_ended_) return all;
  for (const loss& each : losses()) {
    const auto m = static_cast<std::size_t>(each.message - sent_.data());
    if (has_arrived_anywhere(m)) continue;
    if (all.empty() || all.back() != each.message) all.push_back(each.message);
  }
  return all;
}

// A refused message that arrives all the same, before it was refused or after.
std::size_t oracle::refused_but_delivered() const {
  std::size_t sum = 0;
  for (std::size_t m = 0; m < sent_.size(); ++m)
    sum += sent_[m].result == outcome::fail && has_arrived_anywhere(m) ? 1U : 0U;
  return sum;
}

// ---- Findings

// A send that was given up because its connection was lost, or nobody answered it in time, may take effect at any time
// after.
bool oracle::may_come_late(std::size_t message, moment when) const {
  const sent_message& of = sent_[message];
  if (of.result != outcome::info || of.settled >= when) return false;
  if (at<send_settled>(of.settled)->was_unanswered) return true;
  bool is_connected = false;
  for (moment i = 0; i < of.settled; ++i) {
    if (const auto* e = at<client_connected>(i); e != nullptr && e->client == of.id.sender)
      is_connected = true;
    if (const auto* e = at<client_disconnected>(i); e != nullptr && e->client == of.id.sender)
      is_connected = false;
  }
  return !is_connected;
}

std::vector<oracle::known_finding> oracle::findings() const {
  std::vector<known_finding> all;
  for (const loss& each : losses())
    all.push_back({finding_kind::lost, each.client, each.message->id, each.fault});
  for (const sent_message* each : false_acks())
    all.push_back({finding_kind::false_ack, {}, each->id, outage_of_loss(*each)});
  for (std::size_t m = 0; m < sent_.size(); ++m) {
    // A refused message that arrives is one phantom, however often it does.
    if (sent_[m].result != outcome::fail || !has_arrived_anywhere(m)) continue;
    const auto& firsts = first_arrivals_[m];
    const auto earliest = std::min_element(firsts.begin(), firsts.end());
    std::optional<client_id> client;  // who showed it; nobody when it was known before the refusal
    if (*earliest > sent_[m].settled) client = client_id(earliest - firsts.begin());
    all.push_back({finding_kind::phantom, client, sent_[m].id, outage_of(sent_[m])});
  }
  for (const arrival& each : arrivals_) {
    const client_id client = each.what->client;
    const auto now = outage_at(each.when);
    switch (each.is) {
      case sort::corrupt:
        all.push_back({finding_kind::corrupt, client, {}, now});
        break;
      case sort::foreign:
        all.push_back({finding_kind::phantom, client, {}, now});
        break;
      case sort::unknown:
        all.push_back({finding_kind::phantom, client, each.what->id, now});
        break;
      case sort::wrong_room:
      case sort::stranger:
        all.push_back({finding_kind::misdelivered, client, each.what->id, now});
        break;
      case sort::good:
        // A duplicate is every arrival but the first; a message is reordered when it arrives first after a later one
        // of its sender. Both belong to the outage of the send, or else to that of the arrival.
        if (!each.is_first) {
          all.push_back({finding_kind::duplicate, client, each.what->id, outage_of(each)});
        } else if (was_overtaken(each.message, client, each.when) &&
                   !may_come_late(each.message, each.when)) {
          all.push_back({finding_kind::reordered, client, each.what->id, outage_of(each)});
        }
        if (is_late(each))
          all.push_back(
              {finding_kind::late, client, each.what->id, outage_of(sent_[each.message])});
    }
  }
  for (moment i = 0; i < end(); ++i) {
    const auto* e = at<node_changed>(i);
    if (e != nullptr && e->state == node_state::exited && !e->was_planned)
      all.push_back({finding_kind::node_exit, {}, {}, outage_at(i)});
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::uint64_t oracle::silent_losses() const {
  std::uint64_t sum = 0;
  for (const loss& each : losses()) sum += each.is_silent ? 1U : 0U;
  return sum;
}

// Each client says of every two messages of a room it got which came first. The clients agree when one line of all
// messages satisfies all of them: when these statements contain no circle.
std::set<room_id> oracle::diverged_rooms() const {
  constexpr std::size_t message_max = 256;
  std::set<room_id> diverged;
  for (std::size_t r = 0; r < of_.rooms.size(); ++r) {
    std::vector<std::bitset<message_max>> after(sent_.size());
    for (std::size_t c = 0; c < of_.clients.size(); ++c) {
      std::vector<std::size_t> line;
      for (const arrival& each : arrivals_) {
        if (!each.is_first || each.what->room != room_id(r) || each.what->client != client_id(c))
          continue;
        for (const std::size_t earlier : line) after[earlier].set(each.message);
        line.push_back(each.message);
      }
    }
    for (std::size_t via = 0; via < sent_.size(); ++via) {
      for (std::size_t from = 0; from < sent_.size(); ++from) {
        if (after[from][via]) after[from] |= after[via];
      }
    }
    for (std::size_t m = 0; m < sent_.size(); ++m) {
      if (after[m][m]) diverged.insert(room_id(r));
    }
  }
  return diverged;
}

// ---- Numbers

totals oracle::counts() const {
  totals sum;
  sum.sent = sent_.size();
  sum.deliveries = arrivals_.size();
  for (std::size_t m = 0; m < sent_.size(); ++m) {
    if (!sent_[m].result) continue;
    sum.ok += *sent_[m].result == outcome::ok ? 1U : 0U;
    sum.fail += *sent_[m].result == outcome::fail ? 1U : 0U;
    sum.info += *sent_[m].result == outcome::info ? 1U : 0U;
    if (sent_[m].result != outcome::ok) continue;
    for (std::size_t c = 0; c < of_.clients.size(); ++c) {
      if (!is_owed(m, client_id(c), end())) continue;
      ++sum.obligations;
      if (first_arrival(m, client_id(c)) != never) ++sum.delivered;
    }
  }
  return sum;
}

std::uint64_t oracle::latency_count() const {
  std::uint64_t sum = 0;
  for (const arrival& each : arrivals_) sum += each.is_first ? 1U : 0U;
  return sum;
}

// Acknowledged and owed but not arrived, and sends that are not settled.
std::uint64_t oracle::open_obligations() const {
  const totals sum = counts();
  return sum.obligations - sum.delivered + sum.sent - sum.ok - sum.fail - sum.info;
}

// Every node where clients are has sent a probe, all probes that were not refused reached everybody they are owed to,
// and nobody is absent.
bool oracle::are_probes_complete() const {
  std::vector<bool> has_sent(of_.nodes, false);
  bool is_any_sent = false;
  for (std::size_t m = 0; m < sent_.size(); ++m) {
    if (!sent_[m].is_probe) continue;
    has_sent[index_of(sent_[m].through)] = is_any_sent = true;
    if (sent_[m].result == outcome::fail) continue;
    for (std::size_t c = 0; c < of_.clients.size(); ++c) {
      if (is_owed(m, client_id(c), end()) && first_arrival(m, client_id(c)) == never) return false;
    }
  }
  for (std::size_t n = 0; n < of_.nodes; ++n) {
    if (is_used(n, end()) && !has_sent[n]) return false;
  }
  for (std::size_t c = 0; c < of_.clients.size(); ++c) {
    for (const room_id room : of_.clients[c].rooms) {
      if (is_absent(client_id(c), room)) return false;
    }
  }
  return is_any_sent;
}

}  // namespace ordeal::harness
