#include "tests/model/step.h"

#include <array>

#include "reference-server/log/entry_codec.h"
#include "tests/model/redis_model.h"

namespace ordeal::chat::model {
namespace {

constexpr std::array<const char*, action_count> names{"exchange",      "issue",
                                                      "execute",       "receive",
                                                      "drop_before",   "drop_after",
                                                      "lose",          "zombify",
                                                      "run_zombie",    "trouble",
                                                      "read",          "read_entries",
                                                      "read_facts",    "read_receive",
                                                      "lose_reader",   "add",
                                                      "retry",         "beat",
                                                      "crash",         "join",
                                                      "cut",           "heal",
                                                      "save",          "restart",
                                                      "restart_empty", "restart_from_save",
                                                      "wipe",          "lose_key",
                                                      "promote",       "promote_lagging",
                                                      "miscount",      "settle"};

std::string text_of(std::uint64_t number) {
  return std::to_string(number);
}

std::string text_of(const epoch_chain& chain) {
  std::string text;
  for (const auto& each : chain.segments())
    text += (text.empty() ? "" : " ") + text_of(each.epoch) + "@" + text_of(each.first);
  return "[" + text + "]";
}

std::string text_of(const std::map<std::string, std::uint64_t>& marks) {
  std::string text;
  for (const auto& [origin, seq] : marks)
    text += (text.empty() ? "" : " ") + origin + "=" + text_of(seq);
  return "{" + text + "}";
}

std::string text_of(const std::vector<entry_ptr>& entries) {
  std::string text;
  for (const entry_ptr& each : entries) text += (text.empty() ? "" : ", ") + describe(*each);
  return "[" + text + "]";
}

std::string text_of(const repair_claim& claim) {
  return claim.round + "/" + claim.incarnation;
}

std::string text_of(const std::vector<read_beat>& beats) {
  std::string text;
  for (const read_beat& each : beats)
    text += ", beat " + format_position(each.at) + " of " + each.origin + " at " +
            text_of(each.top) + " '" + each.text + "'";
  return text;
}

std::string text_of(const log_facts& log) {
  std::string text = log.has_meta ? "meta " : "no meta ";
  text += log.is_damaged ? "damaged " : "";
  text += log.has_all_keys ? "" : "keys missing ";
  text += log.log_id + " " + text_of(log.epoch) + " " + log.state + " " + log.incarnation;
  text += " top " + text_of(log.top) + " floor " + text_of(log.floor) + " " + text_of(log.chain);
  text += " own " + text_of(log.own_seq);
  text += log.first ? " first " + describe(*log.first) : " empty";
  text += log.tail ? " tail " + describe(*log.tail) : "";
  text += log.held ? " held " + describe(*log.held) : " nothing held";
  return text + " round '" + log.round + "'";
}

struct command_text {
  static std::string last(const std::optional<position>& at) {
    return at ? format_position(*at) : "nothing";
  }
  std::string operator()(const attach_command& what) const {
    return "attach, has read " + last(what.last_read);
  }
  std::string operator()(const append_command& what) const {
    std::string text = "append for " + what.log.log_id + " " + text_of(what.log.epoch) + " " +
                       what.log.incarnation + " after " + text_of(what.after_seq) +
                       (what.after_id.empty() ? "" : ":" + what.after_id);
    if (!what.beat.empty()) text += " beat '" + what.beat + "'";
    for (const outgoing_message& each : what.messages)
      text += " " + text_of(each.seq) + ":" + each.body->client_message_id + ":" + each.body->text;
    return text;
  }
  std::string operator()(const convene_command& what) const {
    return "convene " + what.round + " if " + what.log_id + " " + what.epoch + " " + what.state +
           " " + what.incarnation + " '" + what.old_round + "'";
  }
  std::string operator()(const report_command& what) const {
    return "report to " + what.round + ": " + what.report;
  }
  std::string operator()(const truncate_command& what) const {
    return "truncate (" + text_of(what.claim) + ") to " + format_position(what.keep);
  }
  std::string operator()(const restore_command& what) const {
    return "restore (" + text_of(what.claim) + ") behind " + format_position(what.tail) + " " +
           text_of(what.entries);
  }
  std::string operator()(const commit_command& what) const {
    return "commit (" + text_of(what.claim) + ") behind " + format_position(what.tail) + " as " +
           what.log_id + " " + text_of(what.epoch) + " chain " + text_of(what.chain) +
           (what.replaces_marks ? " marks := " : " marks += ") + text_of(what.marks) + " " +
           what.barrier;
  }
};

struct answer_text {
  std::string operator()(const wire_error& what) const { return "error: " + what.text; }
  std::string operator()(const attach_answer& what) const {
    return what.server.incarnation + ", " + text_of(what.log);
  }
  std::string operator()(const append_answer& what) const {
    if (what.is_stale) return "stale";
    std::string text = "top " + text_of(what.top) + " floor " + text_of(what.floor);
    text += " bytes " + text_of(what.bytes) + " early " + text_of(what.trimmed_early);
    for (const entry_reply& each : what.entries) {
      constexpr std::array<const char*, 5> results{"appended", "dup", "dupclient", "conflict",
                                                   "gap"};
      text += std::string(", ") + results[static_cast<std::size_t>(each.result)];
      text += each.at ? " " + format_position(*each.at) : "";
      text += each.last_seq > 0 ? " last " + text_of(each.last_seq) : "";
    }
    return text;
  }
  std::string operator()(const convene_answer& what) const {
    return what.is_done ? "done" : "somebody was quicker";
  }
  std::string operator()(const report_answer& what) const {
    std::string text = what.is_stale ? "stale" : "owner '" + what.owner + "'";
    text += " progress " + text_of(what.progress);
    for (const auto& [origin, each] : what.reports) text += ", " + origin + ": " + each;
    return text + "; " + what.server.incarnation + ", " + text_of(what.log);
  }
  std::string operator()(const repair_answer& what) const {
    return what.is_stale ? "stale" : what.is_complete ? "done" : "not complete";
  }
};

}  // namespace

bool has_node(action what) {
  return what < action::save && what != action::run_zombie;
}

const char* name_of(action what) {
  return names.at(static_cast<std::size_t>(what));
}

std::string to_string(step what) {
  std::string text;
  if (has_node(what.what)) text = std::string(1, static_cast<char>('A' + what.node)) + " ";
  text += name_of(what.what);
  const bool has_which = what.what == action::retry || what.what == action::restart_from_save ||
                         what.what == action::lose_key || what.what == action::promote_lagging ||
                         what.what == action::miscount;
  return has_which ? text + " " + text_of(what.which) : text;
}

std::string describe(const command& what) {
  return std::visit(command_text(), what);
}

std::string describe(const answer& what) {
  return std::visit(answer_text(), what);
}

std::string describe(const entry& each) {
  std::string text = format_position(each.at) + " ";
  if (each.kind == entry_kind::barrier) return text + "barrier " + each.origin + " " + each.text;
  if (each.kind == entry_kind::heartbeat) return text + "beat " + each.origin + " " + each.text;
  text += each.origin + ":" + text_of(each.origin_seq) + ":" + each.client_message_id + ":" +
          each.room + ":" + each.text;
  return each.earlier ? text + " earlier " + format_position(*each.earlier) : text;
}

std::string describe(const read_answer& what) {
  return text_of(what.entries) + " of " + what.log_id + " " + what.state + " " + what.incarnation +
         " top " + text_of(what.top) + " floor " + text_of(what.floor) +
         (what.has_foreign_entry ? " and a foreign entry" : "") + text_of(what.beats);
}

}  // namespace ordeal::chat::model
