// The terms of a judgement: all that a judge knows beside the history. A run takes them from its
// plan; a stored history carries them in its header, so that it is judged again by the same terms
// whatever became of the scenario file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/plan.h"

namespace ordeal::harness {

struct fault_terms {
  std::string name, kind;
  std::string target;  // "redis", "node-2"
  run_time planned_at{};
};

struct seat_terms {
  node_id home{};
  std::vector<room_id> rooms;
  bool is_deputy = false;  // not there from the start, perhaps never
};

struct terms {
  // What is judged by.
  contract promises;
  bool has_resume_protocol = false;  // there is a way to ask for it
  bool has_backplane = true;         // the nodes are joined by Redis
  std::size_t nodes = 0;
  std::vector<std::string> rooms;   // as the target sees them
  std::vector<seat_terms> clients;  // by client_id; deputies last
  std::vector<phase_plan> phases;
  std::vector<fault_terms> faults;
  std::vector<expectation> expectations;
  std::chrono::nanoseconds send_period{};
  arrival_kind arrival = arrival_kind::constant;
  run_time publishing_ends{};
  std::uint64_t planned_messages = 0;  // of the declared phases

  // What it is called.
  std::string scenario, scenario_file, description, target, run_nonce;
  std::uint64_t seed = 0;

  bool can_resume() const { return promises.resume && has_resume_protocol; }
  std::size_t client_count() const;  // without deputies
};

terms terms_of(const plan& from);
// Whether this fault stands between the node and Redis, or is Redis itself: then that node has to wait.
bool cuts_off(const fault_terms& what, node_id node);
// Whether it is done to the node itself.
bool strikes(const fault_terms& what, node_id node);
// Of the load and of every phase in which something is sent.
std::chrono::nanoseconds slowest_send_period(const terms& of);

// One JSON object, with a schema_version of its own. `parse_terms` throws std::runtime_error that says what is wrong.
std::string to_json(const terms& what);
terms parse_terms(std::string_view json);

}  // namespace ordeal::harness
