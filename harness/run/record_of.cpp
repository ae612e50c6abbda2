#include "harness/run/record_of.h"

#include <csignal>

#include "harness/history/event_words.h"
#include "harness/seconds.h"
#include "harness/target/contract.h"

namespace ordeal::harness {
namespace {

std::optional<double> seconds_if(std::optional<run_time> at) {
  if (!at) return std::nullopt;
  return seconds(*at);
}

const char* name_of(outcome result) {
  switch (result) {
    case outcome::ok:
      return "ok";
    case outcome::fail:
      return "fail";
    case outcome::info:
      break;
  }
  return "info";
}

report::fault_row row_of(const fault_terms& spec, const fault_judgement& judged) {
  report::fault_row row;
  row.name = spec.name;
  row.kind = spec.kind;
  row.state = fault::name_of(judged.state);
  row.target = spec.target;
  row.planned_s = seconds(spec.planned_at);
  row.active_s = seconds_if(judged.active_at);
  row.healed_s = seconds_if(judged.healed_at);
  for (std::size_t node = 0; node < judged.recovery.size(); ++node) {
    row.recovery_s.emplace_back(harness::name_of(node_id(node)), seconds_if(judged.recovery[node]));
  }
  if (judged.touched) {
    row.could_touch.emplace();
    for (const node_id node : *judged.touched) row.could_touch->push_back(harness::name_of(node));
  }
  row.findings = judged.findings;
  row.evidence = judged.evidence;
  return row;
}

report::reason_row row_of(const counted_reason& what) {
  report::reason_row row{word_of(what.kind),  what.text,          what.count,
                         seconds(what.first), seconds(what.last), {}};
  for (const node_id node : what.nodes) row.nodes.push_back(harness::name_of(node));
  return row;
}

void add_judgement(report::run_record& record, const terms& what, const judgement& judged) {
  record.verdict = harness::name_of(judged.result);
  record.why = judged.why;
  record.observed = judged.observed;
  record.duration_s = seconds(judged.end.at);
  record.sent = judged.counts.sent;
  record.ok = judged.counts.ok;
  record.fail = judged.counts.fail;
  record.info = judged.counts.info;
  record.obligations = judged.counts.obligations;
  record.delivered = judged.counts.delivered;
  for (std::size_t i = 0; i < finding_kind_count; ++i) {
    record.findings.emplace_back(harness::name_of(finding_kind(i)), judged.findings[i]);
  }
  for (const check_result& check : judged.checks)
    record.checks.push_back({check.id, harness::name_of(check.result), check.detail});
  for (std::size_t i = 0; i < what.faults.size(); ++i) {
    record.faults.push_back(row_of(what.faults[i], judged.faults[i]));
  }
  for (const counted_reason& each : judged.reasons) record.reasons.push_back(row_of(each));
  for (const finding& example : judged.examples) record.examples.push_back(row_of(example, what));
  record.p50_ms = judged.latency.p50_ms;
  record.p99_ms = judged.latency.p99_ms;
  record.max_ms = judged.latency.max_ms;
  record.steady_p99_ms = judged.latency.steady_p99_ms;
  record.lag_p99_ms = judged.lag_p99_ms;
  record.skipped_sends = judged.sends_skipped;
}

report::finding_row::neighbour_row row_of(const surroundings::neighbour& near) {
  report::finding_row::neighbour_row row;
  row.message = harness::name_of(near.id);
  row.sent_s = seconds(near.sent_at);
  row.node = harness::name_of(near.node);
  row.outcome = near.is_settled ? name_of(near.result) : "pending";
  row.has_arrived = near.has_arrived;
  return row;
}

void add_surroundings(report::finding_row& row, const surroundings& around) {
  row.hop = around.hop;
  for (const surroundings::neighbour& near : around.neighbours)
    row.neighbours.push_back(row_of(near));
  for (const surroundings::arrival& got : around.last_deliveries)
    row.last_deliveries.emplace_back(seconds(got.at), harness::name_of(got.id));
  for (const surroundings::log_line& line : around.log)
    row.log.push_back({seconds(line.at), line.count, line.text});
  row.window_begins_s = seconds_if(around.window_begins);
  row.window_ends_s = seconds_if(around.window_ends);
}

}  // namespace

report::finding_row row_of(const finding& what, const terms& in) {
  report::finding_row row;
  row.kind = harness::name_of(what.kind);
  row.at_s = seconds(what.at);
  if (what.client) row.client = harness::name_of(*what.client);
  if (what.node) row.node = harness::name_of(*what.node);
  if (what.room) row.room = harness::name_of(*what.room);
  if (what.message) row.message = harness::name_of(*what.message);
  if (what.fault) row.fault = in.faults[*what.fault].name;
  row.detail = what.detail;
  row.messages = what.messages;
  if (what.around) add_surroundings(row, *what.around);
  return row;
}

exit_code exit_code_of(const std::optional<judgement>& judged, const ending& end) {
  // A collapse of the test bed can look like a loss: the environment comes first.
  if (!end.problem.empty()) return exit_code::environment;
  if (judged && judged->result == verdict::fail) return exit_code::violation;
  if (end.signal == SIGTERM) return exit_code::terminated;
  if (end.signal != 0) return exit_code::interrupted;
  if (!judged) return exit_code::nothing_ran;
  return judged->result == verdict::pass ? exit_code::pass : exit_code::inconclusive;
}

report::run_record record_of(const terms& what, const std::optional<judgement>& judged,
                             const ending& end, const run_facts& facts) {
  report::run_record record;
  record.tool_version = ORDEAL_VERSION;
  record.run_id = facts.run_id;
  record.scenario = what.scenario;
  record.scenario_file = what.scenario_file;
  record.description = what.description;
  record.target = what.target;
  record.promised = describe(what.promises);
  record.redis = facts.redis;
  record.started_at = facts.started_at;
  record.seed = what.seed;
  record.nodes = what.nodes;
  record.clients = what.client_count();
  record.directory = facts.directory;
  record.replay = facts.replay;
  record.was_interrupted = end.signal != 0;
  record.exit_code = static_cast<int>(exit_code_of(judged, end));
  record.verdict = "error";
  if (judged) add_judgement(record, what, *judged);
  if (!end.problem.empty()) {
    record.verdict = "error";
    record.why = end.problem;
    record.checks.insert(record.checks.begin(), {"environment", "error", end.problem});
  }
  record.server_cpu_us = facts.server_cpu_us;
  record.fleet_cpu_us = facts.fleet_cpu_us;
  return record;
}

}  // namespace ordeal::harness
