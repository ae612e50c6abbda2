#include "harness/checkers/ledger.h"

#include <algorithm>
#include <stdexcept>

namespace ordeal::harness {
namespace {

// What was under way when a client left may still arrive.
constexpr std::chrono::seconds leave_grace{2};

}  // namespace

ledger::ledger(const terms& of)
    : seats_(of),
      outages_(of.faults.size(), of.nodes, seats_.room_count()),
      can_resume_(of.can_resume()),
      has_sender_order_(of.promises.order != order_promise::none),
      senders_(seats_.size()),
      members_(seats_.size()),
      live_(seats_.room_count(), 0),
      present_(seats_.room_count(), 0),
      is_connected_(of.clients.size(), false),
      cuts_(of.clients.size(), cut_cause::none),
      was_away_(of.clients.size(), false),
      was_cut_(of.clients.size(), false),
      has_probed_(of.nodes, false) {
  for (std::size_t c = 0; c < of.clients.size(); ++c) {
    for (const room_id room : of.clients[c].rooms) outages_.plan(room, of.clients[c].home);
    nodes_.push_back(of.clients[c].home);
    is_present_.push_back(!of.clients[c].is_deputy);
    if (is_present_[c]) take_seats(c, {});
  }
}

void ledger::take_seats(std::size_t client, run_time at) {
  for (seat_index i = seats_.first_of(client); i < seats_.first_of(client + 1); ++i) {
    outages_.seat(seats_[i].room, nodes_[client], at);
    ++present_[index_of(seats_[i].room)];
  }
}

seat_index ledger::seat_for(client_id client, room_id room) const {
  const seat_index found = seats_.find(client, room);
  if (found == no_seat) {
    throw std::logic_error("the history names " + name_of(client) + " in " + name_of(room) +
                           ", which is not in the plan");
  }
  return found;
}

void ledger::on(const send_invoked& what) {
  const seat_index sender = seat_for(what.id.sender, what.id.room);
  sender_books& books = senders_[sender];
  if (what.id.seq != books.open.next_seq()) {
    throw std::logic_error("the history sends " + name_of(what.id) + " where number " +
                           std::to_string(books.open.next_seq()) + " is next");
  }
  if (books.accounts.empty()) {
    const auto& room = seats_.in_room(what.id.room);
    books.accounts.resize(room.size());
    for (std::size_t i = 0; i < room.size(); ++i) {
      if (members_[room[i]].is_live) books.accounts[i].claimed_from = what.id.seq;
    }
    books.periods.push_back({});
  }
  if (books.periods.back().fault != outages_.current()) {
    books.periods.push_back({what.id.seq, outages_.current()});
  }
  open_message message;
  message.invoked_at = what.at;
  message.ordinal = totals_.sent + 1;
  message.origin = what.node;
  message.must = live_[index_of(what.id.room)];
  message.present = present_[index_of(what.id.room)];
  message.is_probe = is_probing_;
  books.open.append(message);
  if (message.must < seats_.in_room(what.id.room).size()) note_absent(what.id.room);
  ++totals_.sent;
  ++pending_;
  if (is_probing_) {
    has_probed_.at(index_of(what.node)) = true;
    probe_debt_ += message.must;
  }
  outages_.sent();
}

void ledger::on(const send_settled& what) {
  was_refused_after_arrival_ = false;
  sender_books& books = senders_[seat_for(what.id.sender, what.id.room)];
  open_message* message = books.open.find(what.id.seq);
  if (message == nullptr || message->state != send_state::pending) {
    throw std::logic_error("the history settles " + name_of(what.id) + ", which is not under way");
  }
  --pending_;
  last_settled_ = {message->invoked_at, message->must, message->present, message->is_probe};
  message->settled_at = what.at;
  switch (what.result) {
    case outcome::ok:
      message->state = send_state::ok;
      message->origin = what.node;
      ++totals_.ok;
      totals_.obligations += message->must;
      totals_.met += message->met;
      owed_ += message->owed();
      break;
    case outcome::fail:
      message->state = send_state::refused;
      ++totals_.fail;
      if (message->is_probe) probe_debt_ -= message->owed();
      was_refused_after_arrival_ = message->arrivals > 0;
      if (!was_refused_after_arrival_) books.refused.add(what.id.seq);
      break;
    case outcome::info:
      message->state = send_state::unknown;
      ++totals_.info;
      if (what.was_unanswered || !is_connected_[index_of(what.id.sender)])
        books.loose.add(what.id.seq);
      break;
  }
  books.open.forget_done(what.id.seq);
}

reception_kind ledger::classify(const delivered& what, reception& into) const {
  if (what.payload == payload_state::corrupt) return reception_kind::corrupt;
  if (what.payload != payload_state::intact) return reception_kind::foreign;
  into.sender = seats_.find(what.id.sender, what.id.room);
  if (into.sender == no_seat || what.id.seq == 0 || what.id.seq > sent_by(into.sender)) {
    return reception_kind::unknown_message;
  }
  if (!what.is_known_room || what.room != what.id.room) return reception_kind::wrong_room;
  into.member = seats_.find(what.client, what.room);
  if (into.member == no_seat) return reception_kind::stranger;
  const member_books& member = members_[into.member];
  if (!member.is_asked) return reception_kind::stranger;
  if (member.left_at && *member.left_at + leave_grace < what.at) return reception_kind::stranger;
  return reception_kind::in_order;
}

void ledger::on(const delivered& what) {
  ++totals_.arrivals;
  reception& now = last_reception_;
  now = reception{};
  now.kind = classify(what, now);
  if (now.kind == reception_kind::in_order) book_arrival(what, now);
}

void ledger::book_arrival(const delivered& what, reception& now) {
  const std::uint32_t seq = what.id.seq;
  sender_books& books = senders_[now.sender];
  account& with = books.accounts[seats_[now.member].position];
  now.sent_during = sent_during(now.sender, seq);
  now.highest_before = with.received.end() == 0 ? 0 : with.received.end() - 1;
  if (seq > now.highest_before + 1) {
    const std::uint32_t owed_from = std::max(now.highest_before + 1, with.claimed_from);
    if (owed_from < seq) now.skipped_from = owed_from;
  }
  switch (with.received.add(seq)) {
    case seq_ranges::placing::highest:
      break;
    case seq_ranges::placing::behind:
      if (!books.loose.has(seq)) now.kind = reception_kind::behind;
      break;
    case seq_ranges::placing::repeated:
      now.kind = reception_kind::repeated;
      return;
  }
  now.is_first_of_refused =
      books.refused.has(seq) && books.refused_arrived.add(seq) != seq_ranges::placing::repeated;
  open_message* message = books.open.find(seq);
  if (message == nullptr) return;
  ++message->arrivals;
  message->reached.add(what.node);
  // A sender that moved may have taken along what was not acknowledged.
  if (message->state == send_state::ok || nodes_[index_of(what.id.sender)] == message->origin)
    outages_.arrived(message->origin, what.node, message->invoked_at, what.at);
  if (seq >= with.claimed_from || take_overtaken(now.member, now.sender, seq)) {
    if (message->state == send_state::ok) now.acknowledged_at = message->settled_at;
    meet(*message);
    books.open.forget_done(seq);
  }
}

void ledger::meet(open_message& message) {
  ++message.met;
  if (message.state == send_state::ok) {
    ++totals_.met;
    --owed_;
  }
  if (message.is_probe) --probe_debt_;
}

void ledger::excuse(open_message& message) {
  --message.must;
  if (message.state == send_state::ok) {
    --totals_.obligations;
    --owed_;
  }
  if (message.is_probe) --probe_debt_;
}

bool ledger::take_overtaken(seat_index member, seat_index sender, std::uint32_t seq) {
  return members_[member].overtaken.erase({sender, seq}) > 0;
}

bool ledger::is_owed(seat_index member, seat_index sender, std::uint32_t seq) const {
  const auto& accounts = senders_[sender].accounts;
  if (accounts.empty()) return false;
  const account& with = accounts[seats_[member].position];
  if (seq >= with.claimed_from) return !with.received.has(seq);
  return members_[member].overtaken.contains({sender, seq});
}

void ledger::begin_claim(seat_index member) {
  const seat& where = seats_[member];
  members_[member].is_live = true;
  ++live_[index_of(where.room)];
  for (const seat_index sender : seats_.in_room(where.room)) {
    sender_books& books = senders_[sender];
    if (books.accounts.empty()) continue;
    books.accounts[where.position].claimed_from = books.open.next_seq();
  }
}

std::uint64_t ledger::end_claim(seat_index member) {
  std::uint64_t excused = 0;
  const seat& where = seats_[member];
  member_books& own = members_[member];
  own.is_live = false;
  --live_[index_of(where.room)];
  for (const seat_index sender : seats_.in_room(where.room)) {
    sender_books& books = senders_[sender];
    if (books.accounts.empty()) continue;
    account& with = books.accounts[where.position];
    const std::uint32_t claimed_from = std::exchange(with.claimed_from, never);
    books.open.for_each_from(claimed_from, [&](std::uint32_t seq, open_message& message) {
      if (with.received.has(seq)) return;
      if (has_sender_order_ && seq < with.received.end()) {
        own.overtaken.emplace(sender, seq);
      } else {
        excuse(message);
        ++excused;
      }
    });
    books.open.forget_done_from(claimed_from);
  }
  return excused;
}

void ledger::on(const join_invoked& what) {
  const seat_index seat = seat_for(what.client, what.room);
  member_books& member = members_[seat];
  member.is_asked = true;
  member.left_at.reset();
  if (member.is_live && !what.is_resume) end_claim(seat);
}

void ledger::on(const join_confirmed& what) {
  const seat_index seat = seat_for(what.client, what.room);
  members_[seat].joined_at = what.at;
  if (std::exchange(members_[seat].is_cut_off, false)) ++present_[index_of(what.room)];
  if (!members_[seat].is_live) begin_claim(seat);
}

void ledger::on(const room_left& what) {
  const seat_index seat = seat_for(what.client, what.room);
  members_[seat].left_at = what.at;
  if (members_[seat].is_live) end_claim(seat);
}

void ledger::on(const reset_received& what) {
  members_[seat_for(what.client, what.room)].reset_at = what.at;
}

void ledger::on(const tapped& what) {
  taps_.at(static_cast<std::size_t>(what.where)).add(what.node);
  const seat_index sender = seats_.find(what.id.sender, what.id.room);
  open_message* message = sender == no_seat ? nullptr : senders_[sender].open.find(what.id.seq);
  if (message == nullptr) return;
  switch (what.where) {
    case tap_point::to_redis:
      message->was_sent_to_redis = true;
      break;
    case tap_point::accepted_by_redis:
      message->was_accepted_by_redis = true;
      break;
    case tap_point::refused_by_redis:
      message->was_refused_by_redis = true;
      break;
    case tap_point::from_redis:
      message->from_redis.add(what.node);
      break;
  }
}

bool ledger::is_tap_alive(node_id node, tap_point where) const {
  return taps_[static_cast<std::size_t>(where)].has(node);
}

void ledger::on(const client_connected& what) {
  const std::size_t client = index_of(what.client);
  if (client >= nodes_.size()) {
    throw std::logic_error("the history names " + name_of(what.client) +
                           ", which is not in the plan");
  }
  is_connected_[client] = true;
  if (!is_present_[client]) {
    is_present_[client] = true;
    nodes_[client] = what.node;
    return take_seats(client, what.at);
  }
  if (nodes_[client] == what.node) return;
  for (seat_index i = seats_.first_of(client); i < seats_.first_of(client + 1); ++i) {
    outages_.move(seats_[i].room, nodes_[client], what.node);
  }
  outages_.moved(what.at);
  nodes_[client] = what.node;
}

void ledger::on(const client_disconnected& what) {
  const std::size_t client = index_of(what.client);
  // A planned one is the end of the run: nothing more comes, and what is missing now stays missing.
  if (client >= nodes_.size()) return;
  is_connected_[client] = false;
  if (what.was_planned) return;
  cuts_[client] = what.cut;
  if (what.cut != cut_cause::none) was_cut_[client] = true;
  for (seat_index i = seats_.first_of(client); i < seats_.first_of(client + 1); ++i) {
    members_[i].joined_at = run_time::max();
    if (!members_[i].is_live || can_resume_) continue;
    was_away_[client] = true;
    totals_.unobservable += end_claim(i);
    const bool is_new = outages_.current() && !std::exchange(members_[i].is_cut_off, true);
    if (is_new) --present_[index_of(seats_[i].room)];
  }
}

void ledger::note_absent(room_id room) {
  for (const seat_index member : seats_.in_room(room)) {
    if (was_away_[index_of(seats_[member].client)] && is_absent(member)) ++totals_.unobservable;
  }
}

std::size_t ledger::clients_away() const {
  return static_cast<std::size_t>(std::count(was_away_.begin(), was_away_.end(), true));
}

std::size_t ledger::clients_cut() const {
  return static_cast<std::size_t>(std::count(was_cut_.begin(), was_cut_.end(), true));
}

bool ledger::are_probes_complete() const {
  if (probe_debt_ > 0) return false;
  bool has_any = false;
  for (std::size_t n = 0; n < has_probed_.size(); ++n) {
    if (!has_probed_[n] && outages_.is_node_used(n)) return false;
    has_any = has_any || has_probed_[n];
  }
  for (seat_index member = 0; member < members_.size(); ++member) {
    if (is_absent(member)) return false;
  }
  return has_any;
}

std::optional<std::size_t> ledger::lost_during(seat_index sender, std::uint32_t seq,
                                               run_time invoked_at) const {
  const auto during = sent_during(sender, seq);
  return during ? during : outages_.first_around(invoked_at, in_flight_max);
}

std::optional<std::size_t> ledger::sent_during(seat_index sender, std::uint32_t seq) const {
  const auto& periods = senders_[sender].periods;
  for (auto it = periods.rbegin(); it != periods.rend(); ++it) {
    if (it->from_seq <= seq) return it->fault;
  }
  return std::nullopt;
}

}  // namespace ordeal::harness
