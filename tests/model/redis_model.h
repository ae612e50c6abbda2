// Redis and the scripts of the log, as a value: what reference-server/log/scripts does, line by line, on plain C++
// data. Copies go their own ways. Faults are members; tests/model/against_redis_test.cpp compares it with a real
// server, so a change of a script without the same change here fails there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reference-server/log/log_commands.h"
#include "tests/model/hash.h"

namespace ordeal::chat::model {

struct redis_options {
  std::size_t retained_entries = 100'000;
  // As in the scripts; smaller ones bring the same code about in short runs.
  std::size_t trim_min = 128, trim_max = 1024;
  std::size_t recount_max = 64;
  std::size_t truncate_max = truncate_entries_max;
  std::size_t origins_kept = 32, epochs_kept = 32;
  // Planted bugs.
  bool appends_unchecked = false;  // append does not look at state, epoch and incarnation
  bool commits_unchecked = false;  // commit does not look at round, owner and the stream's end
  bool believes_seqs = false;      // append does not look for the entry before the first one
};

enum class log_key { meta, epochs, seq, req, log, recovery, heard, beats };
inline constexpr int log_key_count = 8;
const char* name_of(log_key key);

struct meta_fields {
  // Empty or 0: the field is missing.
  std::string log_id;
  std::uint64_t epoch = 0;
  std::string state;
  std::string incarnation;
  std::uint64_t top = 0, floor = 0;
  // Of the entries from `counted` on; both or none.
  std::uint64_t bytes = 0;
  std::optional<position> counted;
  std::uint64_t beats = 0;  // written
  friend bool operator==(const meta_fields&, const meta_fields&) = default;
};

struct stream {
  std::vector<entry_ptr> entries;
  position last_id;  // survives the entry
};

struct recovery_fields {
  std::string round;
  std::string owner;
  std::uint64_t progress = 0;
  std::map<std::string, std::string> reports;
  friend bool operator==(const recovery_fields&, const recovery_fields&) = default;
};

// A key that is missing is nullopt.
struct key_space {
  std::optional<meta_fields> meta;
  std::optional<std::map<std::uint64_t, std::uint64_t>> epochs;
  std::optional<std::map<std::string, std::uint64_t>> seq;
  std::optional<std::map<std::string, std::optional<position>>> req;
  std::optional<stream> log;
  std::optional<recovery_fields> recovery;
  std::optional<std::map<std::string, std::uint64_t>> heard;
  std::optional<std::vector<read_beat>> beats;

  void hash_into(hasher& into) const;
};

class redis_model {
 public:
  explicit redis_model(redis_options options, std::string incarnation = "i1")
      : options_(options), incarnation_(std::move(incarnation)) {}

  // Carries `what` out for `origin`.
  answer execute(const std::string& origin, const command& what);
  // XREAD, and the HMGET behind it: two commands, between which others may run.
  read_answer read_streams(const read_command& what) const;
  read_answer read_facts(read_answer found) const;
  read_answer read(const read_command& what) const { return read_facts(read_streams(what)); }

  const key_space& keys() const { return keys_; }
  const std::string& incarnation() const { return incarnation_; }

  // Faults.
  void restore_snapshot(key_space then) { keys_ = std::move(then); }
  void lose_everything() { keys_ = {}; }
  void lose(log_key key);
  void lose_count();
  void miscount(const std::string& origin, std::uint64_t by);  // somebody raised its watermark
  void trim_by_hand(std::size_t left);
  void raise_last_id(position to);  // an entry was added there and removed again
  bool has(log_key key) const;
  void set_full(bool is_full) { is_full_ = is_full; }  // out of memory
  void set_incarnation(std::string incarnation) { incarnation_ = std::move(incarnation); }

  void hash_into(hasher& into) const;

 private:
  server_facts server() const;
  log_facts facts(const std::string& origin, const std::optional<position>& last_read) const;
  append_answer run_append(const std::string& origin, const append_command& what,
                           std::string& error);
  void recount(std::uint64_t top);
  struct trimmed {
    std::uint64_t entries = 0, bytes = 0;
  };
  trimmed trim(std::uint64_t top, std::uint64_t upto, std::uint64_t excess);
  void write_beat(const std::string& origin, const std::string& text);
  void forget_epochs();
  void forget_origins(std::uint64_t top);
  void retain(const append_command& what, std::uint64_t coming, bool has_trimmed_early);
  convene_answer run_convene(const convene_command& what);
  report_answer run_report(const std::string& origin, const report_command& what);
  bool is_claim_good(const std::string& origin, const repair_claim& claim) const;
  repair_answer run_truncate(const std::string& origin, const truncate_command& what,
                             std::string& error);
  repair_answer run_restore(const std::string& origin, const restore_command& what,
                            std::string& error);
  repair_answer run_commit(const std::string& origin, const commit_command& what,
                           std::string& error);
  position tail_position() const;
  void raise_mark(const std::string& name, std::uint64_t seq);
  bool add_entry(entry each, std::string& error);

  redis_options options_;
  std::string incarnation_;
  bool is_full_ = false;
  key_space keys_;
};

}  // namespace ordeal::chat::model
