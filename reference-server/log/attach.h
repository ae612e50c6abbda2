// The check a node makes on every new connection and at each heartbeat, before it may append or
// read (log-protocol.md step 1, holes H1, H2, H10, H21). The decision alone: what Redis said and
// what this node has read go in, what to do comes out. No I/O, no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

// What INFO server, replication and memory say.
struct server_facts {
  std::string incarnation;  // run_id and master_replid: one life of a process, or of a promotion
  bool is_replica = false;
  std::string evicting_policy;  // set when Redis may throw keys away to make room
};
server_facts parse_server_facts(std::string_view info);

// What the attach script says.
struct log_facts {
  bool has_meta = false;
  bool has_other_keys = false;  // of this log
  std::string log_id;
  std::uint64_t epoch = 0;
  std::string state;
  std::string incarnation;  // as stored by whoever attached first in this incarnation
  position top;
  std::uint64_t floor = 0;    // index of the oldest entry that is still there
  std::uint64_t own_seq = 0;  // of this origin
  entry_ptr tail;             // the newest entry of the stream
  entry_ptr held;             // the entry at the position this node has read
};

// What this node has read. A node without history has neither.
struct log_history {
  std::string log_id;
  entry_ptr last;
};

enum class attach_step {
  open,    // go on
  create,  // nothing there and nothing read: create the log
  adopt,   // Redis was restarted or promoted and holds what was read: store the new incarnation
  wait,    // try again: this may pass, or somebody else may decide
  refuse   // this is not the log that was read; try again all the same, in case it comes back
};

struct attach_decision {
  attach_step step = attach_step::wait;
  std::string reason;  // for wait and refuse, one sentence
};

// `has_waited`: this node has no history, found an incarnation that nobody confirmed, and gave the
// nodes that have read the log long enough to do so.
attach_decision decide_attach(const server_facts& server, const log_facts& log,
                              const log_history& mine, bool has_waited);

}  // namespace ordeal::chat
