// The oracle's verdict of each check, from its findings and the contract.
#include <algorithm>

#include "harness/checkers/judge.h"
#include "tests/property/oracle.h"

namespace ordeal::harness {

using fault::fault_state;

bool oracle::was_cut_short() const {
  return !has_ended_ || std::get<run_ended>(events_.back()).was_cut_short;
}

// A client is stuck when a probe that it is owed never came - where single losses are allowed, when
// none came - or when it is absent.
bool oracle::is_client_stuck(client_id client) const {
  std::size_t expected = 0, missed = 0;
  for (std::size_t m = 0; m < sent_.size(); ++m) {
    if (!sent_[m].is_probe) continue;
    if (was_member_[m][index_of(client)]) ++expected;
    if (sent_[m].result == outcome::fail) continue;
    if (is_owed(m, client, end()) && first_arrival(m, client) == never) ++missed;
  }
  const bool is_lenient = of_.promises.delivery == delivery_promise::best_effort;
  if (missed > 0 && !(is_lenient && missed < expected)) return true;
  const auto& rooms = of_.clients[index_of(client)].rooms;
  return std::any_of(rooms.begin(), rooms.end(),
                     [&](room_id room) { return is_absent(client, room); });
}

// A node is measured in a room when a probe was sent there, and - if the plan has other nodes in that room - one sent
// on another node was owed to somebody there.
bool oracle::is_measured(std::size_t node, room_id room) const {
  const auto has_room = [&](std::size_t of) {
    for (std::size_t c = 0; c < of_.clients.size(); ++c) {
      if (index_of(of_.clients[c].home) == of && is_planned(client_id(c), room)) return true;
    }
    return false;
  };
  bool needs_others = false, has_sent = false, was_told = false;
  for (std::size_t n = 0; n < of_.nodes; ++n)
    needs_others = needs_others || (n != node && has_room(n));
  for (std::size_t m = 0; m < sent_.size(); ++m) {
    if (!sent_[m].is_probe || sent_[m].id.room != room) continue;
    const bool is_own = index_of(sent_[m].through) == node;
    has_sent = has_sent || is_own;
    for (std::size_t c = 0; c < of_.clients.size() && !is_own; ++c) {
      if (was_member_[m][c] && index_of(node_of(client_id(c), sent_[m].when)) == node)
        was_told = true;
    }
  }
  return !has_room(node) || (has_sent && (was_told || !needs_others));
}

// Without probes nothing is known. Else the check fails when a probe was refused, a node with clients sent none, or a
// client is stuck; but nothing is known either when the history is torn, and failure proves nothing when a fault
// failed. Nor is anything known when a node was not measured in each of its rooms.
verdict oracle::probe_verdict() const {
  std::vector<bool> has_sent(of_.nodes, false);
  bool is_any_sent = false, is_bad = false;
  for (const sent_message& message : sent_) {
    if (!message.is_probe) continue;
    has_sent[index_of(message.through)] = is_any_sent = true;
    is_bad = is_bad || message.result == outcome::fail;
  }
  if (!is_any_sent) return verdict::inconclusive;
  for (std::size_t n = 0; n < of_.nodes; ++n)
    is_bad = is_bad || (is_used(n, end()) && !has_sent[n]);
  for (std::size_t c = 0; c < of_.clients.size(); ++c)
    is_bad = is_bad || is_client_stuck(client_id(c));
  if (!has_ended_) return verdict::inconclusive;
  if (is_bad) return has_failed_fault() ? verdict::inconclusive : verdict::fail;
  for (std::size_t n = 0; n < of_.nodes; ++n) {
    for (std::size_t r = 0; r < of_.rooms.size(); ++r) {
      if (!is_measured(n, room_id(r))) return verdict::inconclusive;
    }
  }
  return verdict::pass;
}

// After each heal every node recovers within the promised time and a round of the schedule; time in which the schedule
// sends nothing does not count. One that has not when the run ends is late only if it had the time, there was traffic,
// and there was somebody on it, and somebody on a node that it has not heard. Once a fault is over for all nodes,
// nothing is to be recovered from.
verdict oracle::recovery_verdict() const {
  if (of_.faults.empty()) return verdict::skipped;
  const run_time limit = recovery_limit(of_);
  const run_time last = events_.empty() ? run_time{} : time_of(events_.back());
  const auto is_too_long = [&](run_time from, run_time until) {
    return until - from - silence_between(from, until) > limit;
  };
  const auto is_deaf = [this](std::size_t fault, std::size_t node) {
    if (!is_used(node, end())) return false;
    for (std::size_t origin = 0; origin < of_.nodes; ++origin) {
      if (is_used(origin, end()) && is_expected(origin, node, end()) &&
          !has_heard(fault, node, origin, end()))
        return true;
    }
    return false;
  };
  bool is_any_late = false, is_any_unknown = false, is_any_known = false;
  const std::vector<fault_row> rows = faults();
  for (std::size_t f = 0; f < rows.size(); ++f) {
    if (!rows[f].healed_at) continue;
    for (std::size_t n = 0; n < of_.nodes; ++n) {
      const run_time from = time_of(events_[faults_[f].measured_from[n]]);
      if (rows[f].recovery[n]) {
        is_any_known = true;
        is_any_late = is_any_late || is_too_long(from, from + *rows[f].recovery[n]);
      } else if (faults_[f].had_traffic && is_too_long(from, last) && is_deaf(f, n)) {
        is_any_late = true;
      } else {
        is_any_unknown = true;
      }
    }
  }
  const bool is_doubtful = has_failed_fault() || are_times_doubtful();
  if (is_any_late) return is_doubtful ? verdict::inconclusive : verdict::fail;
  return is_any_unknown || !is_any_known ? verdict::inconclusive : verdict::pass;
}

// A fault counts only when it was seen in effect and seen healed.
verdict oracle::faults_verdict() const {
  if (of_.faults.empty()) return verdict::skipped;
  for (const fault_row& row : faults()) {
    if (row.state == fault_state::failed || !row.active_at || !row.healed_at)
      return verdict::inconclusive;
  }
  return verdict::pass;
}

// The generator fell behind its schedule: of a hundred sends, more than one left more than 100 ms late.
bool oracle::has_generator_lagged() const {
  std::vector<std::chrono::nanoseconds> lags;
  for (moment i = 0; i < end(); ++i) {
    if (const auto* e = at<generator_lag>(i); e != nullptr && !e->was_skipped)
      lags.push_back(e->lag);
  }
  if (lags.empty()) return false;
  std::sort(lags.begin(), lags.end());
  return lags[(lags.size() * 99 + 99) / 100 - 1] > std::chrono::milliseconds(100);
}

// Ordeal itself was in trouble when a queue of its own overflowed, its event loop stood still for more than a second,
// or it was busy for more than 95 % in three looks in a row.
bool oracle::was_observer_in_trouble() const {
  std::uint32_t in_a_row = 0;
  for (moment i = 0; i < end(); ++i) {
    const auto* e = at<observer_usage>(i);
    if (e == nullptr) continue;
    in_a_row = e->busy_permille >= 950 ? in_a_row + 1 : 0;
    if (e->overflowed > 0 || e->stall > std::chrono::seconds(1) || in_a_row == 3) return true;
  }
  return false;
}

bool oracle::has_clock_jumped() const {
  return std::any_of(events_.begin(), events_.end(),
                     [](const event& each) { return std::holds_alternative<clock_jumped>(each); });
}

// None of the times that were measured proves a failure when the harness could not keep its own.
bool oracle::are_times_doubtful() const {
  return has_generator_lagged() || was_observer_in_trouble() || has_clock_jumped();
}

// Without a send nothing is known; and neither when the generator lagged, or left out more than one
// send in a hundred of its own accord: not because nobody could send while the target was away.
verdict oracle::generator_verdict() const {
  std::size_t sampled = 0, skipped = 0, away = 0;
  for (moment i = 0; i < end(); ++i) {
    const auto* e = at<generator_lag>(i);
    if (e == nullptr) continue;
    ++(e->was_skipped ? skipped : sampled);
    if (e->was_skipped && e->reason == skip_reason::away) ++away;
  }
  const bool is_unknown = sampled + skipped == 0 || has_generator_lagged() ||
                          (skipped - away) * 100 > skipped + sent_.size();
  return is_unknown ? verdict::inconclusive : verdict::pass;
}

// An observer that was not looked at tells nothing, which matters once there was load for ten seconds.
verdict oracle::observer_verdict() const {
  if (was_observer_in_trouble()) return verdict::inconclusive;
  std::optional<run_time> load_begun;
  for (moment i = 0; i < end(); ++i) {
    if (at<observer_usage>(i) != nullptr) return verdict::pass;
    const auto* e = at<phase_changed>(i);
    if (e != nullptr && e->kind == phase_kind::declared && !load_begun) load_begun = e->at;
  }
  const bool was_long =
      load_begun && time_of(events_.back()) - *load_begun >= std::chrono::seconds(10);
  return was_long ? verdict::inconclusive : verdict::skipped;
}

verdict oracle::clock_verdict() const {
  if (has_clock_jumped()) return verdict::inconclusive;
  const bool was_watched = std::any_of(events_.begin(), events_.end(), [](const event& each) {
    return std::holds_alternative<observer_usage>(each);
  });
  return was_watched ? verdict::pass : verdict::skipped;
}

// Whether the delivery contract allows to lose a message in this outage, or outside of any.
bool oracle::may_be_lost(std::optional<std::size_t> fault) const {
  switch (of_.promises.delivery) {
    case delivery_promise::every_message:
      return false;
    case delivery_promise::best_effort_in_outage:
      return fault.has_value();
    case delivery_promise::best_effort:
      return true;
  }
  return false;
}

namespace {

// What certainly breaks a promise fails the check; what a failed fault may have done leaves it undecided.
class grading {
 public:
  void add(bool is_allowed, bool is_doubtful) {
    if (!is_allowed) (is_doubtful ? has_doubt_ : has_proof_) = true;
  }
  verdict result() const {
    if (has_proof_) return verdict::fail;
    return has_doubt_ ? verdict::inconclusive : verdict::pass;
  }

 private:
  bool has_doubt_ = false, has_proof_ = false;
};

}  // namespace

// Nothing refused may arrive, and nothing may be lost that the contract does not allow to be lost.
verdict oracle::delivery_verdict() const {
  grading grade;
  if (refused_but_delivered() > 0) grade.add(false, false);
  for (const loss& each : losses()) grade.add(may_be_lost(each.fault), is_doubtful(*each.message));
  return grade.result();
}

// An acknowledgement that says no more than "taken over" promises as much as the delivery contract does.
verdict oracle::acknowledgement_verdict() const {
  grading grade;
  const ack_promise promised = of_.promises.ack;
  for (const sent_message* each : false_acks()) {
    const bool is_allowed = promised == ack_promise::none || (promised == ack_promise::accepted &&
                                                              may_be_lost(outage_of_loss(*each)));
    grade.add(is_allowed, is_doubtful(*each));
  }
  return grade.result();
}

// Who promises to resume promises to tell what is lost, even where the contract allows to lose it.
verdict oracle::honesty_verdict() const {
  grading grade;
  for (const loss& each : losses()) {
    if (!each.is_silent) continue;
    grade.add(!of_.promises.resume && may_be_lost(each.fault), is_doubtful(*each.message));
  }
  return grade.result();
}

std::map<std::string, verdict> oracle::verdicts() const {
  const contract& promises = of_.promises;
  std::map<finding_kind, std::size_t> all, outside;
  bool is_too_late = false;
  for (const known_finding& each : findings()) {
    ++all[each.kind];
    if (!each.fault) ++outside[each.kind];
    if (each.kind == finding_kind::late) is_too_late = is_too_late || !may_be_lost(each.fault);
  }
  const auto fails_if = [](bool is_bad) { return is_bad ? verdict::fail : verdict::pass; };
  const std::size_t duplicates =
      promises.duplicates == duplicates_promise::none        ? all[finding_kind::duplicate]
      : promises.duplicates == duplicates_promise::in_outage ? outside[finding_kind::duplicate]
                                                             : 0;
  const std::size_t broken = all[finding_kind::corrupt] + all[finding_kind::phantom];
  return {
      {"delivery", delivery_verdict()},
      {"acknowledgement", acknowledgement_verdict()},
      {"honesty", honesty_verdict()},
      {"late", is_too_late && are_times_doubtful() ? verdict::inconclusive : fails_if(is_too_late)},
      {"duplicates", fails_if(duplicates > 0)},
      {"order",
       fails_if(promises.order != order_promise::none && all[finding_kind::reordered] > 0)},
      {"total_order",
       fails_if(promises.order == order_promise::total && !diverged_rooms().empty())},
      {"integrity", fails_if(broken > refused_but_delivered())},
      {"isolation", fails_if(all[finding_kind::misdelivered] > 0)},
      {"nodes", fails_if(all[finding_kind::node_exit] > 0)},
      {"probe", probe_verdict()},
      {"recovery", recovery_verdict()},
      {"backplane", verdict::skipped},  // these histories do not say what went over the links
      {"faults", faults_verdict()},
      {"generator", generator_verdict()},
      {"observer", observer_verdict()},
      {"clock", clock_verdict()}};
}

}  // namespace ordeal::harness
