#include "harness/checkers/context.h"

#include <algorithm>

#include "harness/checkers/hop.h"

namespace ordeal::harness {

context::context(const ledger& book, std::function<void()> on_gap)
    : book_(book),
      clients_(book.seats().client_count()),
      senders_(book.seats().size()),
      on_gap_(std::move(on_gap)) {}

void context::on(const send_invoked& what) {
  const seat_index seat = book_.seats().find(what.id.sender, what.id.room);
  if (seat == no_seat) return;
  sends& of = senders_[seat];
  of.latest_seq = what.id.seq;
  of.ring[what.id.seq % sends_kept] = {what.id, what.at, what.node, outcome::info, false, false};
}

void context::on(const send_settled& what) {
  const seat_index seat = book_.seats().find(what.id.sender, what.id.room);
  if (seat == no_seat) return;
  surroundings::neighbour& slot = senders_[seat].ring[what.id.seq % sends_kept];
  if (slot.id != what.id) return;
  slot.node = what.node;
  slot.result = what.result;
  slot.is_settled = true;
}

void context::on(const delivered& what) {
  if (what.payload != payload_state::intact || index_of(what.client) >= clients_.size()) return;
  const reception& now = book_.last_reception();
  // Before this one joins the others: the gap shows by it, and the ten before it matter.
  if (now.is_new() && now.skipped_from != 0 && is_any_open(now.sender, now.skipped_from, what.id))
    note_gap(what, now);
  deliveries& of = clients_[index_of(what.client)];
  of.ring[of.next] = {what.at, what.id};
  of.next = (of.next + 1) % deliveries_kept;
  if (of.count < deliveries_kept) ++of.count;
}

void context::note_gap(const delivered& what, const reception& now) {
  if (on_gap_) on_gap_();
  if (gaps_.size() == gaps_kept) {
    // Looked through only now and then: where much is lost, they are all there to stay.
    if (++gaps_left_out_ % gaps_kept == 1) forget_closed_gaps();
    if (gaps_.size() == gaps_kept) return;
  }
  gap& found = gaps_.emplace_back();
  found.member = now.member;
  found.sender = now.sender;
  found.first = now.skipped_from;
  found.end = what.id.seq;
  found.around = std::make_shared<surroundings>();
  add_deliveries(what.client, *found.around);
  add_neighbours(now.sender, now.member, found.first - std::min(found.first, neighbours_each_side),
                 what.id.seq + neighbours_each_side, *found.around);
}

void context::forget_closed_gaps() {
  const auto is_closed = [this](const gap& each) {
    std::uint32_t seq = each.first;
    while (seq < each.end && book_.has_arrived(each.member, each.sender, seq)) ++seq;
    return seq == each.end;
  };
  gaps_.erase(std::remove_if(gaps_.begin(), gaps_.end(), is_closed), gaps_.end());
}

// What was refused, say, is missing for good.
bool context::is_any_open(seat_index sender, std::uint32_t from, const message_id& until) const {
  while (from < until.seq && book_.find_open(sender, from) == nullptr) ++from;
  return from < until.seq;
}

void context::add_deliveries(client_id client, surroundings& to) const {
  const deliveries& of = clients_[index_of(client)];
  for (std::uint32_t i = 0; i < of.count; ++i) {
    const std::size_t at = (of.next + deliveries_kept - of.count + i) % deliveries_kept;
    to.last_deliveries.push_back(of.ring[at]);
  }
}

void context::add_neighbours(seat_index sender, seat_index member, std::uint32_t first,
                             std::uint32_t last, surroundings& to) const {
  const sends& of = senders_[sender];
  for (std::uint32_t seq = std::max<std::uint32_t>(first, 1);
       seq <= std::min(last, of.latest_seq) && to.neighbours.size() < sends_kept; ++seq) {
    surroundings::neighbour each = of.ring[seq % sends_kept];
    if (each.id.seq != seq && !find_itself(sender, seq, each)) continue;
    each.has_arrived = member != no_seat && book_.has_arrived(member, sender, seq);
    to.neighbours.push_back(each);
  }
}

// A message that is too old for the ring, but still missing somewhere.
bool context::find_itself(seat_index sender, std::uint32_t seq, surroundings::neighbour& to) const {
  const open_message* message = book_.find_open(sender, seq);
  if (message == nullptr) return false;
  const seat& from = book_.seats()[sender];
  const outcome result = message->state == send_state::ok        ? outcome::ok
                         : message->state == send_state::refused ? outcome::fail
                                                                 : outcome::info;
  to = {message_id{from.client, from.room, seq},
        message->invoked_at,
        message->origin,
        result,
        message->state != send_state::pending,
        false};
  return true;
}

const context::gap* context::find_gap(seat_index member, seat_index sender,
                                      std::uint32_t seq) const {
  for (const gap& each : gaps_) {
    if (each.member == member && each.sender == sender && each.first <= seq && seq < each.end)
      return &each;
  }
  return nullptr;
}

std::shared_ptr<const surroundings> context::describe(const finding& what) const {
  auto around = std::make_shared<surroundings>();
  const seat_index sender =
      what.message ? book_.seats().find(what.message->sender, what.message->room) : no_seat;
  const seat_index member = what.client && what.message && what.room == what.message->room
                                ? book_.seats().find(*what.client, *what.room)
                                : no_seat;
  const bool is_lost = what.kind == finding_kind::lost && sender != no_seat && member != no_seat;
  const gap* skipped = is_lost ? find_gap(member, sender, what.message->seq) : nullptr;
  if (skipped != nullptr) {
    *around = *skipped->around;
  } else {
    if (what.client) add_deliveries(*what.client, *around);
    if (sender != no_seat) {
      const std::uint32_t seq = what.message->seq;
      add_neighbours(sender, member, seq - std::min(seq, neighbours_each_side),
                     seq + neighbours_each_side, *around);
    }
  }
  if (what.fault) {
    const fault_course& course = book_.faults().courses()[*what.fault];
    around->window_begins = course.injecting_at;
    around->window_ends = course.window_ended_at;
  }
  const open_message* message = is_lost ? book_.find_open(sender, what.message->seq) : nullptr;
  if (message != nullptr)
    around->hop = describe_hop(book_, *message, *what.client, book_.node_of(*what.client));
  return around;
}

}  // namespace ordeal::harness
