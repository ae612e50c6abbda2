#include "tests/model/redis_model.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace ordeal::chat::model {
namespace {

// What EVAL answers when a command in a script fails; what the script did before stays done.
constexpr const char* xadd_error =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";

constexpr std::size_t beats_max = 256;
constexpr std::uint64_t trim_bytes_more = 512 * 1024, excess_max = 256 * 1024;
constexpr const char* full_error = "OOM command not allowed when used memory > 'maxmemory'.";

// retention.lua
std::uint64_t cost_of(const entry& each) {
  return 128 + each.room.size() + 2 * each.client_message_id.size() + each.text.size();
}
std::uint64_t cost_of(const message_body& body) {
  return 128 + body.room.size() + 2 * body.client_message_id.size() + body.text.size();
}

void forget_count(meta_fields& meta) {
  meta.bytes = 0;
  meta.counted.reset();
}

// Messages that commit.lua looks at for watermarks and retry keys that were lost.
constexpr std::ptrdiff_t rebuilt_max = 4096;

const entry_ptr* find_entry(const std::optional<stream>& log, position at) {
  if (!log) return nullptr;
  const auto is_before = [](const entry_ptr& each, position wanted) { return each->at < wanted; };
  const auto place = std::lower_bound(log->entries.begin(), log->entries.end(), at, is_before);
  return place != log->entries.end() && (*place)->at == at ? &*place : nullptr;
}

}  // namespace

const char* name_of(log_key key) {
  switch (key) {
    case log_key::meta:
      return "meta";
    case log_key::epochs:
      return "epochs";
    case log_key::seq:
      return "seq";
    case log_key::req:
      return "req";
    case log_key::log:
      return "log";
    case log_key::recovery:
      return "recovery";
    case log_key::heard:
      return "heard";
    case log_key::beats:
      return "beats";
  }
  return "";
}

void key_space::hash_into(hasher& into) const {
  into.add(meta ? 1U : 0U);
  if (meta) {
    into.add(meta->log_id).add(meta->epoch).add(meta->state).add(meta->incarnation);
    into.add(meta->top).add(meta->floor).add(meta->bytes).add(meta->counted.value_or(position()));
    into.add(meta->beats);
  }
  into.add(epochs ? epochs->size() + 1 : 0);
  if (epochs) {
    for (const auto& [epoch, first] : *epochs) into.add(epoch).add(first);
  }
  into.add(seq ? seq->size() + 1 : 0);
  if (seq) {
    for (const auto& [origin, last] : *seq) into.add(origin).add(last);
  }
  into.add(req ? req->size() + 1 : 0);
  if (req) {
    for (const auto& [id, at] : *req) into.add(id).add(at.value_or(position()));
  }
  into.add(log ? log->entries.size() + 1 : 0);
  if (log) {
    into.add(log->last_id);
    for (const entry_ptr& each : log->entries) into.add(*each);
  }
  into.add(heard ? heard->size() + 1 : 0);
  if (heard) {
    for (const auto& [origin, index] : *heard) into.add(origin).add(index);
  }
  into.add(beats ? beats->size() + 1 : 0);
  if (beats) {
    for (const read_beat& each : *beats)
      into.add(each.at).add(each.origin).add(each.top).add(each.text);
  }
  into.add(recovery ? recovery->reports.size() + 1 : 0);
  if (!recovery) return;
  into.add(recovery->round).add(recovery->owner).add(recovery->progress);
  for (const auto& [origin, text] : recovery->reports) into.add(origin).add(text);
}

void redis_model::hash_into(hasher& into) const {
  into.add(incarnation_);
  keys_.hash_into(into);
}

void redis_model::raise_last_id(position to) {
  if (keys_.log) keys_.log->last_id = std::max(keys_.log->last_id, to);
}

void redis_model::miscount(const std::string& origin, std::uint64_t by) {
  if (keys_.seq) (*keys_.seq)[origin] += by;
}

void redis_model::lose_count() {
  if (keys_.meta) forget_count(*keys_.meta);
}

void redis_model::trim_by_hand(std::size_t left) {
  if (!keys_.log || keys_.log->entries.size() <= left) return;
  auto& entries = keys_.log->entries;
  entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(left));
}

void redis_model::lose(log_key key) {
  switch (key) {
    case log_key::meta:
      keys_.meta.reset();
      break;
    case log_key::epochs:
      keys_.epochs.reset();
      break;
    case log_key::seq:
      keys_.seq.reset();
      break;
    case log_key::req:
      keys_.req.reset();
      break;
    case log_key::log:
      keys_.log.reset();
      break;
    case log_key::recovery:
      keys_.recovery.reset();
      break;
    case log_key::heard:
      keys_.heard.reset();
      break;
    case log_key::beats:
      keys_.beats.reset();
      break;
  }
}

bool redis_model::has(log_key key) const {
  switch (key) {
    case log_key::meta:
      return keys_.meta.has_value();
    case log_key::epochs:
      return keys_.epochs.has_value();
    case log_key::seq:
      return keys_.seq.has_value();
    case log_key::req:
      return keys_.req.has_value();
    case log_key::log:
      return keys_.log.has_value();
    case log_key::recovery:
      return keys_.recovery.has_value();
    case log_key::heard:
      return keys_.heard.has_value();
    case log_key::beats:
      return keys_.beats.has_value();
  }
  return false;
}

answer redis_model::execute(const std::string& origin, const command& what) {
  std::string error;
  answer result;
  if (const auto* attach = std::get_if<attach_command>(&what)) {
    result = attach_answer{server(), facts(origin, attach->last_read)};
  } else if (const auto* append = std::get_if<append_command>(&what)) {
    result = run_append(origin, *append, error);
  } else if (const auto* convene = std::get_if<convene_command>(&what)) {
    result = run_convene(*convene);
  } else if (const auto* report = std::get_if<report_command>(&what)) {
    result = run_report(origin, *report);
  } else if (const auto* truncate = std::get_if<truncate_command>(&what)) {
    result = run_truncate(origin, *truncate, error);
  } else if (const auto* restore = std::get_if<restore_command>(&what)) {
    result = run_restore(origin, *restore, error);
  } else {
    result = run_commit(origin, std::get<commit_command>(what), error);
  }
  if (error.empty()) return result;
  const bool is_full = error.starts_with("OOM");
  return wire_error{is_full ? net::redis::reply_class::retryable : net::redis::reply_class::fatal,
                    error};
}

server_facts redis_model::server() const {
  server_facts result;
  result.incarnation = incarnation_;
  return result;
}

// attach.lua
log_facts redis_model::facts(const std::string& origin,
                             const std::optional<position>& last_read) const {
  log_facts result;
  if (keys_.meta) {
    result.has_meta = !keys_.meta->log_id.empty();
    result.log_id = keys_.meta->log_id;
    result.epoch = keys_.meta->epoch;
    if (result.epoch > 0) result.epoch_text = std::to_string(result.epoch);
    result.state = keys_.meta->state;
    result.incarnation = keys_.meta->incarnation;
    result.top = keys_.meta->top;
    result.floor = keys_.meta->floor;
    const bool is_whole = result.epoch > 0 && result.floor > 0 && result.floor <= result.top;
    result.is_damaged = result.has_meta && !is_whole;
  }
  result.has_all_keys = keys_.epochs && keys_.seq && keys_.req && keys_.log;
  if (keys_.seq) {
    if (const auto known = keys_.seq->find(origin); known != keys_.seq->end())
      result.own_seq = known->second;
  }
  if (keys_.log && !keys_.log->entries.empty()) {
    result.first = keys_.log->entries.front();
    result.tail = keys_.log->entries.back();
  }
  if (last_read) {
    if (const entry_ptr* held = find_entry(keys_.log, *last_read)) result.held = *held;
  }
  if (keys_.epochs) {
    for (const auto& [epoch, first] : *keys_.epochs) {
      if (epoch == 0) continue;
      if (first > 0) result.chain.add(epoch, first);
      result.is_damaged = result.is_damaged || first == 0;
    }
  }
  if (keys_.recovery) result.round = keys_.recovery->round;
  return result;
}

position redis_model::tail_position() const {
  if (!keys_.log || keys_.log->entries.empty()) return {};
  return keys_.log->entries.back()->at;
}

// XADD with an explicit id.
bool redis_model::add_entry(entry each, std::string& error) {
  if (keys_.log && each.at <= keys_.log->last_id) {
    error = xadd_error;
    return false;
  }
  if (!keys_.log) keys_.log.emplace();
  keys_.log->last_id = each.at;
  each.earlier.reset();
  keys_.log->entries.push_back(std::make_shared<const entry>(std::move(each)));
  return true;
}

// append.lua
append_answer redis_model::run_append(const std::string& origin, const append_command& what,
                                      std::string& error) {
  append_answer result;
  const bool is_current = keys_.meta && keys_.meta->log_id == what.log.log_id &&
                          keys_.meta->epoch == what.log.epoch && keys_.meta->state == "open" &&
                          keys_.meta->incarnation == what.log.incarnation &&
                          incarnation_ == what.log.incarnation;
  const bool is_whole = keys_.meta && keys_.seq && keys_.req && keys_.log && keys_.epochs;
  if (!is_whole || (!is_current && !options_.appends_unchecked)) {
    result.is_stale = true;
    return result;
  }
  std::uint64_t top = keys_.meta->top;
  std::uint64_t coming = 0;
  for (const outgoing_message& each : what.messages) coming += cost_of(*each.body);
  const meta_fields before_all = *keys_.meta;
  recount(top);
  if (is_full_ && (coming > 0 || top - keys_.meta->floor < kept_entries_min)) {
    const trimmed gone = trim(top, 0, 2 * coming + trim_bytes_more);
    result.trimmed_early = gone.entries;
    if (coming == 0 || gone.bytes < coming) {
      if (gone.entries == 0) keys_.meta = before_all;  // what was recounted is not stored
      error = full_error;
      return result;
    }
  }
  if (!what.beat.empty()) write_beat(origin, what.beat);
  auto& seqs = *keys_.seq;
  auto& ids = *keys_.req;
  const auto known_seq = seqs.find(origin);
  const std::uint64_t known_last = known_seq == seqs.end() ? 0 : known_seq->second;
  std::uint64_t last = known_last;
  std::uint64_t before = what.after_seq;
  std::map<std::string, position> added;
  bool is_one_missing = false;
  if (!what.after_id.empty() && !options_.believes_seqs) {
    const auto known = ids.find(what.after_id);
    const entry_ptr* found = nullptr;
    if (known != ids.end() && known->second) found = find_entry(keys_.log, *known->second);
    is_one_missing =
        found == nullptr || (*found)->origin != origin || (*found)->origin_seq != what.after_seq;
  }

  // An entry that was added by hand and removed leaves only its id behind.
  const bool is_at_end = tail_position() == position{what.log.epoch, top};
  bool is_ahead = keys_.log->last_id > position{what.log.epoch, top};
  const auto append = [&](entry_kind kind, std::uint64_t seq, const message_body& body) {
    result.is_stale = is_ahead && !is_at_end;
    if (result.is_stale) {  // nothing is stored
      const std::uint64_t beats = keys_.meta->beats;
      keys_.meta = before_all;
      keys_.meta->beats = beats;
    }
    if (result.is_stale) return false;
    if (std::exchange(is_ahead, false)) keys_.log->last_id = tail_position();
    entry each;
    each.at = position{what.log.epoch, ++top};
    each.kind = kind;
    each.origin = origin;
    each.origin_seq = seq;
    each.room = body.room;
    each.client_message_id = body.client_message_id;
    each.text = body.text;
    keys_.meta->bytes += cost_of(each);
    return add_entry(std::move(each), error);
  };
  for (const outgoing_message& message : what.messages) {
    const message_body& body = *message.body;
    entry_reply reply;
    std::optional<bool> is_same;
    if (!body.client_message_id.empty()) {
      if (const auto here = added.find(body.client_message_id); here != added.end()) {
        reply.at = here->second;
      } else if (const auto known = ids.find(body.client_message_id); known != ids.end()) {
        reply.at = known->second;
      }
    }
    if (reply.at) {
      if (const entry_ptr* found = find_entry(keys_.log, *reply.at))
        is_same = (*found)->room == body.room && (*found)->text == body.text;
    }
    if (message.seq != 0 && message.seq <= last) {
      reply.result = is_same == false ? entry_result::conflict : entry_result::used_before;
      if (!is_same) {
        reply.at.reset();
        is_one_missing = true;
      }
    } else if (message.seq != 0 && (before > last || is_one_missing)) {
      reply.result = entry_result::gap;
      reply.last_seq = last;
      reply.at.reset();
      result.entries.push_back(reply);
      break;
    } else {
      if (message.seq != 0) last = message.seq;
      if (is_same) {
        reply.result = *is_same ? entry_result::known_client_id : entry_result::conflict;
      } else {
        if (!append(entry_kind::message, message.seq, body)) return result;
        reply.result = entry_result::appended;
        reply.at = position{what.log.epoch, top};
        if (!body.client_message_id.empty()) added[body.client_message_id] = *reply.at;
      }
    }
    if (reply.result == entry_result::conflict) reply.at.reset();
    if (message.seq != 0) before = message.seq;
    result.entries.push_back(reply);
  }
  for (const auto& [id, at] : added) ids[id] = at;
  keys_.meta->top = result.top = top;
  retain(what, coming, result.trimmed_early > 0);
  result.floor = keys_.meta->floor;
  result.bytes = keys_.meta->bytes;
  if (last == 0) return result;
  seqs[origin] = last;
  if (!keys_.heard) keys_.heard.emplace();
  (*keys_.heard)[origin] = top;
  if (known_last == 0) forget_origins(top);
  return result;
}

// Takes in some entries below those that are counted.
void redis_model::recount(std::uint64_t top) {
  meta_fields& meta = *keys_.meta;
  if (!meta.counted || meta.counted->index > top) {
    meta.bytes = 0;
    meta.counted = position{meta.epoch, top + 1};
  }
  if (meta.counted->index <= meta.floor) return;
  const auto& entries = keys_.log->entries;
  auto each = std::ranges::lower_bound(entries, *meta.counted, {},
                                       [](const entry_ptr& one) { return one->at; });
  std::size_t taken = 0;
  for (; each != entries.begin() && taken < options_.recount_max; ++taken) {
    --each;
    meta.bytes += cost_of(**each);
    meta.counted = (*each)->at;
  }
  if (taken < options_.recount_max) meta.floor = meta.counted->index;
}

redis_model::trimmed redis_model::trim(std::uint64_t top, std::uint64_t upto,
                                       std::uint64_t excess) {
  meta_fields& meta = *keys_.meta;
  auto& entries = keys_.log->entries;
  trimmed gone;
  std::uint64_t counted_bytes = 0, expected = meta.floor;
  bool is_whole = true;
  auto first = entries.begin();
  for (; first != entries.end(); ++first) {
    const std::uint64_t index = (*first)->at.index;
    is_whole = is_whole && index == expected;
    expected = index + 1;
    const bool goes = index <= upto || (gone.bytes < excess && index + kept_entries_min <= top);
    if (!goes || gone.entries == options_.trim_max) break;
    ++gone.entries;
    gone.bytes += cost_of(**first);
    if (meta.counted && index >= meta.counted->index) counted_bytes += cost_of(**first);
  }
  if (first == entries.end()) return {};
  for (auto each = entries.begin(); each != first; ++each) {
    const std::string& id = (*each)->client_message_id;
    if (!id.empty() && keys_.req) keys_.req->erase(id);
  }
  meta.floor = (*first)->at.index;
  meta.bytes -= counted_bytes;
  if (!is_whole) {
    forget_count(meta);
  } else if (meta.counted && meta.counted->index < meta.floor) {
    meta.counted = (*first)->at;
  }
  entries.erase(entries.begin(), first);
  return gone;
}

void redis_model::write_beat(const std::string& origin, const std::string& text) {
  const position at{keys_.meta->epoch, ++keys_.meta->beats};
  if (keys_.beats && !keys_.beats->empty() && at <= keys_.beats->back().at) keys_.beats.reset();
  if (!keys_.beats) keys_.beats.emplace();
  keys_.beats->push_back({at, origin, keys_.meta->top, text});
  if (keys_.beats->size() > beats_max) keys_.beats->erase(keys_.beats->begin());
}

void redis_model::forget_epochs() {
  auto& epochs = *keys_.epochs;
  if (epochs.size() <= options_.epochs_kept + 1) return;
  std::vector<std::tuple<std::uint64_t, std::string, std::uint64_t>> chain;
  for (const auto& [epoch, first] : epochs) {
    if (epoch != 0) chain.emplace_back(first, std::to_string(epoch), epoch);
  }
  std::ranges::sort(chain);
  for (std::size_t i = 0; i + options_.epochs_kept < chain.size(); ++i) {
    if (std::get<0>(chain[i + 1]) >= keys_.meta->floor) return;
    epochs.erase(std::get<2>(chain[i]));
  }
}

void redis_model::forget_origins(std::uint64_t top) {
  auto& seqs = *keys_.seq;
  auto& heard = *keys_.heard;
  if (seqs.size() <= options_.origins_kept + 1) return;
  std::vector<std::pair<std::uint64_t, std::string>> old;
  std::map<std::string, std::uint64_t> left;
  for (const auto& [origin, seq] : seqs) {
    if (origin.empty()) continue;
    const auto known = heard.find(origin);
    const bool is_known = known != heard.end() && known->second <= top;
    left[origin] = is_known ? known->second : top;
    if (is_known && known->second < keys_.meta->floor) old.emplace_back(known->second, origin);
  }
  heard = std::move(left);
  std::ranges::sort(old);
  old.resize(std::min(old.size(), seqs.size() - 1 - options_.origins_kept));
  for (const auto& [index, origin] : old) {
    seqs.erase(origin);
    heard.erase(origin);
  }
}

void redis_model::retain(const append_command& what, std::uint64_t coming, bool has_trimmed_early) {
  const meta_fields& meta = *keys_.meta;
  std::uint64_t upto = 0, excess = 0;
  if (meta.top - meta.floor + 1 >= options_.retained_entries + options_.trim_min)
    upto = meta.top - options_.retained_entries;
  const std::uint64_t slack = std::min<std::uint64_t>(what.retained_bytes / 16, excess_max);
  if (meta.bytes > what.retained_bytes + slack)
    excess = std::min(meta.bytes - what.retained_bytes, 2 * coming + trim_bytes_more);
  if (upto > 0 || excess > 0) trim(meta.top, upto, excess);
  if (upto > 0 || excess > 0 || has_trimmed_early) forget_epochs();
}

// convene.lua
convene_answer redis_model::run_convene(const convene_command& what) {
  const meta_fields found = keys_.meta.value_or(meta_fields());
  const std::string round = keys_.recovery ? keys_.recovery->round : "";
  convene_answer result;
  result.is_done = found.log_id == what.log_id &&
                   (found.epoch > 0 ? std::to_string(found.epoch) : "") == what.epoch &&
                   found.state == what.state && found.incarnation == what.incarnation &&
                   round == what.old_round;
  if (!result.is_done) return result;
  if (!keys_.meta) keys_.meta.emplace();
  if (tail_position() == position{} || tail_position() != position{found.epoch, found.top})
    forget_count(*keys_.meta);
  keys_.meta->state = "recovering";
  keys_.recovery = recovery_fields{what.round, "", 0, {}};
  return result;
}

// attach.lua, then report.lua
report_answer redis_model::run_report(const std::string& origin, const report_command& what) {
  report_answer result;
  result.server = server();
  result.log = facts(origin, what.last_read);
  result.is_stale = !keys_.recovery || keys_.recovery->round != what.round || !keys_.meta ||
                    keys_.meta->state != "recovering";
  if (result.is_stale) return result;
  if (keys_.recovery->owner.empty()) keys_.recovery->reports[origin] = what.report;
  result.owner = keys_.recovery->owner;
  result.progress = keys_.recovery->progress;
  result.reports = keys_.recovery->reports;
  return result;
}

bool redis_model::is_claim_good(const std::string& origin, const repair_claim& claim) const {
  return keys_.recovery && keys_.recovery->round == claim.round &&
         (keys_.recovery->owner.empty() ? keys_.recovery->reports.size() == claim.reports
                                        : keys_.recovery->owner == origin) &&
         keys_.meta && keys_.meta->state == "recovering" && incarnation_ == claim.incarnation;
}

// truncate.lua
repair_answer redis_model::run_truncate(const std::string& origin, const truncate_command& what,
                                        std::string&) {
  repair_answer result;
  result.is_stale = !is_claim_good(origin, what.claim);
  if (result.is_stale) return result;
  keys_.recovery->owner = origin;
  ++keys_.recovery->progress;
  if (what.keep == position{}) {
    keys_.log.reset();
    keys_.req.reset();
    keys_.epochs.reset();
    keys_.seq.reset();
    forget_count(*keys_.meta);
    return result;
  }
  if (keys_.epochs) {
    std::erase_if(*keys_.epochs, [&](const auto& each) { return each.second > what.keep.index; });
    if (keys_.epochs->empty()) keys_.epochs.reset();
  }
  std::size_t removed = 0;
  while (keys_.log && removed < options_.truncate_max && tail_position() > what.keep) {
    if (keys_.meta->counted) keys_.meta->bytes -= cost_of(*keys_.log->entries.back());
    keys_.log->entries.pop_back();
    ++removed;
  }
  if (keys_.meta->counted && keys_.meta->counted->index > what.keep.index)
    forget_count(*keys_.meta);
  result.is_complete = removed != options_.truncate_max;
  if (!result.is_complete || !keys_.log) return result;
  keys_.log->last_id = what.keep;  // above whatever is left
  return result;
}

void redis_model::raise_mark(const std::string& name, std::uint64_t seq) {
  if (seq == 0) return;
  if (!keys_.seq) keys_.seq.emplace();
  std::uint64_t& mark = (*keys_.seq)[name];
  mark = std::max(mark, seq);
}

// restore.lua
repair_answer redis_model::run_restore(const std::string& origin, const restore_command& what,
                                       std::string& error) {
  repair_answer result;
  result.is_stale = !is_claim_good(origin, what.claim) || tail_position() != what.tail;
  if (result.is_stale) return result;
  meta_fields& meta = *keys_.meta;
  if (is_full_) {
    std::uint64_t coming = 0;
    for (const entry_ptr& each : what.entries) coming += cost_of(*each);
    error = full_error;
    if (what.tail == position{}) return result;
    const std::uint64_t floor = std::exchange(meta.floor, keys_.log->entries.front()->at.index);
    const trimmed gone = trim(what.tail.index, 0, 2 * coming);
    meta.floor = floor;  // the commit brings it up to date
    if (gone.bytes < coming) return result;
    error.clear();
  }
  std::optional<position> counted = meta.counted;
  std::uint64_t bytes = meta.bytes;
  if (what.tail == position{}) {
    bytes = 0;
    counted = what.entries.front()->at;
  }
  forget_count(meta);
  if (what.tail == position{}) {
    keys_.log.reset();
  } else {
    keys_.log->last_id = what.tail;
  }
  keys_.recovery->owner = origin;
  ++keys_.recovery->progress;
  for (const entry_ptr& each : what.entries) {
    if (!add_entry(*each, error)) return result;
    bytes += cost_of(*each);
    if (each->kind == entry_kind::barrier) {
      if (!keys_.epochs) keys_.epochs.emplace();
      (*keys_.epochs)[each->at.epoch] = each->at.index;
    } else if (each->kind == entry_kind::message) {
      if (!each->client_message_id.empty()) {
        if (!keys_.req) keys_.req.emplace();
        (*keys_.req)[each->client_message_id] = each->at;
      }
      raise_mark(each->origin, each->origin_seq);
    }
  }
  meta.counted = counted;
  meta.bytes = counted ? bytes : 0;
  return result;
}

// commit.lua
repair_answer redis_model::run_commit(const std::string& origin, const commit_command& what,
                                      std::string& error) {
  repair_answer result;
  result.is_stale = !is_claim_good(origin, what.claim) || tail_position() != what.tail;
  if (options_.commits_unchecked) result.is_stale = incarnation_ != what.claim.incarnation;
  if (result.is_stale) return result;
  entry barrier;
  barrier.at = position{what.epoch, tail_position().index + 1};
  barrier.kind = entry_kind::barrier;
  barrier.origin = origin;
  barrier.text = what.barrier;
  const std::uint64_t top = barrier.at.index;
  std::optional<position> counted = keys_.meta->counted;
  std::uint64_t bytes = keys_.meta->bytes;
  if (tail_position() == position{}) counted.reset();
  const position begin = barrier.at;
  const std::uint64_t barrier_bytes = cost_of(barrier);
  if (tail_position() == position{}) {
    keys_.log.reset();
  } else {
    keys_.log->last_id = tail_position();
  }
  if (!add_entry(std::move(barrier), error)) return result;

  const bool had_epochs = keys_.epochs && keys_.epochs->contains(0);
  keys_.epochs.emplace();
  for (const auto& each : what.chain.segments()) (*keys_.epochs)[each.epoch] = each.first;
  (*keys_.epochs)[what.epoch] = top;
  (*keys_.epochs)[0] = 0;
  const bool is_whole = had_epochs && keys_.seq && keys_.seq->contains("") && keys_.req &&
                        keys_.req->contains("") && !what.replaces_marks;
  if (what.replaces_marks || !keys_.seq) keys_.seq.emplace();
  if (!keys_.req) keys_.req.emplace();
  if (!is_whole) {
    const auto& all = keys_.log->entries;
    const auto newest = all.size() > rebuilt_max ? all.end() - rebuilt_max : all.begin();
    for (auto each = all.end(); each != newest;) {
      --each;
      if ((*each)->kind == entry_kind::barrier)
        keys_.epochs->try_emplace((*each)->at.epoch, (*each)->at.index);
      if ((*each)->kind != entry_kind::message) continue;
      raise_mark((*each)->origin, (*each)->origin_seq);
      if ((*each)->client_message_id.empty()) continue;
      keys_.req->try_emplace((*each)->client_message_id, (*each)->at);
    }
    keys_.epochs->try_emplace(all.front()->at.epoch, all.front()->at.index);
  }
  for (const auto& [name, seq] : what.marks) raise_mark(name, seq);
  (*keys_.seq)[""] = 0;
  (*keys_.req)[""] = std::nullopt;
  const std::uint64_t floor = keys_.log->entries.front()->at.index;
  if (!counted || counted->index < floor) {
    counted = begin;
    bytes = 0;
  }
  keys_.meta = meta_fields{
      what.log_id,           what.epoch, "open",           what.claim.incarnation, top, floor,
      bytes + barrier_bytes, counted,    keys_.meta->beats};
  forget_epochs();
  keys_.recovery.reset();
  return result;
}

read_answer redis_model::read_streams(const read_command& what) const {
  read_answer found;
  if (keys_.beats) {
    for (const read_beat& each : *keys_.beats) {
      if (each.at > what.beats_after) found.beats.push_back(each);
    }
  }
  auto& result = found.entries;
  if (!keys_.log) return found;
  const auto is_after = [](position wanted, const entry_ptr& each) { return wanted < each->at; };
  const auto& all = keys_.log->entries;
  auto each = std::upper_bound(all.begin(), all.end(), what.after, is_after);
  for (; each != all.end() && result.size() < read_count_max; ++each) result.push_back(*each);
  return found;
}

read_answer redis_model::read_facts(read_answer found) const {
  read_answer result = std::move(found);
  if (!keys_.meta) return result;
  result.log_id = keys_.meta->log_id;
  result.state = keys_.meta->state;
  result.incarnation = keys_.meta->incarnation;
  result.top = keys_.meta->top;
  result.floor = keys_.meta->floor;
  return result;
}

}  // namespace ordeal::chat::model
