#include "tests/model/odd_commands.h"

#include <utility>

namespace ordeal::chat::model {
namespace {

constexpr std::uint64_t origins = 4;
constexpr std::uint64_t ids = 40;

// As a script finds it: nothing where there is none.
std::string text_of(std::uint64_t epoch) {
  return epoch > 0 ? std::to_string(epoch) : "";
}

message_body_ptr body_of(std::uint64_t id, std::uint64_t text) {
  message_body body;
  body.room = "r";
  if (id > 0) body.client_message_id = "c" + std::to_string(id);
  body.text = "text " + std::to_string(text);
  return std::make_shared<const message_body>(std::move(body));
}

}  // namespace

position odd_commands::some_position(const redis_model& redis) {
  const auto& log = redis.keys().log;
  if (one_in(6) || !log || log->entries.empty())
    return one_in(2) ? position() : position{1, 1 + below(9)};
  const position at = log->entries[below(log->entries.size())]->at;
  return one_in(4) ? position{at.epoch + below(2), at.index + 1} : at;
}

log_identity odd_commands::some_identity(const redis_model& redis) {
  const meta_fields meta = redis.keys().meta.value_or(meta_fields());
  log_identity result{meta.log_id, meta.epoch, meta.incarnation};
  if (one_in(12)) result.log_id = "another";
  if (one_in(12)) result.epoch += 1;
  if (one_in(12)) result.incarnation = std::string(40, 'a');
  return result;
}

repair_claim odd_commands::some_claim(const redis_model& redis) {
  repair_claim claim;
  const auto& recovery = redis.keys().recovery;
  claim.round = recovery && !one_in(10) ? recovery->round : "nobody.1";
  claim.incarnation = one_in(10) ? std::string(40, 'b') : redis.incarnation();
  claim.reports = recovery ? recovery->reports.size() : 0;
  if (one_in(8)) ++claim.reports;
  return claim;
}

append_command odd_commands::append(const redis_model& redis) {
  append_command what;
  what.log = some_identity(redis);
  const auto& seqs = redis.keys().seq;
  std::uint64_t last = 0;
  if (seqs && !seqs->empty())
    last = std::next(seqs->begin(), static_cast<std::ptrdiff_t>(below(seqs->size())))->second;
  what.after_seq = one_in(2) ? 0 : last - std::min(last, below(3)) + below(2);
  if (one_in(3)) what.after_id = "c" + std::to_string(below(ids));
  what.retained_bytes = one_in(3) ? 10'000 + below(30'000) : std::uint64_t{1} << 30;
  if (one_in(2)) what.beat = "7 1-3 1";
  const std::uint64_t count = one_in(20) ? 90 : below(4);
  std::uint64_t seq = std::max<std::uint64_t>(1, last + 1 - std::min(last, below(3)));
  for (std::uint64_t i = 0; i < count; ++i) {
    outgoing_message message;
    message.seq = one_in(20) ? 0 : seq;
    const std::uint64_t id = count > 10 ? 1'000 + below(100'000) : below(ids);
    message.body = body_of(id, one_in(5) ? below(3) : id);
    what.messages.push_back(std::move(message));
    seq += one_in(6) ? 2U : 1U;
  }
  if (what.messages.empty() && what.beat.empty()) what.beat = "8 1-3 1";
  return what;
}

convene_command odd_commands::convene(const redis_model& redis) {
  const meta_fields meta = redis.keys().meta.value_or(meta_fields());
  convene_command what{meta.log_id, text_of(meta.epoch), meta.state, meta.incarnation, "", ""};
  if (redis.keys().recovery) what.old_round = redis.keys().recovery->round;
  what.round = "odd." + std::to_string(++rounds_);
  if (one_in(8)) what.state = "closed";
  if (one_in(8)) what.epoch += '1';
  if (one_in(8)) what.old_round = "none.1";
  return what;
}

restore_command odd_commands::restore(const redis_model& redis) {
  restore_command what;
  what.claim = some_claim(redis);
  const auto& log = redis.keys().log;
  if (log && !log->entries.empty()) what.tail = log->entries.back()->at;
  if (one_in(8)) what.tail = some_position(redis);
  position at = what.tail;
  if (one_in(10) && at.index > 1) --at.index;
  for (std::uint64_t count = 1 + below(3); count > 0; --count) {
    entry each;
    if (one_in(5)) at.epoch += 1 + below(2);
    at.epoch = std::max<std::uint64_t>(at.epoch, 1);
    ++at.index;
    each.at = at;
    each.kind = one_in(4) ? entry_kind::heartbeat : entry_kind::message;
    each.origin = "N" + std::to_string(below(origins));
    if (each.kind == entry_kind::message) {
      each.origin_seq = 1 + below(30);
      const std::uint64_t id = below(ids);
      if (id > 0) each.client_message_id = "c" + std::to_string(id);
      each.room = "r";
      each.text = "text " + std::to_string(id);
    }
    what.entries.push_back(std::make_shared<const entry>(std::move(each)));
  }
  return what;
}

commit_command odd_commands::commit(const redis_model& redis) {
  commit_command what;
  what.claim = some_claim(redis);
  const auto& log = redis.keys().log;
  if (log && !log->entries.empty()) what.tail = log->entries.back()->at;
  if (one_in(8)) what.tail = some_position(redis);
  what.log_id = "log" + std::to_string(below(3));
  epoch_ = std::max(epoch_ + 1, what.tail.epoch + (one_in(10) ? 0 : 1));
  what.epoch = epoch_;
  what.barrier = "round=" + what.claim.round;
  if (log) {
    for (const entry_ptr& each : log->entries) what.chain.add(each->at.epoch, each->at.index);
  }
  for (std::uint64_t i = below(3); i > 0; --i) what.marks["N" + std::to_string(i)] = below(20);
  what.replaces_marks = one_in(3);
  return what;
}

command odd_commands::next(const redis_model& redis) {
  const bool is_open = redis.keys().meta && redis.keys().meta->state == "open";
  const std::uint64_t kind = is_open ? below(14) : 4 + below(16);
  if (kind < 8) return append(redis);
  if (kind < 10) return convene(redis);
  if (kind < 12) {
    report_command what;
    const auto& recovery = redis.keys().recovery;
    what.round = recovery && !one_in(8) ? recovery->round : "nobody.2";
    what.report = "- 0-0 0 - -";
    if (one_in(2)) what.last_read = some_position(redis);
    return what;
  }
  if (kind < 14) {
    attach_command what;
    if (one_in(2)) what.last_read = some_position(redis);
    return what;
  }
  if (kind < 16) return truncate_command{some_claim(redis), some_position(redis)};
  if (kind < 18) return restore(redis);
  return commit(redis);
}

}  // namespace ordeal::chat::model
