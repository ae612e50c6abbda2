#include "reference-server/log/attach.h"

#include "reference-server/log/entry_codec.h"
#include "reference-server/log/recovery.h"

namespace ordeal::chat {
namespace {

// For a Redis without a limit.
constexpr std::uint64_t retained_bytes_default = 512U << 20;

// The value of "key:value\r\n" in an INFO text; empty when it is not there.
std::string_view info_value(std::string_view info, std::string_view key) {
  std::size_t from = 0;
  while (from < info.size()) {
    const std::size_t end = std::min(info.find('\n', from), info.size());
    std::string_view line = info.substr(from, end - from);
    from = end + 1;
    if (!line.starts_with(key) || line.substr(key.size(), 1) != ":") continue;
    line.remove_prefix(key.size() + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  return {};
}

attach_decision make(attach_step step, std::string reason = {}) {
  attach_decision decision;
  decision.step = step;
  decision.reason = std::move(reason);
  return decision;
}

// Empty when the log in Redis is one that somebody vouched for, whole, in this life of the server.
std::string doubt(const server_facts& server, const log_facts& log) {
  if (!log.has_meta) {
    return log.has_all_keys || log.tail ? "Redis has lost the meta key of the log"
                                        : "Redis holds no log";
  }
  if (log.is_damaged) return "a key of the log holds what no node has written there";
  if (log.incarnation != server.incarnation)
    return "Redis was restarted or promoted since the log was last put in order";
  if (!log.has_all_keys) return "Redis has lost a key of the log";
  if (log.tail == nullptr || log.tail->at != position{log.epoch, log.top})
    return "the stream in Redis does not end where its meta key says";
  if (log.state != "open") return "the recovery of the log was given up";
  return "";
}

attach_decision against_history(const log_facts& log, const log_history& mine) {
  const position top = log.tail->at;
  if (log.log_id != mine.log_id) {
    if (is_further(mine.last, top))
      return make(attach_step::convene,
                  "Redis holds a younger log than the one this node has read");
    return make(attach_step::fork, "Redis holds another log than the one this node has read");
  }
  // Read up to just below the floor, of which the chain may know nothing.
  const bool is_at_floor =
      mine.last.index + 1 == log.floor && mine.last.epoch == log.chain.epoch_at(log.floor);
  if (is_at_floor || log.chain.holds(mine.last, log.top)) {
    if (mine.last.index + 1 < log.floor)
      return make(attach_step::skip, "entries were trimmed before this node could read them");
    const bool is_other = log.held && mine.entry && !is_same_entry(*log.held, *mine.entry);
    if (!is_other) return make(attach_step::open);
    return make(attach_step::refuse, "the log holds another entry at " +
                                         format_position(mine.last) + " than this node has read");
  }
  if (is_further(mine.last, top)) {
    return make(attach_step::convene, "Redis no longer holds entry " + format_position(mine.last) +
                                          ", which this node has read");
  }
  attach_decision decision =
      make(attach_step::fork, "the log went on without entries that this node has read");
  decision.common = common_position(mine.chain, mine.last, log.chain, log.top);
  return decision;
}

}  // namespace

server_facts parse_server_facts(std::string_view info) {
  server_facts result;
  result.incarnation = info_value(info, "master_replid");
  result.is_replica = info_value(info, "role") == "slave";
  result.memory = parse_memory_facts(info);
  return result;
}

memory_facts parse_memory_facts(std::string_view info) {
  memory_facts result;
  result.maxmemory = parse_number(info_value(info, "maxmemory")).value_or(0);
  result.policy = info_value(info, "maxmemory_policy");
  return result;
}

bool memory_facts::evicts() const {
  return maxmemory > 0 && !policy.empty() && policy != "noeviction" && !evicts_others();
}

bool memory_facts::evicts_others() const {
  return maxmemory > 0 && policy.starts_with("volatile-");
}

std::string eviction_reason(const memory_facts& memory) {
  return "Redis evicts keys (maxmemory-policy " + memory.policy + "): set noeviction";
}

std::uint64_t retained_bytes_for(std::uint64_t wanted, const memory_facts& memory) {
  if (wanted > 0) return wanted;
  return memory.maxmemory > 0 ? memory.maxmemory / 2 : retained_bytes_default;
}

attach_decision decide_attach(const server_facts& server, const log_facts& log,
                              const log_history& mine) {
  if (server.is_replica) return make(attach_step::wait, "this Redis is a replica");
  if (server.memory.evicts()) return make(attach_step::refuse, eviction_reason(server.memory));
  if (!log.foreign_id.empty()) {
    return make(attach_step::refuse,
                "the stream of the log holds an entry that no node has written: "
                "remove it (XDEL, id " +
                    log.foreign_id + "), or give the application another name");
  }
  if (log.state == "recovering" && is_round_of(log.round, server.incarnation))
    return make(attach_step::gather);
  std::string why = doubt(server, log);
  if (!why.empty()) return make(attach_step::convene, std::move(why));
  if (!mine.has_history()) return make(attach_step::open);
  return against_history(log, mine);
}

}  // namespace ordeal::chat
