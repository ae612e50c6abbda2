#include "reference-server/log/attach.h"

#include "reference-server/log/entry_codec.h"

namespace ordeal::chat {
namespace {

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

attach_decision refuse(std::string reason) {
  return {attach_step::refuse, std::move(reason)};
}

// Empty when Redis holds what this node has read, as far as can be told.
std::string missing_history(const log_facts& log, const log_history& mine,
                            bool is_incarnation_known) {
  if (log.log_id != mine.log_id) return "Redis holds another log than the one this node has read";
  const position last = mine.last->at;
  const std::string place = format_position(last);
  if (last.index >= log.floor) {
    const bool is_held = log.held != nullptr && is_same_entry(*log.held, *mine.last);
    return is_held ? "" : "Redis no longer holds entry " + place + ", which this node has read";
  }
  // Trimmed since. In a life of Redis that somebody has vouched for that is only a gap.
  if (is_incarnation_known) return "";
  return "Redis was restarted and entry " + place +
         ", which this node has read, is trimmed: nothing to compare";
}

}  // namespace

server_facts parse_server_facts(std::string_view info) {
  server_facts result;
  result.incarnation = info_value(info, "run_id");
  result.incarnation += '/';
  result.incarnation += info_value(info, "master_replid");
  result.is_replica = info_value(info, "role") == "slave";
  const std::string_view policy = info_value(info, "maxmemory_policy");
  if (info_value(info, "maxmemory") != "0" && policy != "noeviction")
    result.evicting_policy = policy;
  return result;
}

attach_decision decide_attach(const server_facts& server, const log_facts& log,
                              const log_history& mine, bool has_waited) {
  const bool has_history = mine.last != nullptr;
  if (server.is_replica) return {attach_step::wait, "this Redis is a replica"};
  if (!server.evicting_policy.empty()) {
    return refuse("Redis evicts keys (maxmemory-policy " + server.evicting_policy +
                  "): set noeviction");
  }
  if (!log.has_meta) {
    if (has_history) return refuse("the log that this node has read is gone from Redis");
    if (log.has_other_keys) return refuse("Redis holds parts of a log without its meta key");
    return {attach_step::create, ""};
  }
  if (log.state != "open") return refuse("the log in Redis is in state '" + log.state + "'");
  if (log.tail == nullptr || log.tail->at != log.top) {
    return refuse("the stream in Redis does not end where its meta key says");
  }
  const bool is_known = log.incarnation == server.incarnation;
  if (has_history) {
    std::string missing = missing_history(log, mine, is_known);
    if (!missing.empty()) return refuse(std::move(missing));
  }
  if (is_known) return {attach_step::open, ""};
  if (has_history || has_waited) return {attach_step::adopt, ""};
  return {attach_step::wait,
          "Redis was restarted: waiting for a node that has read the log to confirm it"};
}

}  // namespace ordeal::chat
