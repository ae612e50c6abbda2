#include "reference-server/log/log_wire.h"

#include <deque>

#include "reference-server/log/attach.h"
#include "reference-server/log/entry_codec.h"
#include "reference-server/log/scripts.h"

namespace ordeal::chat {
namespace {

using net::redis::reply;
using net::redis::reply_view;
using net::redis::request;
using replies = log_wire::replies;

// INFO of three sections, then the attach script.
constexpr std::size_t facts_place = 3;
constexpr std::size_t facts_size = 8;

wire_error error_in(reply_view answer) {
  wire_error error;
  error.kind = net::redis::classify(answer);
  if (error.is_set()) error.text = answer.text();
  return error;
}

wire_error first_error(const replies& heard) {
  for (const reply& each : heard) {
    wire_error error = error_in(each.view());
    if (error.is_set()) return error;
  }
  return {};
}

wire_error unexpected(std::string_view what) {
  wire_error error;
  error.kind = net::redis::reply_class::fatal;
  error.text = "unexpected reply to the script ";
  error.text += what;
  return error;
}

std::uint64_t unsigned_of(reply_view number) {
  return static_cast<std::uint64_t>(number.integer());
}

std::optional<entry_reply> parse_entry_reply(reply_view element, std::uint64_t epoch) {
  entry_reply result;
  if (element.is_integer()) {
    result.at = position{epoch, unsigned_of(element)};
    return result;
  }
  const std::string_view text = element.text();
  const std::string_view word = text.substr(0, text.find(' '));
  const std::string_view rest = text.substr(std::min(word.size() + 1, text.size()));
  if (word == "GAP") {
    result.result = entry_result::gap;
    const auto last = parse_number(rest);
    if (!last) return std::nullopt;
    result.last_seq = *last;
    return result;
  }
  if (word == "CONFLICT") {
    result.result = entry_result::conflict;
    return result;
  }
  if (word != "DUP" && word != "DUPCLIENT") return std::nullopt;
  result.result = word == "DUP" ? entry_result::used_before : entry_result::known_client_id;
  result.at = parse_position(rest);
  return result;
}

// A number that a node may have written: 0 when it is none.
std::uint64_t parse_bounded(reply_view text, std::uint64_t max) {
  const std::uint64_t value = parse_number(text.text()).value_or(0);
  return value <= max ? value : 0;
}

log_facts parse_log_facts(reply_view found) {
  const reply_view meta = found[0];
  log_facts log;
  log.has_meta = meta[0].is_text();
  log.log_id = meta[0].text();
  log.epoch_text = meta[1].text();
  log.epoch = parse_bounded(meta[1], epoch_max);
  log.state = meta[2].text();
  log.incarnation = meta[3].text();
  log.top = parse_bounded(meta[4], index_max);
  log.floor = parse_bounded(meta[5], index_max);
  const bool is_whole = log.epoch > 0 && log.top > 0 && log.floor > 0 && log.floor <= log.top;
  log.is_damaged = (log.has_meta && !is_whole) || !parse_number(found[2].text());
  log.has_all_keys = found[1].integer() == 4;
  log.own_seq = unsigned_of(found[2]);
  log.first = parse_entry(found[3][0]);
  log.tail = parse_entry(found[4][0]);
  log.held = parse_entry(found[5][0]);
  if (found[3].size() > 0 && !log.first) log.foreign_id = found[3][0][0].text();
  if (found[4].size() > 0 && !log.tail) log.foreign_id = found[4][0][0].text();
  const reply_view epochs = found[6];
  for (std::size_t i = 0; i + 1 < epochs.size(); i += 2) {
    if (epochs[i].text() == "0") continue;  // the commit's mark
    const std::uint64_t epoch = parse_bounded(epochs[i], epoch_max);
    const std::uint64_t first = parse_bounded(epochs[i + 1], index_max);
    log.is_damaged = log.is_damaged || epoch == 0 || first == 0;
    if (epoch > 0 && first > 0) log.chain.add(epoch, first);
  }
  log.round = found[7].text();
  return log;
}

// Server and log, of the first replies of an attach or a report.
struct both_facts {
  wire_error error;
  server_facts server;
  log_facts log;
};

both_facts parse_both(const replies& heard) {
  both_facts result;
  result.error = first_error(heard);
  if (result.error.is_set()) return result;
  std::string info;
  for (std::size_t i = 0; i < facts_place; ++i) info += heard[i]->text();
  result.server = parse_server_facts(info);
  const reply_view found = heard[facts_place].view();
  if (found.size() != facts_size || found[0].size() != 6) {
    result.error = unexpected("attach");
    return result;
  }
  result.log = parse_log_facts(found);
  return result;
}

answer parse_append(const replies& heard, std::uint64_t epoch) {
  const reply_view reply = heard.back().view();
  append_answer result;
  if (heard.size() > 1) result.memory = parse_memory_facts(heard.front()->text());
  if (wire_error error = error_in(reply); error.is_set()) return error;
  result.is_stale = reply[0].text() == "STALE";
  if (result.is_stale) return result;
  constexpr std::size_t first = 5;
  if (reply[0].text() != "OK" || reply.size() < first) return unexpected("append");
  result.top = unsigned_of(reply[1]);
  result.floor = unsigned_of(reply[2]);
  result.bytes = unsigned_of(reply[3]);
  result.trimmed_early = unsigned_of(reply[4]);
  result.entries.reserve(reply.size() - first);
  for (std::size_t i = first; i < reply.size(); ++i) {
    const auto each = parse_entry_reply(reply[i], epoch);
    if (!each) return unexpected("append");
    result.entries.push_back(*each);
  }
  return result;
}

answer parse_report_answer(const replies& heard) {
  both_facts found = parse_both(heard);
  if (found.error.is_set()) return found.error;
  report_answer result;
  result.server = std::move(found.server);
  result.log = std::move(found.log);
  const reply_view view = heard.back().view();
  result.is_stale = view[0].text() == "STALE";
  if (result.is_stale) return result;
  if (view[0].text() != "OK" || view.size() < 3) return unexpected("report");
  result.owner = view[1].text();
  result.progress = unsigned_of(view[2]);
  for (std::size_t i = 3; i + 1 < view.size(); i += 2)
    result.reports.emplace(view[i].text(), view[i + 1].text());
  return result;
}

answer parse_repair(reply_view reply) {
  if (wire_error error = error_in(reply); error.is_set()) return error;
  repair_answer result;
  result.is_stale = reply.text() == "STALE";
  result.is_complete = !result.is_stale && reply.integer() == 0;
  return result;
}

void take_entries(reply_view found, read_answer& answer) {
  answer.entries.reserve(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    entry_ptr each = parse_entry(found[i]);
    answer.has_foreign_entry = each == nullptr;
    if (answer.has_foreign_entry) return;
    answer.entries.push_back(std::move(each));
  }
}

// What somebody else wrote there stands for nothing; that it is there is told.
void take_beats(reply_view found, read_answer& answer) {
  answer.beats.reserve(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const reply_view fields = found[i][1];
    read_beat beat;
    beat.at = parse_position(found[i][0].text()).value_or(position());
    const bool is_ours = fields.size() == 6 && fields[0].text() == "o" && fields[2].text() == "i" &&
                         fields[4].text() == "t";
    if (is_ours) {
      beat.origin = fields[1].text();
      beat.top = parse_number(fields[3].text()).value_or(0);
      beat.text = fields[5].text();
    }
    answer.beats.push_back(std::move(beat));
  }
}

log_wire::read_result parse_meta(const replies& heard) {
  log_wire::read_result result;
  result.error = first_error(heard);
  if (result.error.is_set()) return result;
  const reply_view meta = heard.back().view();
  result.answer.log_id = meta[0].text();
  result.answer.state = meta[1].text();
  result.answer.incarnation = meta[2].text();
  result.answer.top = unsigned_of(meta[3]);
  result.answer.floor = unsigned_of(meta[4]);
  return result;
}

// The words of a script's call; numbers that were formatted for it live here.
class script_call {
 public:
  script_call(std::string_view verb, std::string_view script,
              std::initializer_list<std::string_view> keys) {
    words_ = {verb, script, number(keys.size())};
    words_.insert(words_.end(), keys);
  }
  script_call& add(std::string_view word) {
    words_.push_back(word);
    return *this;
  }
  script_call& add(std::uint64_t value) { return add(number(value)); }
  script_call& add(position at) { return add(kept(format_position(at))); }
  script_call& add(const repair_claim& claim, std::string_view origin) {
    return add(claim.round).add(origin).add(claim.incarnation).add(claim.reports);
  }
  request finish() const {
    request what;
    what.add(words_);
    return what;
  }
  void finish_into(request& what) const { what.add(words_); }

 private:
  std::string_view number(std::uint64_t value) { return kept(std::to_string(value)); }
  std::string_view kept(std::string text) { return texts_.emplace_back(std::move(text)); }

  std::vector<std::string_view> words_;
  std::deque<std::string> texts_;
};

}  // namespace

log_wire::log_wire(std::string_view app, std::string origin, std::size_t retained_entries)
    : origin_(std::move(origin)), retained_(std::to_string(retained_entries)) {
  // One hash tag: all keys of a log live together.
  std::string prefix = "{";
  prefix += app;
  prefix += "}:";
  meta_ = prefix + "meta";
  epochs_ = prefix + "epochs";
  seq_ = prefix + "seq";
  req_ = prefix + "req";
  log_ = prefix + "log";
  recovery_ = prefix + "recovery";
  heard_ = prefix + "heard";
  beats_ = prefix + "beats";
}

request log_wire::make(const command& what) const {
  struct maker {
    const log_wire& wire;
    request operator()(const attach_command& one) const { return wire.attach(one); }
    request operator()(const append_command& one) const { return wire.append(one); }
    request operator()(const convene_command& one) const { return wire.convene(one); }
    request operator()(const report_command& one) const { return wire.make_report(one); }
    request operator()(const truncate_command& one) const { return wire.truncate(one); }
    request operator()(const restore_command& one) const { return wire.restore(one); }
    request operator()(const commit_command& one) const { return wire.commit(one); }
  };
  return std::visit(maker{*this}, what);
}

answer log_wire::parse(const command& what, const replies& heard) {
  if (std::holds_alternative<attach_command>(what)) {
    both_facts found = parse_both(heard);
    if (found.error.is_set()) return found.error;
    append_sha_ = heard.back()->text();
    return attach_answer{std::move(found.server), std::move(found.log)};
  }
  if (const auto* asked = std::get_if<append_command>(&what))
    return parse_append(heard, asked->log.epoch);
  if (std::holds_alternative<report_command>(what)) return parse_report_answer(heard);
  if (!std::holds_alternative<convene_command>(what)) return parse_repair(heard.front().view());
  if (wire_error error = error_in(heard.front().view()); error.is_set()) return error;
  return convene_answer{heard.front()->integer() == 1};
}

void log_wire::add_facts(request& what, const std::optional<position>& last_read) const {
  what.add({"INFO", "server"}).add({"INFO", "replication"}).add({"INFO", "memory"});
  script_call call("EVAL", scripts::attach, {meta_, epochs_, seq_, req_, log_, recovery_});
  call.add(origin_);
  const std::string last = last_read ? format_position(*last_read) : "";
  call.add(last).finish_into(what);
}

request log_wire::attach(const attach_command& what) const {
  request asked;
  add_facts(asked, what.last_read);
  asked.add({"SCRIPT", "LOAD", scripts::append});
  return asked;
}

request log_wire::identity() {
  request asked;
  asked.add({"INFO", "replication"});
  return asked;
}

std::string log_wire::parse_incarnation(const replies& heard) {
  if (heard.empty() || error_in(heard.front().view()).is_set()) return {};
  return parse_server_facts(heard.front()->text()).incarnation;
}

request log_wire::facts() const {
  request asked;
  add_facts(asked, std::nullopt);
  return asked;
}

request log_wire::append(const append_command& what) const {
  request asked;
  if (!what.beat.empty()) asked.add({"INFO", "memory"});
  script_call call("EVALSHA", append_sha_, {meta_, seq_, req_, log_, epochs_, heard_, beats_});
  call.add(what.log.log_id).add(what.log.epoch).add(what.log.incarnation);
  call.add(origin_).add(retained_).add(what.retained_bytes).add(what.after_seq).add(what.beat);
  call.add(what.after_id);
  for (const outgoing_message& each : what.messages) {
    call.add(letter_of(entry_kind::message)).add(each.seq);
    call.add(each.body->room).add(each.body->client_message_id).add(each.body->text);
  }
  call.finish_into(asked);
  return asked;
}

request log_wire::convene(const convene_command& what) const {
  script_call call("EVAL", scripts::convene, {meta_, recovery_, log_});
  call.add(what.log_id).add(what.epoch).add(what.state).add(what.incarnation);
  call.add(what.old_round).add(what.round);
  return call.finish();
}

request log_wire::make_report(const report_command& what) const {
  request asked;
  add_facts(asked, what.last_read);
  script_call call("EVAL", scripts::report, {meta_, recovery_});
  call.add(what.round).add(origin_).add(what.report).finish_into(asked);
  return asked;
}

request log_wire::truncate(const truncate_command& what) const {
  script_call call("EVAL", scripts::truncate, {meta_, recovery_, log_, req_, epochs_, seq_});
  call.add(what.claim, origin_).add(what.keep).add(truncate_entries_max);
  return call.finish();
}

request log_wire::restore(const restore_command& what) const {
  script_call call("EVAL", scripts::restore, {meta_, recovery_, log_, req_, epochs_, seq_});
  call.add(what.claim, origin_).add(what.tail);
  for (const entry_ptr& each : what.entries) {
    call.add(each->at).add(letter_of(each->kind)).add(each->origin).add(each->origin_seq);
    call.add(each->room).add(each->client_message_id).add(each->text);
  }
  return call.finish();
}

request log_wire::commit(const commit_command& what) const {
  script_call call("EVAL", scripts::commit, {meta_, epochs_, seq_, req_, log_, recovery_});
  call.add(what.claim, origin_).add(what.tail).add(what.log_id).add(what.epoch).add(what.barrier);
  call.add(what.replaces_marks ? "1" : "0").add(what.chain.segments().size());
  for (const auto& each : what.chain.segments()) call.add(each.epoch).add(each.first);
  for (const auto& [origin, seq] : what.marks) call.add(origin).add(seq);
  return call.finish();
}

// Last in its request: when the log is open, of this id and incarnation afterwards, it was so while
// the entries before were read, because neither ever comes back.
void log_wire::add_meta(request& what) const {
  what.add({"HMGET", meta_, "log_id", "state", "incarnation", "top", "floor"});
}

request log_wire::read(const read_command& what, std::chrono::milliseconds block,
                       std::size_t count_max) const {
  const std::string count = std::to_string(count_max);
  const std::string block_ms = std::to_string(block.count());
  const std::string id = format_position(what.after);
  const std::string beat_id = format_position(what.beats_after);
  request asked;
  asked.add({"XREAD", "COUNT", count, "BLOCK", block_ms, "STREAMS", log_, beats_, id, beat_id});
  add_meta(asked);
  return asked;
}

request log_wire::range(position after, position upto, std::size_t count_max) const {
  const std::string from = "(" + format_position(after);
  const std::string to = format_position(upto);
  const std::string count = std::to_string(count_max);
  request asked;
  asked.add({"XRANGE", log_, from, to, "COUNT", count});
  add_meta(asked);
  return asked;
}

log_wire::read_result log_wire::parse_read(const replies& heard) const {
  read_result result = parse_meta(heard);
  if (result.error.is_set()) return result;
  // The key and what is in it, of each stream that has something new; nil when the block time passed.
  const reply_view streams = heard.front().view();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const reply_view stream = streams[i];
    if (stream[0].text() == log_) take_entries(stream[1], result.answer);
    if (stream[0].text() == beats_) take_beats(stream[1], result.answer);
  }
  return result;
}

log_wire::read_result log_wire::parse_range(const replies& heard) {
  read_result result = parse_meta(heard);
  if (!result.error.is_set()) take_entries(heard.front().view(), result.answer);
  return result;
}

log_wire::facts_result log_wire::parse_facts(const replies& heard) {
  both_facts found = parse_both(heard);
  return facts_result{std::move(found.error), std::move(found.server), std::move(found.log)};
}

}  // namespace ordeal::chat
