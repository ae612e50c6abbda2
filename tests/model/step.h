// What can happen next, as a value with a name, so that a counterexample is a list that can be read and run again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference-server/log/log_commands.h"

namespace ordeal::chat::model {

inline constexpr int node_count = 3;

enum class action : std::uint8_t {
  // The command connection of a node; made when it is needed.
  exchange,     // its next command is carried out, the answer arrives
  issue,        // the same in three steps: the command leaves, perhaps behind others,
  execute,      // is carried out,
  receive,      // the answer arrives
  drop_before,  // the connection breaks before the command is carried out
  drop_after,   // the connection breaks before the answer arrives
  lose,         // the connection breaks, with whatever is on its way
  zombify,      // the connection breaks, what was sent stays in the network
  run_zombie,   // and is carried out
  trouble,      // Redis answers with an error that passes
  // The reader connection.
  read,          // entries, facts, into the machine
  read_entries,  // the same in three steps: XREAD,
  read_facts,    // HMGET,
  read_receive,  // arrival
  lose_reader,   // what was read does not arrive
  // What comes from outside.
  add,    // a client sends a message
  retry,  // a client sends message `which` again, through this node
  beat,   // a heartbeat is due
  crash,  // the node's memory is gone
  join,   // a new one takes its place
  cut,    // no way to Redis
  heal,
  // Redis. "again": a new life of the process, all connections break.
  save,               // a snapshot is kept
  restart,            // again, nothing lost
  restart_empty,      // again, everything lost
  restart_from_save,  // again, back to snapshot `which`
  wipe,               // everything lost, connections stay
  lose_key,           // key `which`
  promote,            // another incarnation, connections stay, nothing lost
  promote_lagging,    // the same, back to snapshot `which`
  miscount,           // the watermark of what node `which` has sent is raised
  // Everything heals and comes to rest (world::settle); not among world::choices().
  settle
};
inline constexpr int action_count = static_cast<int>(action::settle) + 1;

struct step {
  action what = action::exchange;
  std::uint8_t node = 0;
  std::uint8_t which = 0;
  friend bool operator==(const step&, const step&) = default;
};
using trace = std::vector<step>;

bool has_node(action what);
const char* name_of(action what);
std::string to_string(step what);  // "B drop_after", "roll_back 1"

// For counterexamples and fingerprints: complete.
std::string describe(const command& what);
std::string describe(const answer& what);
std::string describe(const read_answer& what);
std::string describe(const entry& each);

}  // namespace ordeal::chat::model
