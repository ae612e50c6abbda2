// The record of a run: plain data, everything the reports need and nothing else. Writers turn it into text; none of
// them can change the verdict.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ordeal::report {

struct check_row {
  std::string id;
  std::string verdict;  // pass fail inconclusive error skipped
  std::string detail;
};

struct fault_row {
  std::string name, kind, state;
  std::string target;                                   // "redis", "node-2"
  std::optional<std::vector<std::string>> could_touch;  // nodes; none: it never began
  double planned_s = 0;
  std::optional<double> active_s, healed_s;
  std::vector<std::pair<std::string, std::optional<double>>> recovery_s;  // by node
  std::uint64_t findings = 0;  // inside its outage window
  std::string evidence;        // of a failure to confirm, else empty
};

// What was said when something failed.
struct reason_row {
  std::string
      kind;  // send_refused join_refused connection_ended connect_failed redis_error log send_unanswered
  std::string text;  // with numbers and names folded: "waited # ms"
  std::uint64_t count = 0;
  double first_s = 0, last_s = 0;
  std::vector<std::string> nodes;
};

struct finding_row {
  std::string kind;
  double at_s = 0;
  std::string client, node, room, message, fault;  // empty: does not apply
  std::string detail;
  std::uint64_t messages = 0;  // that had been sent when it showed
  std::string hop;             // where a lost message was lost, as a sentence; empty: not known
  struct neighbour_row {
    std::string message;
    double sent_s = 0;
    std::string node, outcome;  // ok fail info pending
    bool has_arrived = false;
  };
  std::vector<neighbour_row> neighbours;
  std::vector<std::pair<double, std::string>> last_deliveries;  // when, which message
  std::optional<double> window_begins_s, window_ends_s;         // of the fault
  struct log_row {
    double at_s = 0;
    std::uint64_t count = 0;
    std::string text;
  };
  std::vector<log_row> log;  // what the node's log said around it
};

struct run_record {
  std::string tool_version;
  std::string run_id, scenario, scenario_file, description, target,
      redis;  // redis: "7.0.15 managed"
  std::size_t scenario_line = 1;
  std::string started_at;  // ISO 8601, UTC
  std::uint64_t seed = 0;
  std::string verdict;
  int exit_code = 0;
  bool was_interrupted = false;
  double duration_s = 0;
  std::string why;
  std::uint64_t nodes = 0, clients = 0, sent = 0, ok = 0, fail = 0, info = 0, obligations = 0,
                delivered = 0;
  std::vector<std::pair<std::string, std::uint64_t>>
      findings;  // every kind, zero included, in the fixed order
  std::vector<check_row> checks;
  std::string promised;  // the contract it was judged by, in the words of a target file
  std::string
      observed;  // the strongest contract that this run satisfies, in the words of a target file; empty: unknown
  std::vector<fault_row> faults;
  std::vector<finding_row> examples;
  std::vector<reason_row> reasons;
  double p50_ms = 0, p99_ms = 0, max_ms = 0;
  std::optional<double> steady_p99_ms;
  double lag_p99_ms = 0;
  std::uint64_t skipped_sends = 0;
  std::optional<double> server_cpu_us, fleet_cpu_us;  // a delivery
  std::string directory;                              // of the results
  std::string replay;                                 // a command line that runs it again
};

// "node-1, node-2"; "all 3 nodes"; "nobody".
inline std::string touched_text(const std::vector<std::string>& nodes, std::uint64_t of_nodes) {
  if (nodes.empty()) return "nobody";
  if (nodes.size() > 1 && nodes.size() == of_nodes)
    return "all " + std::to_string(of_nodes) + " nodes";
  std::string text;
  for (const std::string& node : nodes) text += (text.empty() ? "" : ", ") + node;
  return text;
}

// What people look at first; the other examples are in the files.
inline std::vector<finding_row> first_of_each_kind(const std::vector<finding_row>& examples) {
  std::vector<finding_row> firsts;
  for (const finding_row& found : examples) {
    const bool is_new = std::none_of(firsts.begin(), firsts.end(), [&](const finding_row& first) {
      return first.kind == found.kind;
    });
    if (is_new) firsts.push_back(found);
  }
  return firsts;
}

}  // namespace ordeal::report
