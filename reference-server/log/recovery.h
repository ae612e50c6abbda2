// Deciding in a recovery round (docs/log-protocol.md): what a node reports, who repairs, and how. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference-server/log/epoch_chain.h"
#include "reference-server/log/log_commands.h"
#include "reference-server/log/replay_buffer.h"

namespace ordeal::chat {

// What a node brings into a round.
struct report {
  std::string log_id;  // empty: it has read nothing
  position last;
  std::uint64_t low = 0;  // the oldest index that it holds; everything from there to `last`
  std::vector<std::string> members;            // other nodes it has heard of lately
  std::map<std::string, std::uint64_t> marks;  // origin to last seq, as far as it knows
  bool has_history() const { return last.index > 0; }
};
std::string format_report(const report& what);
std::optional<report> parse_report(std::string_view text);

// A round belongs to one incarnation: one that came back with a snapshot, reports and owner of another time, is over.
std::string make_round(std::string name, std::string_view incarnation);
bool is_round_of(std::string_view round, std::string_view incarnation);

using reports_by_origin = std::map<std::string, report>;

// Who acts, once everybody who may know more was heard or waited for.
struct choice {
  std::string actor;                 // empty: wait
  std::vector<std::string> missing;  // known members that did not report
};
struct patience {
  bool is_grace_over = false;  // known members were given long enough
  bool is_boot_over = false;   // and nodes nobody knows of, that may have read the log
};
choice choose_actor(const reports_by_origin& reports, patience waited);

// What the actor does: truncate to `keep`, restore from its replay buffer what lies above, commit.
struct repair_plan {
  repair_claim claim;
  bool removes = false;   // something above `keep`
  position keep;          // the end of what stays; {0, 0}: nothing
  bool restores = false;  // from index keep.index + 1, or from the oldest held when nothing stays
  std::string log_id;
  std::uint64_t epoch = 0;
  epoch_chain chain;
  std::map<std::string, std::uint64_t> marks;
  bool replaces_marks = false;
  std::string barrier;
};
struct repair_input {
  std::string origin;
  const reports_by_origin& reports;
  const log_facts& log;
  const epoch_chain& own_chain;
  const replay_buffer& held;
  std::string fresh_log_id;    // should a new log begin
  std::uint64_t epoch_digits;  // below the term: never used before by this node
};
repair_plan plan_repair(const repair_input& from);

}  // namespace ordeal::chat
