// A recovery round as one node sees it (docs/log-protocol.md, "Recovery").
#include <algorithm>
#include <utility>

#include "net/async/assert.h"
#include "reference-server/log/entry_codec.h"
#include "reference-server/log/log_machine.h"

namespace ordeal::chat {
namespace {

// The digits of an epoch below its term: two nodes, and two tries of one node, differ.
std::uint64_t epoch_digits(const std::string& origin, std::uint64_t tries) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : origin + '#' + std::to_string(tries))
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  return (hash >> 16U) % epochs_per_term;
}

}  // namespace

void log_machine::convene(const server_facts& server, const log_facts& found, std::string why) {
  convene_command what;
  what.log_id = found.log_id;
  what.epoch = found.epoch_text;
  what.state = found.state;
  what.incarnation = found.incarnation;
  what.old_round = found.round;
  // The origin is random for each start, so no node ever makes this name again.
  what.round = make_round(options_.origin + '.' + std::to_string(++rounds_), server.incarnation);
  note(machine_event::what::convened, why);
  set_state(log_state::recovering, std::move(why));
  phase_ = phase::detached;
  convene_ = std::move(what);
}

void log_machine::enter_gathering(const std::string& round) {
  if (round != round_) {
    round_ = round;
    looks_ = still_looks_ = 0;
    watched_.clear();
  }
  phase_ = phase::gathering;
  set_state(log_state::recovering, "the log is being put in order");
}

report log_machine::own_report() const {
  report mine;
  if (last_.index == 0) return mine;
  mine.log_id = identity_.log_id;
  mine.last = last_;
  mine.low = replay_.low();
  mine.members = holders_.members();
  mine.marks = marks_.seqs();
  return mine;
}

void log_machine::take_report(const report_answer& heard) {
  if (heard.is_stale || heard.log.round != round_ || heard.server.is_replica) {
    look_again("the recovery round is over: looking again");
    return;
  }
  const std::string seen = heard.owner + ' ' + std::to_string(heard.progress) + ' ' +
                           std::to_string(heard.reports.size());
  still_looks_ = seen == watched_ ? still_looks_ + 1 : 0;
  watched_ = seen;
  ++looks_;
  must_pause_ = true;
  reports_by_origin reports;
  for (const auto& [origin, text] : heard.reports) {
    if (auto parsed = parse_report(text)) reports.emplace(origin, std::move(*parsed));
  }
  const bool was_heard = reports.contains(options_.origin);
  if (heard.owner == options_.origin && was_heard) {
    begin_repair(heard, std::move(reports));  // of this round, before its connection broke
    return;
  }
  patience waited;
  waited.is_grace_over = looks_ >= options_.grace_looks;
  waited.is_boot_over = looks_ >= options_.boot_looks;
  const choice chosen = choose_actor(reports, waited);
  if (heard.owner.empty() && was_heard && chosen.actor == options_.origin) {
    begin_repair(heard, std::move(reports));
  } else if (still_looks_ >= options_.stall_looks) {
    convene(heard.server, heard.log, "the node that was to put the log in order does not go on");
  }
}

void log_machine::begin_repair(const report_answer& heard, reports_by_origin reports) {
  // What is stored of this node may be what it said before its connection broke.
  reports[options_.origin] = own_report();
  const repair_input from{options_.origin,
                          reports,
                          heard.log,
                          chain_,
                          replay_,
                          options_.origin + std::to_string(rounds_),
                          epoch_digits(options_.origin, ++commits_)};
  repair_ = plan_repair(from);
  repair_->claim.incarnation = heard.server.incarnation;
  repair_->claim.reports = heard.reports.size();  // those that nobody can read, too
  phase_ = phase::repairing;
  must_pause_ = false;
  note(machine_event::what::repairing,
       "round " + round_ + ", keeps up to " + format_position(repair_->keep) +
           (repair_->restores ? ", restores up to " + format_position(last_) : ""));
}

command log_machine::next_repair() {
  repair_plan& plan = *repair_;
  if (plan.removes) {
    truncate_command what;
    what.claim = plan.claim;
    what.keep = plan.keep;
    return what;
  }
  if (plan.restores) {
    restore_command what;
    what.claim = plan.claim;
    what.tail = plan.keep;
    std::uint64_t index = std::max(plan.keep.index + 1, replay_.low());
    while (index <= last_.index && what.entries.size() < options_.restore_entries_max)
      what.entries.push_back(replay_.at(index++));
    ORDEAL_ASSERT(!what.entries.empty());
    return what;
  }
  commit_command what;
  what.claim = plan.claim;
  what.tail = plan.keep;
  what.log_id = plan.log_id;
  what.epoch = plan.epoch;
  what.barrier = plan.barrier;
  what.chain = plan.chain;
  what.marks = plan.marks;
  what.replaces_marks = plan.replaces_marks;
  return what;
}

void log_machine::take_repair(const repair_answer& heard) {
  ORDEAL_ASSERT(repair_.has_value());
  repair_plan& plan = *repair_;
  if (heard.is_stale) {
    repair_.reset();
    must_pause_ = true;
    look_again("the recovery was taken over: looking again");
    return;
  }
  if (plan.removes) {
    plan.removes = !heard.is_complete;
  } else if (plan.restores) {
    const std::uint64_t first = std::max(plan.keep.index + 1, replay_.low());
    const std::uint64_t upto = std::min(first + options_.restore_entries_max - 1, last_.index);
    plan.keep = replay_.at(upto)->at;
    plan.restores = upto < last_.index;
    restored_ += upto - first + 1;
  } else {
    const bool is_new = plan.chain.empty();
    note(is_new ? machine_event::what::created : machine_event::what::committed,
         "epoch " + std::to_string(plan.epoch) + ": " + plan.barrier);
    repair_.reset();
    phase_ = phase::detached;
  }
}

}  // namespace ordeal::chat
