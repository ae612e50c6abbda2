// The books of a run, folded once per event and read by all checkers: who is a member where, what
// was sent and with which outcome, what has arrived at whom, and what is still owed to whom.
//
// The claim of a member covers what is sent after its join was confirmed. A claim ends when the
// member leaves, joins afresh, or loses its connection to a target that cannot resume.
// A reset ends nothing: what it gives up stays owed, but whoever misses it was told.
// What had not arrived then is excused, because nothing says that it was not under way - except
// what a later message of the same sender had already overtaken while the target promises order per
// sender: that was lost before the claim ended.
//
// The memory is one small record for each (sender, member of the same room), plus what is open.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "harness/checkers/open_messages.h"
#include "harness/checkers/outages.h"
#include "harness/checkers/seating.h"
#include "harness/checkers/seq_ranges.h"

namespace ordeal::harness {

struct send_totals {
  std::uint64_t sent = 0, ok = 0, fail = 0, info = 0;
  std::uint64_t obligations = 0, met = 0, arrivals = 0;
  // What nobody can say anything about: deliveries to clients that had lost their connection, or lost it with the
  // message under way, at a target that does not resume.
  std::uint64_t unobservable = 0;
};

enum class reception_kind {
  in_order,  // first time, above everything of its sender so far - or free to come late: see `loose`
  behind,    // first time, below something of its sender that came before
  repeated,
  corrupt,
  foreign,          // an envelope of another run, or none
  unknown_message,  // nobody sent that
  wrong_room,       // of another room than the transport said
  stranger          // the client did not ask for that room, or has left it
};

struct reception {
  reception_kind kind = reception_kind::in_order;
  seat_index member = no_seat, sender = no_seat;
  std::uint32_t highest_before = 0;  // of this sender, at this client
  std::uint32_t skipped_from = 0;    // messages owed from here up to it have not come; 0: none
  std::optional<run_time> acknowledged_at;  // when it was owed, and acknowledged by then
  bool is_first_of_refused = false;         // the first arrival of a message after it was refused
  std::optional<std::size_t> sent_during;   // the outage window of its send

  bool is_new() const { return kind == reception_kind::in_order || kind == reception_kind::behind; }
};

class ledger {
 public:
  explicit ledger(const terms& of);

  void on(const send_invoked& what);
  void on(const send_settled& what);
  void on(const delivered& what);
  void on(const join_invoked& what);
  void on(const join_confirmed& what);
  void on(const room_left& what);
  void on(const reset_received& what);
  void on(const tapped& what);
  void on(const client_connected& what);
  void on(const client_disconnected& what);
  void on(const fault_changed& what) { outages_.on(what); }
  void on(const node_changed& what) { outages_.on(what); }
  void on(const phase_changed& what) { is_probing_ = what.kind == phase_kind::probe; }
  template <class Event>
  void on(const Event&) {}

  const harness::seating& seats() const { return seats_; }
  const harness::outages& faults() const { return outages_; }
  const send_totals& totals() const { return totals_; }

  // What the last `delivered` was, and whether the last `send_settled` refused a message that had
  // arrived before.
  const reception& last_reception() const { return last_reception_; }
  bool was_refused_after_arrival() const { return was_refused_after_arrival_; }
  // Of the message of the last `send_settled`: when it was sent, to how many it was owed, and how many should have been
  // there.
  struct settled_message {
    run_time invoked_at{};
    std::uint32_t must = 0, present = 0;
    bool is_probe = false;
  };
  const settled_message& last_settled() const { return last_settled_; }

  std::uint64_t owed() const { return owed_; }  // of acknowledged messages
  std::uint64_t unsettled() const { return pending_; }
  // Every node where clients are has sent one, all of them have arrived, and nobody is still on its
  // way back.
  bool are_probes_complete() const;
  bool is_probing() const { return is_probing_; }

  node_id node_of(client_id client) const { return nodes_[index_of(client)]; }
  // Why Ordeal ended the client's last connection; none: it did not.
  cut_cause last_cut(client_id client) const { return cuts_[index_of(client)]; }
  // Clients that were without a claim, as they had lost their connection; of those, by Ordeal's own doing.
  std::size_t clients_away() const;
  std::size_t clients_cut() const;
  std::uint32_t claims_in(room_id room) const { return live_[index_of(room)]; }
  bool has_claim(seat_index member) const { return members_[member].is_live; }
  // Wants to be in the room, but nothing is owed to it: on its way back to a target that cannot
  // resume.
  bool is_absent(seat_index member) const {
    const member_books& of = members_[member];
    return of.is_asked && !of.is_live && !of.left_at;
  }
  std::optional<run_time> last_reset(seat_index member) const { return members_[member].reset_at; }
  // Whether a member was told by a reset that it would miss a message sent then.
  bool was_told(seat_index member, run_time invoked_at) const {
    const auto reset = last_reset(member);
    return reset && *reset >= invoked_at;
  }
  // On its present connection; the beginning of time before the first.
  run_time joined_at(seat_index member) const { return members_[member].joined_at; }
  bool has_arrived(seat_index member, seat_index sender, std::uint32_t seq) const {
    const auto& accounts = senders_[sender].accounts;
    return !accounts.empty() && accounts[seats_[member].position].received.has(seq);
  }
  // Something later of the same sender has arrived there.
  bool is_overtaken(seat_index member, seat_index sender, std::uint32_t seq) const {
    const auto& accounts = senders_[sender].accounts;
    return !accounts.empty() && seq < accounts[seats_[member].position].received.end();
  }
  // Null when it is done with.
  const open_message* find_open(seat_index sender, std::uint32_t seq) const {
    return senders_[sender].open.find(seq);
  }
  // Has a tap ever seen a message on the link of this node, in this direction? Otherwise its silence says nothing.
  bool is_tap_alive(node_id node, tap_point where) const;
  std::uint32_t sent_by(seat_index sender) const { return senders_[sender].open.next_seq() - 1; }
  // The outage window in which a message was sent.
  std::optional<std::size_t> sent_during(seat_index sender, std::uint32_t seq) const;
  // The outage that a message which never arrived was lost in: that of its send, or one that began
  // while it was still under way.
  std::optional<std::size_t> lost_during(seat_index sender, std::uint32_t seq,
                                         run_time invoked_at) const;
  bool is_owed(seat_index member, seat_index sender, std::uint32_t seq) const;

  // Every message that is not done with: `visit(sender seat, seq, open_message)`.
  template <class F>
  void for_each_open(F visit) const {
    for (seat_index s = 0; s < senders_.size(); ++s) {
      senders_[s].open.for_each(
          [&](std::uint32_t seq, const open_message& message) { visit(s, seq, message); });
    }
  }
  // Everybody to whom it is owed: `visit(member seat)`.
  template <class F>
  void for_each_creditor(seat_index sender, std::uint32_t seq, F visit) const {
    for (const seat_index member : seats_.in_room(seats_[sender].room)) {
      if (is_owed(member, sender, seq)) visit(member);
    }
  }

 private:
  static constexpr std::uint32_t never = std::numeric_limits<std::uint32_t>::max();

  // What one member has of one sender.
  struct account {
    seq_ranges received;
    std::uint32_t claimed_from = never;
  };
  struct send_period {
    std::uint32_t from_seq = 1;
    std::optional<std::size_t> fault;
  };
  struct sender_books {
    open_messages open;
    std::vector<account> accounts;     // by the member's position; empty until the first send
    std::vector<send_period> periods;  // changes of the outage window
    seq_ranges refused;                // before they had arrived anywhere
    seq_ranges refused_arrived;        // of those
    // Of unknown outcome, as the connection was lost or no answer came in time: they may take effect
    // at any time after, behind what was sent next.
    seq_ranges loose;
  };
  struct member_books {
    bool is_asked = false, is_live = false;
    bool is_cut_off = false;  // lost its connection in an outage, and is not back
    std::optional<run_time> left_at, reset_at;
    run_time joined_at = run_time::min();
    std::set<std::pair<seat_index, std::uint32_t>> overtaken;  // still owed though the claim ended
  };

  seat_index seat_for(client_id client, room_id room) const;
  void take_seats(std::size_t client, run_time at);
  reception_kind classify(const delivered& what, reception& into) const;
  void book_arrival(const delivered& what, reception& into);
  void meet(open_message& message);
  void excuse(open_message& message);
  void note_absent(room_id room);
  void begin_claim(seat_index member);
  std::uint64_t end_claim(seat_index member);  // how many deliveries that excuses
  bool take_overtaken(seat_index member, seat_index sender, std::uint32_t seq);

  harness::seating seats_;
  harness::outages outages_;
  bool can_resume_;
  bool has_sender_order_;
  std::vector<sender_books> senders_;  // by seat
  std::vector<member_books> members_;  // by seat
  std::vector<std::uint32_t> live_;    // claims by room
  // By room, who should be there: everybody of the plan and the deputies that have come, without those whom an outage
  // cut off and who are not back yet.
  std::vector<std::uint32_t> present_;
  std::vector<bool> is_present_;          // by client
  std::vector<node_id> nodes_;            // by client: where it is or was last
  std::vector<bool> is_connected_;        // by client
  std::vector<cut_cause> cuts_;           // by client: of its last connection
  std::vector<bool> was_away_, was_cut_;  // by client
  send_totals totals_;
  std::uint64_t owed_ = 0, pending_ = 0, probe_debt_ = 0;
  bool is_probing_ = false;
  std::vector<bool> has_probed_;  // by node
  reception last_reception_;
  bool was_refused_after_arrival_ = false;
  settled_message last_settled_;
  std::array<node_set_bits, 4> taps_;  // by tap_point: nodes on whose link one was seen
};

}  // namespace ordeal::harness
