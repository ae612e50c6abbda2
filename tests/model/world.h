// Three nodes and one Redis, as a value that takes steps. Every step checks the invariants of the log
// (docs/log-protocol.md, I1-I6); the first that does not hold is `violation()`. Copies share what they have in common.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "reference-server/log/log_machine.h"
#include "tests/model/redis_model.h"
#include "tests/model/step.h"

namespace ordeal::chat::model {

// How often something may happen at all. What is not limited is what nodes do by themselves.
enum class limit : std::uint8_t {
  adds,
  retries,
  beats,
  delays,         // commands whose way takes time
  reader_delays,  // the same for reads
  drops,          // connections that break
  zombies,
  troubles,
  crashes,
  joins,
  cuts,
  saves,
  restarts,
  restarts_empty,
  rollbacks,
  wipes,
  key_losses,
  promotions,
  miscounts,
  convenes  // rounds of recovery that are opened; what would open more is not explored further
};
inline constexpr int limit_count = static_cast<int>(limit::convenes) + 1;

class limits {
 public:
  static limits none() { return {}; }
  static limits endless();
  limits with(limit what, int count) const;
  int of(limit what) const { return left_[static_cast<std::size_t>(what)]; }
  void take(limit what);
  void hash_into(hasher& into) const;
  std::string text() const;  // "adds 2, drops 1"

 private:
  std::array<std::uint16_t, limit_count> left_{};
};
std::optional<limit> limit_of(action what);

// Bugs that the checks must find; see planted_test.cpp.
struct planted_bugs {
  bool merges_lost_marks = false;  // watermarks of every report, whatever its branch
  bool repeats_epochs = false;     // the next epoch is one more than the last one in Redis
  bool believes_repeats = false;   // a message whose seq was used counts as known, wherever it is
};

struct world_options {
  machine_options machine;  // the origin is set for each node
  redis_options redis;
  limits bounds;
  planted_bugs bugs;
  bool may_forget =
      false;  // replay buffers or retention are so short that a rollback may lose messages

  world_options();
};

// What was sent through one life of a node.
struct sent_message {
  std::uint8_t life = 0;  // whose
  std::uint64_t seq = 0;
  std::uint16_t identity = 0;  // client message id "m<identity>"
  enum class fate : std::uint8_t { accepted, appended, refused } is = fate::accepted;
};

// What holds for ever, over everything that anybody ever saw.
struct record {
  std::vector<std::string> lives;  // origins, in order of appearance
  std::vector<sent_message> sent;
  std::uint16_t identities = 0;
  std::map<std::tuple<std::string, std::uint64_t, std::uint64_t>, digest>
      known;                                                    // log id, epoch, index
  std::set<std::pair<std::string, std::uint64_t>> passed_over;  // origin, seq: answered, not added
  std::map<std::string, std::uint64_t> newest_place;  // client message id to its largest index
  std::uint64_t newest_floor = 0;  // what lies below was trimmed, or given up by a recovery
  digest sum;                      // over all of the above
  void add_to_sum(hasher what);
  // It was in the log, below what the log has kept.
  bool is_trimmed(std::uint16_t identity) const;
};

// The clients of one life of a node, who were there all along.
struct audience {
  struct delivery {
    std::uint16_t identity = 0;
    position at;
  };
  std::vector<delivery> got;     // in order
  std::vector<delivery> branch;  // of these, what is on the branch that the node reads
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;
  position last;
  std::optional<std::uint64_t> joined_behind;  // index; another one in another log
  std::uint64_t began_behind = 0;              // the largest of these
  void hash_into(hasher& into) const;
};

struct sent_command {
  std::string origin;
  command what;
};

// In order: what was sent is carried out, and then answered, the oldest first.
struct command_channel {
  bool is_connected = false;
  std::uint32_t server_life = 0;  // with which it was connected
  std::deque<sent_command> sent;
  std::deque<answer> heard;
  bool is_idle() const { return sent.empty() && heard.empty(); }
};

struct reader_channel {
  enum class stage : std::uint8_t { idle, entries, answered } at = stage::idle;
  std::uint32_t server_life = 0;
  read_answer found;
  std::optional<read_answer> heard;
};

struct model_node {
  std::uint8_t life = 0;
  std::optional<log_machine> machine;  // none: it crashed
  bool is_cut = false;
  command_channel commands;
  reader_channel reader;
  audience clients;
  mutable std::optional<digest> known_digest;
  digest value() const;
};

struct model_server {
  redis_model redis;
  std::uint32_t life = 1;  // of the process: connections belong to one
  std::uint32_t incarnations = 1;
  std::vector<std::shared_ptr<const key_space>> saves;
  std::deque<sent_command> in_network;  // of a connection that broke
  mutable std::optional<digest> known_digest;
  digest value() const;
};

// Of what happened; no part of the state.
struct world_counts {
  std::uint64_t recoveries = 0, forks = 0, rests = 0;
};

class world {
 public:
  explicit world(const world_options& options);  // three joiners and an empty Redis

  bool can(step what) const;
  // Every step that is possible.
  std::vector<step> choices() const;
  void take(step what);  // can(what)

  // Everything heals, and runs in turn until nothing is left to do; then what must hold at rest is checked. When
  // everybody was at rest and Redis alone has failed since, nobody may be told of a fork or a gap: those who have read
  // the log are there and only have to be waited for.
  void settle();

  // Empty: all is well.
  const std::string& violation() const { return violation_; }
  digest value() const;
  void set_bounds(const limits& bounds) { bounds_ = bounds; }
  // False: more rounds of recovery were opened than the bound has.
  bool is_within_bounds() const { return !is_beyond_; }
  // What happened, a line for each exchange with Redis; null: nobody listens.
  void narrate_to(std::string* narration) { narration_ = narration; }

  const model_server& server() const { return *server_; }
  const model_node& node(int which) const { return *nodes_[static_cast<std::size_t>(which)]; }
  const record& facts() const { return *record_; }
  const world_counts& counts() const { return counts_; }

 private:
  model_node& change(int which);
  model_server& change_server();
  record& change_record();

  bool can_send(const model_node& node) const;
  bool can_on_commands(action what, const model_node& node) const;
  bool can_on_reader(action what, const model_node& node) const;
  bool can_from_outside(step what, const model_node& node) const;
  void take_on_commands(step what);
  void take_on_reader(step what);
  void take_from_outside(step what);
  void take_on_server(step what);

  void connect(int which);
  void disconnect(int which);
  bool is_server_gone(int which) const;
  sent_command next_command(int which);
  void spoil(commit_command& commit) const;
  answer execute(const sent_command& sent);
  void deliver_answer(int which, answer heard);
  void deliver_read(int which, read_answer heard);
  void add_message(int which, std::uint16_t identity);
  void start_node(int which);
  void begin_server_life(bool same_connections);

  // world_checks.cpp
  void fail(std::string text);
  void drain(int which);
  void check_settlement(int which, const settlement& each);
  void check_batch(int which, const read_batch& batch);
  void check_calm(const std::string& what);
  void check_fork(int which, const read_fork& fork);
  void check_delivery(int which, const entry& each);
  void learn_entry(const std::string& log_id, const entry& each, const std::string& where);
  void check_append(const std::string& origin, const append_command& what,
                    const append_answer& heard, bool was_open, position tail_before);
  void check_repeat(const outgoing_message& asked, position at);
  void check_commit(const commit_command& what, const recovery_fields& round, position tail_before);
  void check_order(const entry& each);
  void check_nothing_lost();

  // world_settle.cpp
  void finish_what_is_under_way();
  void run_in_turn(int first);
  std::string unrest() const;
  void check_rest();
  void check_log_at_rest();
  void check_audience_at_rest(int which);

  std::shared_ptr<const world_options> options_;
  std::array<std::shared_ptr<model_node>, node_count> nodes_;
  std::shared_ptr<model_server> server_;
  std::shared_ptr<record> record_;
  limits bounds_;
  bool is_beyond_ = false;
  bool is_calm_ = false;  // at rest, and since then nothing but faults of Redis, starts and crashes
  bool must_lose_nothing_ = false;  // while it settles
  std::string violation_;
  world_counts counts_;
  std::string* narration_ = nullptr;
};

}  // namespace ordeal::chat::model
