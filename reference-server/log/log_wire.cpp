#include "reference-server/log/log_wire.h"

#include "reference-server/log/entry_codec.h"
#include "reference-server/log/scripts.h"

namespace ordeal::chat {
namespace {

using net::redis::reply;
using net::redis::reply_view;
using net::redis::request;

wire_error error_in(reply_view answer) {
  wire_error error;
  error.kind = net::redis::classify(answer);
  if (error.is_set()) error.text = answer.text();
  return error;
}

wire_error first_error(const std::vector<reply>& replies) {
  for (const reply& each : replies) {
    wire_error error = error_in(each.view());
    if (error.is_set()) return error;
  }
  return {};
}

wire_error unexpected(std::string_view what) {
  wire_error error;
  error.kind = net::redis::reply_class::fatal;
  error.text = "unexpected reply to ";
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

log_facts parse_log_facts(reply_view found) {
  const reply_view meta = found[0];
  log_facts log;
  log.has_meta = meta[0].is_text();
  log.log_id = meta[0].text();
  log.epoch = unsigned_of(meta[1]);
  log.state = meta[2].text();
  log.incarnation = meta[3].text();
  log.top = position{log.epoch, unsigned_of(meta[4])};
  log.floor = unsigned_of(meta[5]);
  log.has_other_keys = found[1].integer() > 0;
  log.own_seq = unsigned_of(found[2]);
  log.tail = parse_entry(found[3][0]);
  log.held = parse_entry(found[4][0]);
  return log;
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

}  // namespace

log_wire::log_wire(std::string_view app, std::string origin, std::size_t retained_entries)
    : origin_(std::move(origin)), retained_(std::to_string(retained_entries)) {
  // One hash tag: all keys of a log live on one node of a Redis Cluster.
  std::string prefix = "{";
  prefix += app;
  prefix += "}:";
  meta_ = prefix + "meta";
  epochs_ = prefix + "epochs";
  seq_ = prefix + "seq";
  req_ = prefix + "req";
  log_ = prefix + "log";
}

request log_wire::attach(const entry* last_read) const {
  const std::string last = last_read != nullptr ? format_position(last_read->at) : "";
  request what;
  what.add({"INFO", "server"}).add({"INFO", "replication"}).add({"INFO", "memory"});
  what.add({"EVAL", scripts::attach, "5", meta_, epochs_, seq_, req_, log_, origin_, last});
  what.add({"SCRIPT", "LOAD", scripts::append});
  return what;
}

attach_answer log_wire::parse_attach(const std::vector<reply>& replies) {
  attach_answer answer;
  answer.error = first_error(replies);
  if (answer.error.is_set()) return answer;
  std::string info;
  for (std::size_t i = 0; i < 3; ++i) info += replies[i]->text();
  answer.server = parse_server_facts(info);
  const reply_view found = replies[3].view();
  if (found.size() != 5 || found[0].size() != 6) {
    answer.error = unexpected("the attach script");
    return answer;
  }
  answer.log = parse_log_facts(found);
  answer.append_sha = replies[4]->text();
  return answer;
}

request log_wire::create(std::string_view log_id, std::string_view incarnation) const {
  request what;
  what.add({"EVAL", scripts::create, "5", meta_, epochs_, seq_, req_, log_, log_id, incarnation,
            origin_});
  return what;
}

request log_wire::adopt(const log_facts& found, std::string_view incarnation) const {
  const std::string top = std::to_string(found.top.index);
  request what;
  what.add({"EVAL", scripts::adopt, "1", meta_, found.log_id, found.incarnation, top, incarnation});
  return what;
}

request log_wire::append(std::string_view sha, const log_identity& log, std::string_view beat,
                         std::span<const outbox_message* const> messages) const {
  const std::string epoch = std::to_string(log.epoch);
  std::vector<std::string> seqs;
  seqs.reserve(messages.size());
  for (const outbox_message* message : messages) seqs.push_back(std::to_string(message->seq));
  std::vector<std::string_view> words{"EVALSHA", sha,      "4",        meta_, seq_,
                                      req_,      log_,     log.log_id, epoch, log.incarnation,
                                      origin_,   retained_};
  if (!beat.empty())
    words.insert(words.end(), {letter_of(entry_kind::heartbeat), "0", "", "", beat});
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const outbox_message& message = *messages[i];
    words.insert(words.end(), {letter_of(entry_kind::message), seqs[i], message.room,
                               message.client_message_id, message.text});
  }
  request what;
  what.add(words);
  return what;
}

append_answer log_wire::parse_append(reply_view reply, std::uint64_t epoch, bool has_beat) {
  append_answer answer;
  answer.error = error_in(reply);
  if (answer.error.is_set()) return answer;
  answer.is_stale = reply[0].text() == "STALE";
  if (answer.is_stale) return answer;
  const std::size_t first = has_beat ? 4 : 3;
  if (reply[0].text() != "OK" || reply.size() < first) {
    answer.error = unexpected("the append script");
    return answer;
  }
  answer.top = position{epoch, unsigned_of(reply[1])};
  answer.floor = unsigned_of(reply[2]);
  answer.entries.reserve(reply.size() - first);
  for (std::size_t i = first; i < reply.size(); ++i) {
    const auto each = parse_entry_reply(reply[i], epoch);
    if (!each) {
      answer.error = unexpected("the append script");
      return answer;
    }
    answer.entries.push_back(*each);
  }
  return answer;
}

// Last in its request: the entries before it are of the log it names, because a log id never comes
// back.
void log_wire::add_meta_query(request& what) const {
  what.add({"HMGET", meta_, "log_id", "top", "floor"});
}

request log_wire::read(position after, std::chrono::milliseconds block) const {
  const std::string count = std::to_string(read_count_max);
  const std::string block_ms = std::to_string(block.count());
  const std::string id = format_position(after);
  request what;
  what.add({"XREAD", "COUNT", count, "BLOCK", block_ms, "STREAMS", log_, id});
  add_meta_query(what);
  return what;
}

request log_wire::range(position after, position upto) const {
  const std::string from = "(" + format_position(after);
  const std::string to = format_position(upto);
  const std::string count = std::to_string(read_count_max);
  request what;
  what.add({"XRANGE", log_, from, to, "COUNT", count});
  add_meta_query(what);
  return what;
}

request log_wire::meta() const {
  request what;
  add_meta_query(what);
  return what;
}

read_answer log_wire::parse_read(const std::vector<reply>& replies) {
  read_answer answer = parse_meta(replies);
  // One stream: its key and its entries; nil when the block time passed.
  if (!answer.error.is_set()) take_entries(replies.front().view()[0][1], answer);
  return answer;
}

read_answer log_wire::parse_range(const std::vector<reply>& replies) {
  read_answer answer = parse_meta(replies);
  if (!answer.error.is_set()) take_entries(replies.front().view(), answer);
  return answer;
}

read_answer log_wire::parse_meta(const std::vector<reply>& replies) {
  read_answer answer;
  answer.error = first_error(replies);
  if (answer.error.is_set()) return answer;
  const reply_view meta = replies.back().view();
  answer.log_id = meta[0].text();
  answer.top = unsigned_of(meta[1]);
  answer.floor = unsigned_of(meta[2]);
  return answer;
}

}  // namespace ordeal::chat
