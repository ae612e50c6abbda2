// The check a node makes on every new connection, and whenever its append was refused as stale,
// before it may append or read (docs/log-protocol.md, holes H1, H2, H10, H21). The decision
// alone: what Redis said and what this node has read go in, what to do comes out. No I/O, no clock.
#pragma once

#include <string>
#include <string_view>

#include "reference-server/log/log_commands.h"

namespace ordeal::chat {

server_facts parse_server_facts(std::string_view info);
memory_facts parse_memory_facts(std::string_view info);
// Why a Redis that may evict keys of ours cannot be used, and what to do.
std::string eviction_reason(const memory_facts& memory);
// What a log may hold; `wanted` 0: what fits into Redis, with room for its overhead, connections and others.
std::uint64_t retained_bytes_for(std::uint64_t wanted, const memory_facts& memory);

// What this node has read; without history `last` is {0, 0}.
struct log_history {
  std::string log_id;
  position last;
  entry_ptr entry;  // at `last`, when it is still held
  epoch_chain chain;
  bool has_history() const { return last.index > 0; }
};

enum class attach_step {
  open,     // go on behind what was read; without history: from the top
  skip,     // the log goes on, but what comes next for this node is trimmed: go on from the floor
  fork,     // the log goes on without something that this node has read: go on from `common`
  convene,  // it may have lost something: open a recovery round
  gather,   // a round is open: report
  wait,     // try again: this may pass
  refuse    // it will not pass by itself; try again all the same
};

struct attach_decision {
  attach_step step = attach_step::wait;
  std::string reason;  // for all but open and gather: one sentence
  position common;     // for fork
};

attach_decision decide_attach(const server_facts& server, const log_facts& log,
                              const log_history& mine);

}  // namespace ordeal::chat
