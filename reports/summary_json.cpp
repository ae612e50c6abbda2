#include "reports/summary_json.h"

#include <boost/json/array.hpp>

#include "reports/json_text.h"
#include "reports/jsonl.h"

namespace ordeal::report {
namespace {

namespace json = boost::json;

json::value number_or_null(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::array checks_of(const run_record& run) {
  json::array rows;
  for (const check_row& check : run.checks) {
    rows.push_back(
        json::object{{"id", check.id}, {"verdict", check.verdict}, {"detail", check.detail}});
  }
  return rows;
}

json::array faults_of(const run_record& run) {
  json::array rows;
  for (const fault_row& fault : run.faults) {
    json::object recovery;
    for (const auto& [node, seconds] : fault.recovery_s) recovery[node] = number_or_null(seconds);
    json::object row;
    row["name"] = fault.name;
    row["kind"] = fault.kind;
    row["target"] = fault.target;
    row["could_touch"] =
        fault.could_touch
            ? json::value(json::array(fault.could_touch->begin(), fault.could_touch->end()))
            : json::value(nullptr);
    row["state"] = fault.state;
    row["planned_s"] = fault.planned_s;
    row["active_s"] = number_or_null(fault.active_s);
    row["healed_s"] = number_or_null(fault.healed_s);
    row["recovery_s"] = std::move(recovery);
    row["findings"] = fault.findings;
    if (!fault.evidence.empty()) row["evidence"] = fault.evidence;
    rows.push_back(std::move(row));
  }
  return rows;
}

json::array reasons_of(const run_record& run) {
  json::array rows;
  for (const reason_row& reason : run.reasons) {
    rows.push_back(json::object{{"kind", reason.kind},
                                {"text", reason.text},
                                {"count", reason.count},
                                {"first_s", reason.first_s},
                                {"last_s", reason.last_s},
                                {"nodes", json::array(reason.nodes.begin(), reason.nodes.end())}});
  }
  return rows;
}

}  // namespace

std::string summary_json(const run_record& run) {
  json::object page;
  page["schema_version"] = 1;
  if (!run.tool_version.empty()) page["tool_version"] = run.tool_version;
  page["run_id"] = run.run_id;
  page["scenario"] = run.scenario;
  page["scenario_file"] = run.scenario_file;
  page["target"] = run.target;
  page["redis"] = run.redis;
  page["seed"] = run.seed;
  page["started_at"] = run.started_at;
  page["verdict"] = run.verdict;
  page["exit_code"] = run.exit_code;
  page["was_interrupted"] = run.was_interrupted;
  page["duration_s"] = run.duration_s;
  page["why"] = run.why;
  page["totals"] = json::object{{"nodes", run.nodes},
                                {"clients", run.clients},
                                {"sent", run.sent},
                                {"ok", run.ok},
                                {"fail", run.fail},
                                {"info", run.info},
                                {"obligations", run.obligations},
                                {"delivered", run.delivered}};
  json::object findings;
  for (const auto& [kind, count] : run.findings) findings[kind] = count;
  page["findings"] = std::move(findings);
  page["checks"] = checks_of(run);
  page["promised"] = run.promised;
  page["observed"] = run.observed;
  page["faults"] = faults_of(run);
  json::object latency{{"p50", run.p50_ms}, {"p99", run.p99_ms}, {"max", run.max_ms}};
  latency["steady_p99"] = number_or_null(run.steady_p99_ms);
  page["latency_ms"] = std::move(latency);
  page["generator"] = json::object{{"lag_p99_ms", run.lag_p99_ms}, {"skipped", run.skipped_sends}};
  json::object cost;
  cost["server_cpu_us_per_delivery"] = number_or_null(run.server_cpu_us);
  cost["fleet_cpu_us_per_delivery"] = number_or_null(run.fleet_cpu_us);
  page["cost"] = std::move(cost);
  json::array examples;
  for (const finding_row& found : run.examples) examples.push_back(to_json(found));
  page["examples"] = std::move(examples);
  page["reasons"] = reasons_of(run);
  page["replay"] = run.replay;
  return json_page(page);
}

}  // namespace ordeal::report
