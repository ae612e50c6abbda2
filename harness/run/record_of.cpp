#include "harness/run/record_of.h"

#include <csignal>

#include "harness/run/recorder.h"
#include "harness/seconds.h"
#include "net/async/clock.h"

namespace ordeal::harness {
namespace {

std::optional<double> seconds_if(std::optional<run_time> at) {
  if (!at) return std::nullopt;
  return seconds(*at);
}

std::string target_of(const fault::fault_spec& spec) {
  const fault::fault_kind* kind = fault::find_kind(spec.kind);
  if (kind != nullptr && kind->target == fault::target_kind::redis) return "redis";
  if (spec.nodes.empty()) return "all nodes";
  std::string names;
  for (const std::size_t node : spec.nodes)
    names += (names.empty() ? "" : ", ") + name_of(node_id(node));
  return names;
}

report::fault_row row_of(const fault::fault_spec& spec, const fault_judgement& judged,
                         const std::string& evidence) {
  report::fault_row row;
  row.name = spec.name;
  row.kind = spec.kind;
  row.state = fault::name_of(judged.state);
  row.target = target_of(spec);
  row.planned_s = seconds(spec.at);
  row.active_s = seconds_if(judged.active_at);
  row.healed_s = seconds_if(judged.healed_at);
  for (std::size_t node = 0; node < judged.recovery.size(); ++node) {
    row.recovery_s.emplace_back(name_of(node_id(node)), seconds_if(judged.recovery[node]));
  }
  row.findings = judged.findings;
  row.evidence = evidence;
  return row;
}

void add_judgement(report::run_record& record, const plan& what, const run_outcome& outcome) {
  const judgement& judged = *outcome.judged;
  record.verdict = name_of(judged.result);
  record.why = judged.why;
  record.sent = judged.counts.sent;
  record.ok = judged.counts.ok;
  record.fail = judged.counts.fail;
  record.info = judged.counts.info;
  record.obligations = judged.counts.obligations;
  record.delivered = judged.counts.delivered;
  for (std::size_t i = 0; i < finding_kind_count; ++i) {
    record.findings.emplace_back(name_of(finding_kind(i)), judged.findings[i]);
  }
  for (const check_result& check : judged.checks)
    record.checks.push_back({check.id, name_of(check.result), check.detail});
  for (std::size_t i = 0; i < what.faults.size(); ++i) {
    record.faults.push_back(row_of(what.faults[i], judged.faults[i], outcome.fault_evidence[i]));
  }
  for (const finding& example : judged.examples) record.examples.push_back(row_of(example, what));
  record.p50_ms = judged.latency.p50_ms;
  record.p99_ms = judged.latency.p99_ms;
  record.max_ms = judged.latency.max_ms;
  record.steady_p99_ms = judged.latency.steady_p99_ms;
  record.lag_p99_ms = judged.lag_p99_ms;
  record.skipped_sends = judged.sends_skipped;
}

}  // namespace

exit_code exit_code_of(const run_outcome& outcome) {
  const bool is_proven = outcome.judged && outcome.judged->result == verdict::fail;
  // A collapse of the test bed can look like a loss: the environment comes first.
  if (!outcome.environment_problem.empty()) return exit_code::environment;
  if (is_proven) return exit_code::violation;
  if (outcome.signal == SIGTERM) return exit_code::terminated;
  if (outcome.signal != 0) return exit_code::interrupted;
  if (!outcome.judged) return exit_code::nothing_ran;
  return outcome.judged->result == verdict::pass ? exit_code::pass : exit_code::inconclusive;
}

report::run_record record_of(const plan& what, const run_outcome& outcome,
                             const results_directory& results, std::string redis,
                             std::string replay) {
  report::run_record record;
  record.tool_version = ORDEAL_VERSION;
  record.run_id = results.run_id();
  record.scenario = what.scenario.name;
  record.scenario_file = what.scenario.file;
  record.description = what.scenario.description;
  record.target = what.target.name;
  record.redis = std::move(redis);
  record.seed = what.seed;
  record.nodes = what.scenario.nodes;
  record.clients = what.clients.size();
  record.directory = results.path().string();
  record.replay = std::move(replay);
  record.duration_s = seconds(outcome.duration);
  record.was_interrupted = outcome.signal != 0;
  record.exit_code = static_cast<int>(exit_code_of(outcome));
  record.verdict = "error";
  if (outcome.judged) add_judgement(record, what, outcome);
  if (!outcome.environment_problem.empty()) {
    record.verdict = "error";
    record.why = outcome.environment_problem;
    record.checks.insert(record.checks.begin(),
                         {"environment", "error", outcome.environment_problem});
  }
  record.server_cpu_us = outcome.cost.server_us;
  record.fleet_cpu_us = outcome.cost.fleet_us;
  return record;
}

}  // namespace ordeal::harness
