// Attach, append, and what belongs to both; log_machine_recovery.cpp and log_machine_reads.cpp have the rest.
#include "reference-server/log/log_machine.h"

#include <algorithm>
#include <utility>

#include "net/async/assert.h"
#include "reference-server/log/entry_codec.h"

namespace ordeal::chat {
namespace {

std::string memory_reason(const std::string& answer, bool was_append) {
  std::string reason = "Redis is out of memory";
  if (was_append)
    reason +=
        ", and the log is down to its newest " + std::to_string(kept_entries_min) + " entries";
  return reason + ": raise its maxmemory, or free what else it holds (" + answer + ")";
}

}  // namespace

log_machine::log_machine(machine_options options)
    : options_(std::move(options)),
      outbox_(options_.outbox_entries_max, options_.outbox_bytes_max, options_.ack),
      replay_(options_.replay_entries, options_.replay_bytes_max),
      reason_("not connected to Redis yet") {}

void log_machine::on_connected() {
  ORDEAL_ASSERT(phase_ == phase::disconnected && !is_waiting_ && appends_.empty());
  phase_ = phase::detached;
  must_pause_ = false;
}

void log_machine::on_connection_lost() {
  is_waiting_ = false;
  phase_ = phase::disconnected;
  if (state_ != log_state::refusing) set_state(log_state::connecting, "not connected to Redis");
  convene_.reset();
  repair_.reset();
  appends_.clear();
  is_disturbed_ = false;
  outbox_.on_all_lost();
}

bool log_machine::has_command() const {
  if (is_waiting_ || phase_ == phase::disconnected) return false;
  if (!appends_.empty()) return may_append_more();
  return phase_ != phase::open || wants_beat_ || outbox_.has_unsent();
}

// What waits goes while others are on their way only if waiting would not make it more: else a quick link would be kept
// busy with small batches.
bool log_machine::may_append_more() const {
  return phase_ == phase::open && !is_disturbed_ && appends_.size() < options_.appends_max &&
         outbox_.has_full_batch(options_.batch_entries_max, batch_bytes_max_);
}

bool log_machine::must_pause() const {
  return must_pause_;
}

command log_machine::next_command() {
  ORDEAL_ASSERT(has_command());
  must_pause_ = false;
  if (phase_ == phase::open) return make_append();
  is_waiting_ = true;
  if (convene_) return *std::exchange(convene_, std::nullopt);
  if (phase_ == phase::repairing) return next_repair();
  std::optional<position> last_read;
  if (known_end().index > 0) last_read = known_end();
  if (phase_ == phase::gathering)
    return report_command{last_read, round_, format_report(own_report())};
  return attach_command{last_read};
}

void log_machine::on_answer(const answer& heard) {
  ORDEAL_ASSERT(is_waiting_ || !appends_.empty());
  is_waiting_ = false;
  if (const auto* error = std::get_if<wire_error>(&heard)) {
    take_error(*error);
  } else if (const auto* attached = std::get_if<attach_answer>(&heard)) {
    take_attach(*attached);
  } else if (const auto* appended = std::get_if<append_answer>(&heard)) {
    take_append(*appended);
  } else if (const auto* convened = std::get_if<convene_answer>(&heard)) {
    phase_ = phase::detached;  // done or not: the attach shows the round
    // Somebody was quicker; not twice in a row.
    const bool was_late = std::exchange(was_convene_late_, !convened->is_done);
    must_pause_ = was_late && !convened->is_done;
  } else if (const auto* reported = std::get_if<report_answer>(&heard)) {
    take_report(*reported);
  } else {
    take_repair(std::get<repair_answer>(heard));
  }
}

void log_machine::take_error(const wire_error& error) {
  using net::redis::reply_class;
  const bool was_open = phase_ == phase::open;
  const bool is_first_trouble = !is_disturbed_;
  if (!appends_.empty()) {
    take_answered_append();
    outbox_.on_batch_lost();
    is_disturbed_ = !appends_.empty();
  }
  if (!is_first_trouble) return;  // what is to be done is known already
  const std::string why = error.text.starts_with("OOM") ? memory_reason(error.text, was_open)
                                                        : "Redis answers: " + error.text;
  repair_.reset();
  must_pause_ = true;
  if (error.kind == reply_class::fatal) {
    was_append_refused_ = was_append_refused_ || was_open;
    refuse(why);
    is_refused_by_answer_ = true;
  } else if (was_open && error.kind == reply_class::retryable) {
    reason_ = why;  // still attached; the next append may work
  } else {
    detach(why);
    must_pause_ = error.kind != reply_class::script_missing;
  }
}

// Its beat.
std::uint64_t log_machine::take_answered_append() {
  const std::uint64_t beat = appends_.front();
  appends_.pop_front();
  if (appends_.empty()) is_disturbed_ = false;
  return beat;
}

void log_machine::detach(std::string reason) {
  phase_ = phase::detached;
  set_state(log_state::connecting, std::move(reason));
}

// The log is not as it was, and the next attach says how it is.
void log_machine::look_again(std::string reason) {
  phase_ = phase::detached;
  set_state(log_state::recovering, std::move(reason));
}

void log_machine::refuse(std::string reason) {
  phase_ = phase::refused;
  is_refused_by_answer_ = false;
  must_pause_ = true;
  set_state(log_state::refusing, std::move(reason));
}

void log_machine::take_attach(const attach_answer& found) {
  log_history mine;
  mine.log_id = identity_.log_id;
  mine.last = known_end();
  mine.entry = replay_.at(mine.last.index);
  mine.chain = chain_;
  take_memory(found.server.memory);
  attach_decision decision = decide_attach(found.server, found.log, mine);
  switch (decision.step) {
    case attach_step::open:
      enter_open(found);
      break;
    case attach_step::skip:
      skip_to(found.log.floor, found.log.chain);
      enter_open(found);
      break;
    case attach_step::fork:
      leave_branch(decision.common);
      enter_open(found);
      break;
    case attach_step::convene:
      convene(found.server, found.log, std::move(decision.reason));
      break;
    case attach_step::gather:
      enter_gathering(found.log.round);
      break;
    case attach_step::wait:
      detach(std::move(decision.reason));
      must_pause_ = true;
      break;
    case attach_step::refuse:
      refuse(std::move(decision.reason));
      break;
  }
}

void log_machine::enter_open(const attach_answer& found) {
  const log_facts& log = found.log;
  if (delivered_.index == 0) start_at_top(log);
  const bool is_new = !identity_.log_id.empty() && identity_.epoch != log.epoch;
  identity_ = log_identity{log.log_id, log.epoch, found.server.incarnation};
  chain_ = log.chain;
  top_ = log.top;
  floor_ = log.floor;
  if (beats_read_.epoch > log.epoch) beats_read_ = {};  // they were of another log
  outbox_.on_watermark(
      log.own_seq, [this](position at) { return at.index >= floor_ && !chain_.holds(at, top_); });
  phase_ = phase::open;
  round_.clear();
  wants_beat_ = true;
  // That the next append works has to be seen first: or the state would go to and fro.
  if (was_append_refused_) return;
  set_state(log_state::open, "");
  note(is_new ? machine_event::what::recovered : machine_event::what::attached,
       "epoch " + std::to_string(log.epoch) + ", top " + std::to_string(log.top) + ", read " +
           format_position(last_));
}

// A joiner delivers what comes after the top, and first reads back what it can hold: so that there
// is somebody who holds what was appended before it came (H6), and clients find old messages in
// memory.
void log_machine::start_at_top(const log_facts& log) {
  const std::uint64_t held_max = options_.replay_entries;
  const std::uint64_t first =
      std::max(log.floor, log.top > held_max ? log.top + 1 - held_max : std::uint64_t{1});
  last_ = before(first, log.chain);
  delivered_ = log.tail->at;
  replay_.reset(last_.index);
}

command log_machine::make_append() {
  append_command what;
  what.log = identity_;
  const bool has_beat = std::exchange(wants_beat_, false);
  if (has_beat) {
    beat_text beat;
    beat.number = ++beats_;
    beat.read = last_;
    beat.low = replay_.low();
    what.beat = format_beat(beat);
  }
  appends_.push_back(has_beat ? beats_ : 0);
  outbox::batch batch = outbox_.take_batch(options_.batch_entries_max, batch_bytes_max_, top_);
  what.after_seq = batch.after_seq;
  what.after_id = std::move(batch.after_id);
  what.retained_bytes = retained_bytes_;
  what.messages = std::move(batch.messages);
  return what;
}

void log_machine::take_append(const append_answer& heard) {
  // Behind one that was not simply done: what it says of messages holds, what is to be done is known already.
  const bool is_behind_trouble = is_disturbed_;
  const std::uint64_t beat = take_answered_append();
  const bool was_refused = !is_behind_trouble && std::exchange(was_append_refused_, false);
  if (heard.is_stale) {
    outbox_.on_batch_lost();
    wants_beat_ = wants_beat_ || beat > 0;
    is_disturbed_ = !appends_.empty();
    if (!is_behind_trouble) look_again("the log has changed: looking again");
    return;
  }
  if (beat > 0) beats_appended_ = beat;
  top_ = heard.top;
  floor_ = heard.floor;
  log_bytes_ = heard.bytes;
  if (was_refused) set_state(log_state::open, "");
  if (phase_ == phase::open && !is_behind_trouble) reason_.clear();
  const reading known{position{identity_.epoch, heard.floor}, heard.top, last_.index, gap_upto_};
  const repeats found = outbox_.on_replies(heard.entries, known, settled_);
  const bool has_gap = !heard.entries.empty() && heard.entries.back().result == entry_result::gap;
  is_disturbed_ =
      !appends_.empty() && (is_behind_trouble || has_gap || found != repeats::true_ones);
  if (found == repeats::to_be_read) must_pause_ = true;
  release_held();
  if (heard.memory) take_memory(*heard.memory);
  if (is_behind_trouble) return;
  if (heard.memory && heard.memory->evicts()) {
    refuse(eviction_reason(*heard.memory));
    is_disturbed_ = !appends_.empty();
  } else if (found == repeats::false_ones) {
    begin_anew();
  }
}

// Acknowledging what the log wrongly takes for known would lose it.
void log_machine::begin_anew() {
  const std::string before = options_.origin;
  const std::string first = before.substr(0, before.find('+'));
  former_origins_.insert(before);
  options_.origin = first + '+' + std::to_string(former_origins_.size());
  outbox_.begin_anew(floor_, settled_);
  note(machine_event::what::renamed,
       "the key seq counts messages of " + before +
           " as known that the log does not hold: what is not known to be stable goes in as " +
           options_.origin);
  look_again("the log takes messages of this node for known that it does not hold: looking again");
  must_pause_ = true;
}

void log_machine::take_memory(const memory_facts& memory) {
  retained_bytes_ = retained_bytes_for(options_.retained_bytes, memory);
  const std::string policy = memory.evicts_others() ? memory.policy : "";
  if (policy == std::exchange(warned_policy_, policy) || policy.empty()) return;
  note(machine_event::what::warned,
       "maxmemory-policy " + policy +
           " evicts keys of other applications only; noeviction is what a log needs");
}

std::optional<std::uint64_t> log_machine::add(std::string room, std::string client_message_id,
                                              std::string text, outbox::time_point now) {
  message_body body;
  body.room = std::move(room);
  body.client_message_id = std::move(client_message_id);
  body.text = std::move(text);
  return outbox_.add(std::move(body), now, settled_);
}

void log_machine::give_up_before(outbox::time_point earliest, const std::string& reason) {
  outbox_.give_up_before(earliest, reason, settled_);
}

// What another node holds, and this one has read, may leave the outbox; when nobody else is there, the latter must do:
// also for what has left the replay buffer since, or it would stay for ever and everything behind it.
void log_machine::release_held() {
  for (const auto& [origin, known] : holders_.all())
    outbox_.on_held(known.low, std::min(known.upto, last_.index), settled_);
  if (const std::uint64_t kept_from = holders_.kept_from(); kept_from > 0)
    outbox_.on_held(0, std::min(kept_from - 1, last_.index), settled_);
  if (holders_.is_alone(options_.silent_beats_max)) outbox_.on_held(0, last_.index, settled_);
}

std::vector<settlement> log_machine::take_settled() {
  return std::exchange(settled_, {});
}
std::vector<read_effect> log_machine::take_reads() {
  return std::exchange(reads_, {});
}
std::vector<machine_event> log_machine::take_events() {
  return std::exchange(events_, {});
}

void log_machine::set_state(log_state state, std::string reason) {
  state_ = state;
  reason_ = std::move(reason);
}

void log_machine::note(machine_event::what kind, std::string text) {
  events_.push_back(machine_event{kind, std::move(text)});
}

std::string log_machine::fingerprint() const {
  std::string text;
  const auto add = [&text](const auto& value) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
      text += std::to_string(value);
    } else {
      text += value;
    }
    text += ' ';
  };
  const auto add_position = [&add](position at) {
    add(at.epoch);
    add(at.index);
  };
  for (const auto value :
       {static_cast<unsigned>(phase_), static_cast<unsigned>(is_waiting_),
        static_cast<unsigned>(must_pause_), static_cast<unsigned>(is_disturbed_),
        static_cast<unsigned>(was_append_refused_), static_cast<unsigned>(was_convene_late_),
        static_cast<unsigned>(former_origins_.size()), static_cast<unsigned>(wants_beat_),
        static_cast<unsigned>(state_), looks_, still_looks_})
    add(value);
  for (const auto value : {commits_, rounds_, top_, floor_, gap_upto_, beats_, beats_appended_,
                           beats_echoed_, identity_.epoch})
    add(value);
  for (const std::string& value : {identity_.log_id, identity_.incarnation, round_, watched_})
    add(value);
  if (convene_)
    add(convene_->round + convene_->old_round + convene_->incarnation + convene_->state);
  if (repair_) {
    add(repair_->claim.round);
    add_position(repair_->keep);
    add(static_cast<unsigned>(repair_->removes) * 2 + static_cast<unsigned>(repair_->restores));
    add(repair_->epoch);
  }
  for (const std::uint64_t beat : appends_) add("a" + std::to_string(beat));
  add_position(last_);
  add_position(delivered_);
  for (const auto& each : chain_.segments()) add_position(position{each.epoch, each.first});
  for (const auto& [origin, mark] : marks_.all()) {
    add(origin);
    add(mark.seq);
    add(mark.heard);
  }
  for (const auto& [identity, at] : earlier_) {
    add(identity);
    add_position(at);
  }
  for (const auto& each : unstable_) add(each->at.index);
  text += '|';
  add(replay_.low());
  for (std::uint64_t index = replay_.low(); index < replay_.end(); ++index) {
    const entry& each = *replay_.at(index);
    add_position(each.at);
    add(each.origin);
    add(each.origin_seq);
    add(each.client_message_id);
  }
  text += '|';
  for (const auto& [origin, known] : holders_.all()) {
    add(origin);
    add(known.low);
    add(known.upto);
    add(known.silence);
    add(known.number);
  }
  add(holders_.echoes_alone());
  add_position(beats_read_);
  for (const auto& [origin, silence] : holders_.heard_of()) {
    add(origin);
    add(silence);
  }
  text += '|';
  add(outbox_.unsent_from());
  add(outbox_.last_seq());
  for (const outbox_message& each : outbox_.messages()) {
    add(each.seq);
    add(static_cast<unsigned>(each.is_settled));
    if (each.at) add_position(*each.at);
    if (each.behind) add(*each.behind);
    text += ',';
    if (each.doubted_at) add(*each.doubted_at);
    text += ';';
  }
  outbox_.add_to_fingerprint(text);
  return text;
}

}  // namespace ordeal::chat
