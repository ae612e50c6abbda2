// What comes out of the stream: entries, gaps, forks.
#include <algorithm>
#include <utility>

#include "reference-server/log/entry_codec.h"
#include "reference-server/log/log_machine.h"

namespace ordeal::chat {
namespace {

// Identities of messages on lost branches: more would be a fork of hours.
constexpr std::size_t earlier_max = 100'000;
constexpr std::size_t forks_max = 64;

}  // namespace

read_command log_machine::next_read() const {
  return read_command{last_, beats_read_};
}

bool log_machine::on_read(const read_answer& heard) {
  if (!is_reading()) return false;
  const bool is_ours = heard.log_id == identity_.log_id && heard.state == "open" &&
                       heard.incarnation == identity_.incarnation && !heard.has_foreign_entry;
  bool is_fine = is_ours;
  if (is_ours) {
    for (const entry_ptr& each : heard.entries) {
      // An index that was read, or one of another branch: not the log that was read. A newer epoch: what this
      // node has in its outbox may be lost, and the next attach says so before anything of it counts.
      const bool is_next = each->at > last_ && each->at.index > last_.index;
      is_fine = is_next && chain_.epoch_at(each->at.index) == each->at.epoch;
      if (!is_fine) break;
      if (each->at.index > last_.index + 1) skip_to(each->at.index, chain_);
      take_entry(each);
    }
    is_fine = is_fine && take_beats(heard);
    deliver_stable();
    release_held();
  }
  if (!is_fine) look_again("what Redis gives does not continue what this node has read");
  return is_fine;
}

// False when they show that the log is not read, or that the stream holds what no node wrote.
bool log_machine::take_beats(const read_answer& heard) {
  for (const read_beat& each : heard.beats) {
    if (each.at.epoch > identity_.epoch || each.at.index == 0) return false;
    // One that is late, or left from before a recovery, says only who was there.
    if (each.at > beats_read_) beats_read_ = each.at;
    if (each.at.epoch < identity_.epoch) {
      if (each.origin != options_.origin) holders_.on_written_by(each.origin);
      continue;
    }
    // Read in one go with the log, which has more than it gave.
    if (heard.entries.empty() && each.top > last_.index) return false;
    marks_.on_word(each.origin, each.top);
    take_beat(each.origin, each.text);
  }
  return true;
}

void log_machine::take_beat(const std::string& origin, std::string_view text) {
  const auto beat = parse_beat(text);
  if (!beat) return;
  if (origin != options_.origin) {
    holders_.on_other_beat(origin, *beat);
  } else if (beat->number > beats_echoed_) {
    beats_echoed_ = beat->number;
    holders_.on_own_echo(options_.member_beats_max);
  }
}

void log_machine::take_entry(const entry_ptr& each) {
  last_ = each->at;
  const entry_ptr kept = with_earlier(each);
  replay_.add(kept);
  top_ = std::max(top_, last_.index);
  const bool is_own = this->is_own(*each);
  const bool is_history = each->at <= delivered_;
  if (!is_own) holders_.on_written_by(each->origin);
  marks_.on_word(each->origin, each->at.index);
  if (each->kind == entry_kind::heartbeat && !is_history) {
    take_beat(each->origin, each->text);  // of a log from before beats had a stream of their own
  } else if (each->kind == entry_kind::message) {
    marks_.on_message(each->origin, each->origin_seq, each->at.index, floor_);
    if (is_own) outbox_.on_read(each->origin_seq, each->at, settled_);
    if (options_.delivery == delivery_mode::stable) wants_beat_ = true;
  }
  if (is_history) return;
  if (options_.delivery == delivery_mode::fast) {
    deliver(kept);
  } else {
    unstable_.push_back(kept);
  }
}

// In stable mode: up to what another node holds as well, or, when there is none, up to what was read.
void log_machine::deliver_stable() {
  std::size_t count = 0;
  for (; count < unstable_.size(); ++count) {
    const std::uint64_t index = unstable_[count]->at.index;
    const bool is_held = holders_.is_alone(options_.silent_beats_max) || holders_.is_held(index);
    if (!is_held) break;
    deliver(unstable_[count]);
  }
  unstable_.erase(unstable_.begin(), unstable_.begin() + static_cast<std::ptrdiff_t>(count));
}

void log_machine::deliver(const entry_ptr& each) {
  delivered_ = each->at;
  if (each->kind != entry_kind::message) return;
  if (reads_.empty() || !std::holds_alternative<read_batch>(reads_.back()))
    reads_.emplace_back(read_batch{});
  std::get<read_batch>(reads_.back()).messages.push_back(each);
}

// Entries below `first` are gone before they could be read.
void log_machine::skip_to(std::uint64_t first, const epoch_chain& chain) {
  const std::uint64_t from = delivered_.index + 1;
  chain_ = chain;
  last_ = before(first, chain);
  replay_.reset(last_.index);
  gap_upto_ = last_.index;
  if (last_ <= delivered_) return;  // a joiner that read back what nobody asked for
  unstable_.clear();
  delivered_ = last_;
  reads_.emplace_back(read_gap{from, last_.index});
  note(machine_event::what::gap, "entries " + std::to_string(from) + " to " +
                                     std::to_string(last_.index) +
                                     " were trimmed before this node could read them");
}

// The position behind which `first` comes; the chain may know nothing of what was there.
position log_machine::before(std::uint64_t first, const epoch_chain& chain) {
  const std::uint64_t epoch = chain.epoch_at(first - 1);
  return position{epoch > 0 ? epoch : chain.epoch_at(first), first - 1};
}

// A client may send it again through another node.
std::string log_machine::identity_of(const entry& message) {
  if (!message.client_message_id.empty()) return message.client_message_id;
  return message.origin + '/' + std::to_string(message.origin_seq);
}

entry_ptr log_machine::with_earlier(const entry_ptr& each) const {
  if (earlier_.empty() || each->kind != entry_kind::message) return each;
  const auto known = earlier_.find(identity_of(*each));
  if (known == earlier_.end()) return each;
  auto marked = std::make_shared<entry>(*each);
  marked->earlier = known->second;
  return marked;
}

// The log went on from `common` without what this node has read above it.
void log_machine::leave_branch(position common) {
  read_fork fork;
  fork.common = common;
  fork.from = position{chain_.epoch_at(common.index + 1), common.index + 1};
  fork.to = delivered_;
  if (earlier_.size() > earlier_max) earlier_.clear();
  std::vector<entry_ptr> own_lost;
  std::map<std::string, std::uint64_t> first_lost;
  for (std::uint64_t index = std::max(common.index + 1, replay_.low()); index <= last_.index;
       ++index) {
    const entry_ptr each = replay_.at(index);
    if (each->kind != entry_kind::message) continue;
    first_lost.emplace(each->origin, each->origin_seq);
    // Also what the log knows in another place: it stays here until somebody else holds it there.
    if (is_own(*each)) own_lost.push_back(each);
    if (index > delivered_.index) continue;
    ++fork.messages;
    earlier_[identity_of(*each)] = each->at;
  }
  for (const auto& [origin, seq] : first_lost) marks_.on_lost(origin, seq);
  // What went before the lost entries of an origin is no longer known.
  if (common.index == 0 || common.index + 1 < replay_.low()) marks_.clear();
  outbox_.put_back(own_lost);
  holders_.cut(common.index);
  std::erase_if(unstable_, [&](const entry_ptr& each) { return each->at.index > common.index; });
  replay_.truncate(std::min(last_.index, common.index));
  const bool was_seen = delivered_.index > common.index;
  last_ = std::min(last_, common);
  gap_upto_ = std::min(gap_upto_, common.index);
  if (delivered_ > common) delivered_ = common;
  if (was_seen) {
    reads_.emplace_back(fork);
    if (forks_.size() == forks_max) forks_.erase(forks_.begin());
    forks_.push_back(fork);
  }
  note(machine_event::what::forked, "entries " + std::to_string(common.index + 1) + " to " +
                                        format_position(fork.to) + " are no longer in the log");
}

cursor_place log_machine::place_of(position at) const {
  cursor_place place;
  place.from = at;
  place.status = range_status::ok;
  if (at.index + 1 < floor_) {
    place.status = range_status::trimmed;
  } else if (at > known_end()) {
    place.is_ahead = true;
  } else if (!chain_.holds(at, known_end().index)) {
    place.status = range_status::forked;
    if (const auto end = chain_.end_of(at.epoch, known_end().index))
      place.lost_from.index = *end + 1;
    place.lost_from.epoch = at.epoch;
    place.lost_to = at;
    // Newest first: a position lies on one lost branch only.
    for (auto fork = forks_.rbegin(); fork != forks_.rend(); ++fork) {
      const bool is_there = fork->from <= at && at <= fork->to;
      if (!is_there || !chain_.holds(fork->common, known_end().index)) continue;
      place.status = range_status::ok;
      place.from = fork->common;
      break;
    }
  }
  if (place.status == range_status::ok && place.from > delivered_) place.is_ahead = true;
  return place;
}

}  // namespace ordeal::chat
