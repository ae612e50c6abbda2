#include "reports/summary_json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>

namespace ordeal::report {
namespace {

namespace json = boost::json;

// Microseconds are noise in a report read by people.
double rounded(double value) { return std::round(value * 1e4) / 1e4; }

json::value number(std::optional<double> value) {
  if (!value) return nullptr;
  return rounded(*value);
}

json::object fault_object(const fault_row& row) {
  json::object recovery;
  for (const auto& [node, seconds] : row.recovery_s) recovery[node] = number(seconds);
  json::object object{{"name", row.name},
                      {"kind", row.kind},
                      {"target", row.target},
                      {"state", row.state},
                      {"planned_s", rounded(row.planned_s)},
                      {"active_s", number(row.active_s)},
                      {"healed_s", number(row.healed_s)},
                      {"recovery_s", std::move(recovery)}};
  if (!row.evidence.empty()) object["evidence"] = row.evidence;
  return object;
}

json::object totals_object(const run_record& record) {
  return {{"nodes", record.nodes}, {"clients", record.clients}, {"sent", record.sent},
          {"ok", record.ok},       {"fail", record.fail},       {"info", record.info},
          {"obligations", record.obligations}, {"delivered", record.delivered}};
}

}  // namespace

std::string render_summary_json(const run_record& record) {
  json::object findings;
  for (const auto& [kind, count] : record.findings) findings[kind] = count;
  json::array checks, faults;
  for (const check_row& row : record.checks) {
    checks.push_back(json::object{{"id", row.id}, {"verdict", row.verdict}, {"detail", row.detail}});
  }
  for (const fault_row& row : record.faults) faults.push_back(fault_object(row));

  json::object summary{{"schema_version", 1},
                       {"run_id", record.run_id},
                       {"scenario", record.scenario},
                       {"target", record.target},
                       {"redis", record.redis},
                       {"seed", record.seed},
                       {"started_at", record.started_at},
                       {"verdict", record.verdict},
                       {"exit_code", record.exit_code},
                       {"interrupted", record.was_interrupted},
                       {"duration_s", rounded(record.duration_s)},
                       {"why", record.why},
                       {"totals", totals_object(record)},
                       {"findings", std::move(findings)},
                       {"checks", std::move(checks)},
                       {"faults", std::move(faults)},
                       {"latency_ms", json::object{{"p50", rounded(record.p50_ms)},
                                                   {"p99", rounded(record.p99_ms)},
                                                   {"max", rounded(record.max_ms)},
                                                   {"steady_p99", number(record.steady_p99_ms)}}},
                       {"generator", json::object{{"lag_p99_ms", rounded(record.lag_p99_ms)}, {"skipped", record.skipped_sends}}},
                       {"cost", json::object{{"server_cpu_us_per_delivery", number(record.server_cpu_us)},
                                             {"fleet_cpu_us_per_delivery", number(record.fleet_cpu_us)}}},
                       {"replay", record.replay}};
  std::string text = "{\n";
  for (const auto& member : summary) {
    text += " " + json::serialize(json::string(member.key())) + ": " + json::serialize(member.value()) + ",\n";
  }
  text.replace(text.size() - 2, 1, "");
  return text + "}\n";
}

}  // namespace ordeal::report
