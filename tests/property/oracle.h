// The specification of the judge: every definition in a sentence or two, and computed by looking at the whole history
// again and again. It keeps lists of what happened and nothing that is updated along the way, so it is slow, and its
// correctness can be read off.
//
// A `moment` is an event's index. "Before a moment" leaves out the event itself.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/checkers/finding.h"
#include "tests/property/recorded.h"

namespace ordeal::harness {

using moment = std::size_t;
inline constexpr moment never = static_cast<moment>(-1);

class oracle {
 public:
  // Keeps references to both.
  oracle(const terms& of, std::span<const event> events);

  // A finding by what it is about. Contradictions of a total order are left out: which message is named depends on
  // the way of looking for it, only whether there is one does not (`diverged_rooms`).
  struct known_finding {
    finding_kind kind{};
    std::optional<client_id> client;
    std::optional<message_id> message;
    std::optional<std::size_t> fault;
    friend auto operator<=>(const known_finding&, const known_finding&) = default;
  };
  std::vector<known_finding> findings() const;  // sorted
  std::uint64_t silent_losses() const;
  std::set<room_id> diverged_rooms() const;

  totals counts() const;
  std::uint64_t latency_count() const;
  // Of the run so far.
  std::uint64_t open_obligations() const;
  bool has_recovered() const;
  bool are_probes_complete() const;

  struct fault_row {
    fault::fault_state state = fault::fault_state::planned;
    std::optional<run_time> active_at, healed_at;
    std::vector<std::optional<run_time>> recovery;  // by node
  };
  std::vector<fault_row> faults() const;

  // By check.
  std::map<std::string, verdict> verdicts() const;

 private:
  struct sent_message {
    message_id id;
    moment when = 0;
    run_time at{};
    node_id through{};
    bool is_probe = false;
    moment settled = never;
    std::optional<outcome> result;
  };
  enum class sort { good, corrupt, foreign, unknown, wrong_room, stranger };
  struct arrival {
    moment when = 0;
    const delivered* what = nullptr;
    sort is = sort::good;
    std::size_t message = 0;  // index into sent_, of a good one
    bool is_first = false;    // good, and this message's first at this client
  };
  struct loss {
    const sent_message* message = nullptr;
    client_id client{};
    std::optional<std::size_t> fault;
    bool is_silent = false;
  };

  // --- reading
  void read();
  void note(moment i, const send_invoked& what);
  void note(moment i, const send_settled& what);
  void note(moment i, const delivered& what);
  void note(moment i, const join_invoked& what);
  void note(moment i, const join_confirmed& what);
  void note(moment i, const room_left& what);
  void note(moment i, const reset_received& what);
  void note(moment i, const client_connected& what);
  void note(moment i, const client_disconnected& what);
  void note(moment i, const fault_changed& what);
  void note(moment i, const phase_changed& what);
  template <class Event>
  void note(moment, const Event&) {}
  void sort_arrivals();
  sort sort_of(const delivered& what, moment when, std::size_t& message) const;
  bool is_planned(client_id client, room_id room) const;
  template <class Event>
  const Event* at(moment when) const {
    return std::get_if<Event>(&events_[when]);
  }
  moment end() const { return events_.size(); }
  std::size_t index_of_message(const message_id& id, moment before) const;

  // --- membership
  bool ends_claim(client_id client, room_id room, moment when) const;
  bool is_member(client_id client, room_id room, moment before) const;
  moment claim_end(client_id client, room_id room, moment after) const;
  bool is_absent(client_id client, room_id room) const;
  node_id node_of(client_id client, moment before) const;
  bool is_probing(moment when) const;
  run_time silence_between(run_time from, run_time until) const;

  // --- obligations
  moment first_arrival(std::size_t message, client_id client) const;
  bool was_overtaken(std::size_t message, client_id client, moment before) const;
  bool is_owed(std::size_t message, client_id client, moment before) const;
  bool is_open(std::size_t message, moment before) const;
  bool has_arrived_anywhere(std::size_t message) const;
  bool may_come_late(std::size_t message, moment when) const;
  std::size_t refused_but_delivered() const;
  std::vector<loss> losses() const;
  std::vector<const sent_message*> false_acks() const;

  // --- outages
  bool shares_room(std::size_t a, std::size_t b, moment before) const;
  bool is_there(client_id client, moment before) const;
  bool is_used(std::size_t node, moment before) const;
  bool is_down(std::size_t node, moment before) const;
  bool is_expected(std::size_t origin, std::size_t node, moment before) const;
  moment measured_since(std::size_t fault, moment now) const;
  bool has_heard(std::size_t fault, std::size_t node, std::size_t origin, moment now) const;
  void follow_fault(std::size_t fault);
  bool is_window_open(std::size_t fault, moment after) const;
  std::optional<std::size_t> outage_at(moment after) const;
  std::optional<std::size_t> outage_of(const sent_message& message) const;
  std::optional<std::size_t> outage_of(const arrival& what) const;
  std::optional<std::size_t> outage_of_loss(const sent_message& message) const;

  bool is_doubtful(const sent_message& message) const;
  bool has_failed_fault() const;
  std::optional<run_time> calm_since(moment after) const;
  bool is_late(const arrival& what) const;

  // --- verdicts
  bool may_be_lost(std::optional<std::size_t> fault) const;
  verdict delivery_verdict() const;
  verdict acknowledgement_verdict() const;
  verdict honesty_verdict() const;
  bool is_measured(std::size_t node, room_id room) const;
  verdict probe_verdict() const;
  bool is_client_stuck(client_id client) const;
  verdict recovery_verdict() const;
  verdict faults_verdict() const;
  bool has_generator_lagged() const;
  bool was_observer_in_trouble() const;
  bool has_clock_jumped() const;
  bool are_times_doubtful() const;
  verdict generator_verdict() const;
  verdict observer_verdict() const;
  verdict clock_verdict() const;
  bool was_cut_short() const;

  struct fault_facts {
    moment opened = never, recovering = never, closed = never;
    bool had_traffic = false;
    std::vector<moment> measured_from;  // by node; valid until it recovered
    std::vector<moment> recovered;      // by node
  };

  const terms& of_;
  std::span<const event> events_;
  bool has_ended_ = false;
  std::vector<sent_message> sent_;
  std::vector<arrival> arrivals_;
  // By client and room: joins, leaves, resets, and what happens to its connection.
  std::map<std::pair<client_id, room_id>, std::vector<moment>> membership_;
  std::map<client_id, std::vector<moment>> connections_;
  std::vector<moment> phases_;
  std::vector<std::vector<moment>> fault_events_;    // by fault
  std::vector<moment> recovery_begins_;              // of any fault
  std::vector<std::vector<moment>> first_arrivals_;  // by message, by client; never
  std::vector<std::vector<moment>> claim_ends_;      // ditto: of the claim it was sent into
  std::vector<std::vector<bool>> was_member_;        // ditto: when it was sent
  std::vector<fault_facts> faults_;
};

}  // namespace ordeal::harness
