// The node's part of the replicated log (docs/log-protocol.md), without I/O and without a clock: it says
// which command goes to Redis next, takes the answers, and yields what readers and senders get. A
// plain value: copies go their own ways, which is how tests/model explores it.
//
//      add() ─▶ outbox ─┐                 ┌─▶ settled: answers for senders
//   beat_due() ─────────┼▶ next_command() │
//                       │     on_answer() ┼─▶ state
//                       │                 └─▶ read: entries, gaps, forks, in log order
//                       └───── on_read() ──────┘
//
//   detached ─attach─▶ open            append, beat; stale: detached
//       │  ▲
//       │  └──── commit ◀─ repairing ◀─ the winner ┐
//       └─convene─▶ gathering (report, look again) ┘ others: until the round is over, then attach
//
// The shell (redis_log) sends one command at a time, or several appends one behind the other, waits
// before it when must_pause(), counts time in pauses and beats, and closes connections; time enters
// in no other way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "reference-server/log/attach.h"
#include "reference-server/log/chat_log.h"
#include "reference-server/log/holders.h"
#include "reference-server/log/log_commands.h"
#include "reference-server/log/outbox.h"
#include "reference-server/log/recovery.h"
#include "reference-server/log/replay_buffer.h"
#include "reference-server/log/watermarks.h"

namespace ordeal::chat {

struct machine_options {
  std::string
      origin;  // random per start of the process; "+1", "+2" ... behind it when it begins anew
  delivery_mode delivery = delivery_mode::fast;
  ack_level ack = ack_level::appended;
  std::size_t batch_entries_max = 256;
  // Appends on their way at a time: the second one and those behind it only when they are full.
  std::size_t appends_max = 4;
  std::size_t restore_entries_max = 200;  // a chunk, so that no script runs long
  std::size_t outbox_entries_max = 65'536;
  std::size_t outbox_bytes_max = 16U << 20;
  std::size_t replay_entries = 16'384;
  std::size_t replay_bytes_max = 32U << 20;
  std::uint64_t retained_bytes = 0;  // in Redis; 0: what fits there
  // Counted in looks at the round, each after a pause of the shell.
  unsigned grace_looks = 12;  // for known members that do not report
  unsigned boot_looks = 6;    // for nodes that have read the log, when nobody who reports has
  unsigned stall_looks = 20;  // without progress of the owner: somebody else convenes anew
  // Counted in own beats that came back.
  unsigned silent_beats_max = 3;   // of another node, until it no longer counts as a holder
  unsigned member_beats_max = 15;  // of another node, until a recovery no longer waits for it
};

// What comes out of reading, in order.
struct read_batch {
  std::vector<entry_ptr> messages;  // kind message only, never empty
};
struct read_gap {
  std::uint64_t from = 0, to = 0;  // indexes that this node will never see
};
// This node read entries that the log no longer has. What follows goes on from `common`; messages
// of the lost branch that come again carry where they were (entry::earlier).
struct read_fork {
  position common;           // {0, 0}: it is another log altogether
  position from, to;         // the lost branch
  std::size_t messages = 0;  // in it
};
using read_effect = std::variant<read_batch, read_gap, read_fork>;

// For the log file and the metrics: one for each change of consequence.
struct machine_event {
  enum class what {
    attached,
    convened,
    repairing,
    created,
    committed,
    recovered,
    forked,
    gap,
    renamed,  // the log counts messages of this node as known that it does not have
    warned    // of Redis' configuration
  } kind;
  std::string text;
};

class log_machine {
 public:
  explicit log_machine(machine_options options);

  // ---- the command connection; what is on its way is answered in order

  // A new connection: nothing is attached. The one before must have been reported as lost.
  void on_connected();
  // The connection is gone, the outcome of what is on its way unknown.
  void on_connection_lost();
  // Something to say; false only when open and idle, or while a command is on its way that must be answered first.
  bool has_command() const;
  bool must_pause()
      const;  // wait a little before the next command: it looks again at what others do, or tries again
  command next_command();  // has_command()
  void on_answer(const answer& heard);

  // A heartbeat goes with the next append.
  void beat_due() { wants_beat_ = true; }

  // ---- the reader connection

  // Reads make sense: the log is open and attached to.
  bool is_reading() const { return phase_ == phase::open; }
  read_command next_read() const;
  // Own beats do not come back: those that are still there are read again.
  void on_echo_overdue() { beats_read_ = {}; }
  // False when what came is not a continuation: drop the connection, read on when is_reading() again.
  bool on_read(const read_answer& heard);

  // ---- senders

  bool has_room() const { return outbox_.has_room(); }
  // From now on an append carries so much, but one message in any case; and so much may wait for the log.
  void limit_batches(std::size_t bytes) { batch_bytes_max_ = bytes; }
  void limit_waiting(std::size_t bytes) { outbox_.limit_undecided(bytes); }
  bool has(const std::string& client_message_id) const { return outbox_.has(client_message_id); }
  // Into the outbox, if it is not there already; returns its seq, under which it will be settled. None: another message
  // there has this id. In ack level accepted it is settled at once.
  std::optional<std::uint64_t> add(std::string room, std::string client_message_id,
                                   std::string text, outbox::time_point now);
  void give_up_before(outbox::time_point earliest, const std::string& reason);

  // ---- what came out of the last calls, in order; empties it

  std::vector<settlement> take_settled();
  std::vector<read_effect> take_reads();
  std::vector<machine_event> take_events();

  // ---- state

  log_state state() const { return state_; }
  const std::string& reason() const { return reason_; }  // why not open
  const log_identity& identity() const { return identity_; }
  const epoch_chain& chain() const { return chain_; }
  position last_read() const { return last_; }  // {0, 0}: no history yet
  // Where this node stands for its clients: behind last_read in stable mode, ahead of it while a joiner reads back.
  position last_delivered() const { return delivered_; }
  std::uint64_t top() const { return top_; }
  std::uint64_t floor() const { return floor_; }
  std::uint64_t log_bytes() const { return log_bytes_; }            // in Redis, as counted there
  std::uint64_t retained_bytes() const { return retained_bytes_; }  // that it may have
  const outbox& own_messages() const { return outbox_; }
  const replay_buffer& replay() const { return replay_; }
  const holders& known_holders() const { return holders_; }
  std::size_t undelivered() const { return unstable_.size(); }  // stable mode: read, and waiting
  const std::string& origin() const { return options_.origin; }
  // Under this name or a former one.
  bool is_own(const entry& each) const {
    return each.origin == options_.origin || former_origins_.contains(each.origin);
  }
  // An answer of Redis, and not what the log is like, is why it is refusing.
  bool is_refused_by_answer() const { return is_refused_by_answer_; }
  // Numbers of own beats: the newest known to be in the log, and the newest that came back.
  std::uint64_t beats_appended() const { return beats_appended_; }
  std::uint64_t beats_echoed() const { return beats_echoed_; }
  std::uint64_t restored() const { return restored_; }  // entries put back, over its life

  // Where a cursor of this log lies; see chat_log::place_of.
  cursor_place place_of(position at) const;
  // An entry that did not come through on_read, marked as if it had.
  entry_ptr with_earlier(const entry_ptr& each) const;

  // Everything that decides what it will do, as text: equal texts mean equal futures.
  std::string fingerprint() const;

 private:
  enum class phase { disconnected, detached, open, gathering, repairing, refused };

  // log_machine.cpp: attach, append
  void take_attach(const attach_answer& found);
  void enter_open(const attach_answer& found);
  void enter_gathering(const std::string& round);
  void convene(const server_facts& server, const log_facts& found, std::string why);
  void start_at_top(const log_facts& log);
  void detach(std::string reason);
  void look_again(std::string reason);
  void refuse(std::string reason);
  void take_append(const append_answer& heard);
  void begin_anew();
  void take_memory(const memory_facts& memory);
  void take_error(const wire_error& error);
  command make_append();
  bool may_append_more() const;
  std::uint64_t take_answered_append();
  void set_state(log_state state, std::string reason);
  void note(machine_event::what kind, std::string text);

  // log_machine_recovery.cpp: report, choose, repair
  report own_report() const;
  void take_report(const report_answer& heard);
  void begin_repair(const report_answer& heard, reports_by_origin reports);
  command next_repair();
  void take_repair(const repair_answer& heard);

  // log_machine_reads.cpp: entries, gaps, forks
  void take_entry(const entry_ptr& each);
  bool take_beats(const read_answer& heard);
  void take_beat(const std::string& origin, std::string_view text);
  void deliver_stable();
  void deliver(const entry_ptr& each);
  void skip_to(std::uint64_t first, const epoch_chain& chain);
  static std::string identity_of(const entry& message);
  static position before(std::uint64_t first, const epoch_chain& chain);
  position known_end() const { return std::max(last_, delivered_); }
  void leave_branch(position common);
  void release_held();

  machine_options options_;
  std::size_t batch_bytes_max_ = SIZE_MAX;
  outbox outbox_;
  replay_buffer replay_;
  holders holders_;

  // The command connection.
  phase phase_ = phase::disconnected;
  bool is_waiting_ = false;  // a command is on its way that is no append
  // Appends on their way: the number of the beat that each has, 0: none.
  std::deque<std::uint64_t> appends_;
  bool is_disturbed_ = false;  // one of them was not simply done: the others are answered first
  bool must_pause_ = false;
  bool was_append_refused_ = false;  // and none has worked since
  bool is_refused_by_answer_ = false;
  std::optional<convene_command> convene_;  // to be sent next
  bool was_convene_late_ = false;           // the latest one: the log was no longer as it was found
  std::string round_;                       // gathering, repairing
  unsigned looks_ = 0;                      // at this round
  std::string watched_;                     // owner and progress as last seen
  unsigned still_looks_ = 0;                // without a change of them
  std::optional<repair_plan> repair_;
  std::uint64_t commits_ = 0;  // tried, so that no epoch is tried twice
  std::uint64_t rounds_ = 0;   // convened
  std::uint64_t restored_ = 0;

  // What was read.
  log_identity identity_;  // as attached; log_id stays known while detached
  epoch_chain chain_;
  position last_;
  position delivered_;  // behind last_ in stable mode; ahead of it while a joiner reads back
  std::uint64_t top_ = 0, floor_ = 0;
  watermarks marks_;
  std::uint64_t gap_upto_ = 0;  // the largest index that will never be read
  std::set<std::string> former_origins_;
  std::vector<entry_ptr> unstable_;  // stable mode: read, not yet delivered
  std::map<std::string, position>
      earlier_;  // identity of a message that was delivered on a branch that is lost
  std::vector<read_fork> forks_;  // the newest forks_max

  std::string warned_policy_;  // of Redis, that was told
  std::uint64_t retained_bytes_ = 0, log_bytes_ = 0;

  // Heartbeats.
  bool wants_beat_ = false;
  std::uint64_t beats_ = 0, beats_appended_ = 0, beats_echoed_ = 0;
  position beats_read_;  // in their stream

  log_state state_ = log_state::connecting;
  std::string reason_;
  std::vector<settlement> settled_;
  std::vector<read_effect> reads_;
  std::vector<machine_event> events_;
};

}  // namespace ordeal::chat
