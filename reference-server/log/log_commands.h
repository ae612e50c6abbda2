// What a node says to Redis and what it hears, as values: log_machine makes commands and takes
// answers, log_wire turns them into requests and replies, the scripts in scripts/ carry them out.
// One command at a time on the command connection, or appends one behind the other; reads go over a
// connection of their own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "net/redis/connection.h"
#include "reference-server/log/chat_log.h"
#include "reference-server/log/epoch_chain.h"
#include "reference-server/log/outbox.h"

namespace ordeal::chat {

// What Redis may use, and what it does when that is not enough.
struct memory_facts {
  std::uint64_t maxmemory = 0;  // 0: no limit
  std::string policy;           // maxmemory_policy
  // Keys of ours may be thrown away. A volatile-* policy takes keys with a time to live, which none of ours has.
  bool evicts() const;
  bool evicts_others() const;
};

// What INFO says of the server that answered.
struct server_facts {
  std::string incarnation;  // master_replid: one life of a process, or of a promotion
  bool is_replica = false;
  memory_facts memory;
};

// What the attach script says of the log. Reads only.
struct log_facts {
  bool has_meta = false;      // the meta key with a log id
  bool has_all_keys = false;  // epochs, seq, req and log are there
  std::string log_id;
  std::uint64_t epoch = 0;
  std::string epoch_text;     // as it stands there
  std::string state;          // "open", "recovering", "" without meta
  std::string incarnation;    // as stored by the latest commit
  std::uint64_t top = 0;      // index of the newest entry by meta
  std::uint64_t floor = 0;    // index of the oldest entry by meta
  epoch_chain chain;          // of all epochs of this log
  std::uint64_t own_seq = 0;  // the last seq known of this origin
  entry_ptr first;            // the oldest entry of the stream
  entry_ptr tail;             // the newest entry of the stream
  entry_ptr held;             // the entry at the position this node has read
  bool is_damaged = false;    // meta, epochs or the own seq hold what no node writes there
  std::string foreign_id;     // of an entry at either end that is not of a log of ours
  std::string round;          // of the recovery under way; empty: none
};

// Who an append claims to write for: of what the attach found.
struct log_identity {
  std::string log_id;
  std::uint64_t epoch = 0;
  std::string incarnation;
  friend bool operator==(const log_identity&, const log_identity&) = default;
};

// Step 1: what is there? Answered by facts, nothing changes.
struct attach_command {
  std::optional<position> last_read;
};
struct attach_answer {
  server_facts server;
  log_facts log;
};

// Step 2. Refused as stale unless the log is open, in this epoch and this incarnation, the live server is of this
// incarnation, and every key is there.
struct append_command {
  log_identity log;
  // The message before the first one in the outbox' order; the log must know it. 0: nothing before matters.
  std::uint64_t after_seq = 0;
  // Its client message id, while nobody knows yet what became of it: its entry must be there, and of this origin, or
  // nothing is appended.
  std::string after_id;
  std::uint64_t retained_bytes = 0;  // what the log may hold
  std::string beat;                  // text of a heartbeat; empty: none
  std::vector<outgoing_message> messages;
};
struct append_answer {
  bool is_stale = false;
  std::uint64_t top = 0;
  std::uint64_t floor = 0;
  std::uint64_t bytes = 0;             // that the log holds, as far as they are counted
  std::uint64_t trimmed_early = 0;     // entries, because Redis is out of memory
  std::vector<entry_reply> entries;    // of the messages, in order; ends after a gap
  std::optional<memory_facts> memory;  // with a heartbeat
};

// Step 4: opens a recovery round, if the log still is as it was found. Meta becomes "recovering"
// (and is made when it was missing), reports of an earlier round are dropped.
struct convene_command {
  // As found by the attach; all must still be so.
  std::string log_id;
  std::string epoch;
  std::string state;
  std::string incarnation;
  std::string old_round;
  std::string round;  // new, never used before
};
struct convene_answer {
  bool is_done = false;  // false: somebody was quicker; attach again
};

// Step 5: what this node has read, and what the others said. With an attach in the same round trip, before it.
struct report_command {
  std::optional<position> last_read;
  std::string round;
  std::string report;  // format_report(); not stored once the round has an owner
};
struct report_answer {
  server_facts server;
  log_facts log;
  bool is_stale = false;                       // another round, or none: attach again
  std::string owner;                           // who repairs; empty: nobody yet
  std::uint64_t progress = 0;                  // steps that the owner has made
  std::map<std::string, std::string> reports;  // by origin
};

// Step 5, by the winner alone: the first of these makes it the owner of the round. Stale when the
// round is over, when it has another owner, or when the live server is not of `incarnation`.
struct repair_claim {
  std::string round;
  std::string incarnation;
  std::size_t reports = 0;  // that the decision was made by; stale when others came since
};
// Removes entries above `keep`, at most truncate_entries_max a call, newest first; {0, 0} removes the whole stream.
struct truncate_command {
  repair_claim claim;
  position keep;
};
// Adds entries behind `tail`, in order, with the positions that they had ({0, 0}: the stream must be empty).
struct restore_command {
  repair_claim claim;
  position tail;
  std::vector<entry_ptr> entries;  // dense, never empty
};
// Step 6: the new epoch begins with a barrier at top + 1, in this incarnation; meta, epochs and seq
// are written, the log is open, the round is over. `tail` must be the stream's end ({0, 0}: empty;
// the barrier is then at 1).
struct commit_command {
  repair_claim claim;
  position tail;
  std::string log_id;
  std::uint64_t epoch = 0;
  std::string barrier;                         // who was heard, who was missing
  epoch_chain chain;                           // of the epochs before; replaces what is there
  std::map<std::string, std::uint64_t> marks;  // origin to last seq
  bool replaces_marks = false;                 // else the larger of both stays
};
struct repair_answer {
  bool is_stale = false;    // attach again
  bool is_complete = true;  // truncate: nothing is left to remove
};

using command = std::variant<attach_command, append_command, convene_command, report_command,
                             truncate_command, restore_command, commit_command>;

// An error reply that made an answer useless.
struct wire_error {
  net::redis::reply_class kind = net::redis::reply_class::ok;
  std::string text;
  bool is_set() const { return kind != net::redis::reply_class::ok; }
};

using answer = std::variant<wire_error, attach_answer, append_answer, convene_answer, report_answer,
                            repair_answer>;

inline constexpr std::size_t truncate_entries_max = 256;
// As in retention.lua: the newest entries, which stay when Redis is out of memory.
inline constexpr std::size_t kept_entries_min = 128;

// A heartbeat as it was read. In a stream of its own, with ids of the same kind: the epoch, and a number that rises.
struct read_beat {
  position at;
  std::string origin;
  std::uint64_t top = 0;  // index of the newest entry when it was written
  std::string text;
};

// Entries after `after` and beats after `beats_after`, at most read_count_max of each; the facts are read after the
// entries, so that entries of a log that is open and of the expected id and incarnation there are of that log.
struct read_command {
  position after;
  position beats_after;
};
struct read_answer {
  std::string log_id;
  std::string state;
  std::string incarnation;
  std::uint64_t top = 0;
  std::uint64_t floor = 0;
  bool has_foreign_entry = false;
  std::vector<entry_ptr> entries;  // up to the first foreign one
  std::vector<read_beat> beats;    // read together with them
};

inline constexpr std::size_t read_count_max = 512;

}  // namespace ordeal::chat
