// There was something to judge: messages in every declared phase, somebody to whom they were owed,
// and deliveries.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class traffic final : public checker {
 public:
  explicit traffic(const bench& at)
      : at_(at), phases_(at.of.phases.size()), windows_(at.of.faults.size()) {}
  const char* id() const override { return "traffic"; }

  void on(const phase_changed& what) override {
    if (const auto phase = at_.times.phase()) {
      phases_[*phase].begun = what.at;
    } else if (what.kind == phase_kind::recovery) {
      phases_ended_ = what.at;
    }
  }

  void on(const send_invoked& what) override {
    // The schedule starts with its first send, a moment after time zero.
    if (!schedule_begun_) schedule_begun_ = what.intended;
    if (is_on_schedule(what.intended)) ++sent_on_schedule_;
    const auto& courses = at_.book.faults().courses();
    for (std::size_t f = 0; f < courses.size(); ++f) {
      if (courses[f].state == fault::fault_state::active) ++windows_[f].sent;
    }
    const auto phase = at_.times.phase();
    if (!phase) return;
    ++phases_[*phase].sent;
    if (at_.book.claims_in(what.id.room) > 0) ++phases_[*phase].sent_to_somebody;
  }

  // Nobody could send it: what an outage is for.
  void on(const generator_lag& what) override {
    if (!what.was_skipped || what.reason != skip_reason::away) return;
    if (!at_.book.faults().current()) return;
    const run_time intended = what.at - what.lag;
    if (schedule_begun_ && is_on_schedule(intended)) ++away_on_schedule_;
    const auto& courses = at_.book.faults().courses();
    for (std::size_t f = 0; f < courses.size(); ++f) {
      if (courses[f].state == fault::fault_state::active) ++windows_[f].away;
    }
  }

  void on(const send_settled& what) override {
    const ledger::settled_message& message = at_.book.last_settled();
    note_members(what, message);
    if (what.result != outcome::ok || message.must == 0) return;
    if (phases_ended_ && message.invoked_at >= *phases_ended_) return;
    // Into the phase in which it was sent: an outage may have held it up for longer than that.
    for (auto phase = phases_.rbegin(); phase != phases_.rend(); ++phase) {
      if (!phase->begun || *phase->begun > message.invoked_at) continue;
      ++phase->owed;
      return;
    }
  }

  check_result finish(run_time) override {
    const std::string problem = find_problem();
    if (!problem.empty()) return {id(), verdict::inconclusive, problem};
    const send_totals& totals = at_.book.totals();
    const std::uint64_t away = at_.times.skipped_away();
    return {id(), verdict::pass,
            counted(totals.sent, "message", "messages") + " sent, " +
                counted(totals.arrivals, "delivery", "deliveries") +
                (away == 0 ? ""
                           : "; the target was away for " + counted(away, "send", "sends") +
                                 " that nobody could make")};
  }

 private:
  struct phase_traffic {
    std::optional<run_time> begun;
    std::uint64_t sent = 0, sent_to_somebody = 0;
    std::uint64_t owed = 0;  // acknowledged, and somebody was there to get it
  };

  struct fault_traffic {
    std::uint64_t sent = 0;  // while it was in effect
    std::uint64_t away = 0;  // ... and what nobody could send then
  };

  // Away from all outages everybody in the room is owed what is acknowledged; whoever is not there does not count.
  void note_members(const send_settled& what, const ledger::settled_message& message) {
    const run_time sent_at = message.invoked_at;
    if (at_.book.faults().first_around(sent_at, what.at - sent_at)) return;
    owable_ += message.present;
    if (what.result == outcome::ok) owed_ += message.must;
  }

  bool is_on_schedule(run_time intended) const {
    return intended - *schedule_begun_ + first_send_at(at_.of.phases) < at_.of.publishing_ends;
  }

  // For the schedule to have had something to send; some faults are over at once.
  bool lasted_long_enough(const fault_course& course) const {
    if (!course.active_at) return false;
    const run_time until = course.healed_at.value_or(at_.end.at);
    const run_time length =
        until - *course.active_at - at_.times.silence_between(*course.active_at, until);
    return length >
           std::max<run_time>(std::chrono::milliseconds(500), slowest_send_period(at_.of) * 10);
  }

  std::string find_problem() const {
    const send_totals& totals = at_.book.totals();
    if (totals.sent == 0) return "no message was sent";
    for (std::size_t i = 0; i < phases_.size(); ++i) {
      const std::string& name = at_.of.phases[i].name;
      if (!phases_[i].begun) {
        if (at_.end.was_cut_short) continue;
        return "phase " + name + " never began";
      }
      if (at_.of.phases[i].is_silent()) continue;
      if (phases_[i].sent == 0) return "no message was sent in phase " + name;
      if (phases_[i].sent_to_somebody == 0)
        return "nobody had joined to get the messages of phase " + name;
      if (phases_[i].owed == 0 && !at_.end.was_cut_short)
        return "no message of phase " + name + " was acknowledged and owed to anybody";
    }
    for (std::size_t f = 0; f < windows_.size(); ++f) {
      const fault_course& course = at_.book.faults().courses()[f];
      if (windows_[f].sent + windows_[f].away == 0 && lasted_long_enough(course))
        return "no message was sent while " + at_.of.faults[f].name + " was in effect";
    }
    if (totals.obligations == 0) return "no acknowledged message was owed to anybody";
    if (totals.arrivals == 0) return "nothing was delivered at all";
    const std::uint64_t planned = at_.of.planned_messages;
    if (!at_.end.was_cut_short && (sent_on_schedule_ + away_on_schedule_) * 100 < planned * 99) {
      const std::uint64_t away = at_.times.skipped_away_at_peace();
      return "only " + std::to_string(sent_on_schedule_) + " of " + std::to_string(planned) +
             " planned messages were sent" +
             (away == 0
                  ? ""
                  : "; for " + std::to_string(away) +
                        " of the others no client was connected, though no fault was in effect");
    }
    if (owed_ * 100 < owable_ * 99) {
      return "away from outages only " + std::to_string(owed_) + " of " + std::to_string(owable_) +
             " deliveries were owed: sends were refused or unanswered, or clients were not there";
    }
    return {};
  }

  const bench at_;
  std::vector<phase_traffic> phases_;
  std::vector<fault_traffic> windows_;  // by fault
  std::uint64_t owable_ = 0,
                owed_ =
                    0;  // deliveries away from outages: of everybody in the room, of those present
  std::optional<run_time> schedule_begun_, phases_ended_;
  std::uint64_t sent_on_schedule_ = 0, away_on_schedule_ = 0;
};

}  // namespace

std::unique_ptr<checker> make_traffic(const bench& at) {
  return std::make_unique<traffic>(at);
}

}  // namespace ordeal::harness
