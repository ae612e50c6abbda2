// A run with one of everything, for snapshots.
#pragma once

#include "reports/record.h"

namespace ordeal::report {

inline run_record sample_record() {
  run_record run;
  run.tool_version = "0.1.0";
  run.run_id = "20261122T074011Z-7f3a";
  run.scenario = "first-look";
  run.scenario_file = "scenarios/first-look.yaml";
  run.target = "reference";
  run.redis = "7.0.15 managed";
  run.started_at = "2026-11-22T07:40:11Z";
  run.seed = 42;
  run.verdict = "fail";
  run.exit_code = 1;
  run.duration_s = 52.125;
  run.why = "delivery: 3 of 67200 deliveries missing, inside cut";
  run.nodes = 3;
  run.clients = 24;
  run.sent = 8400;
  run.ok = 8391;
  run.info = 9;
  run.obligations = 67200;
  run.delivered = 67197;
  run.findings = {{"lost", 3}, {"duplicate", 0}};
  run.checks = {{"order", "pass", "in order, 67197 deliveries"},
                {"delivery", "fail", "3 of 67200 deliveries missing, inside cut"},
                {"generator", "inconclusive", "the generator fell behind"},
                {"recovery", "skipped", "no faults in this scenario"}};
  fault_row cut;
  cut.name = "cut";
  cut.kind = "link_blackhole";
  cut.state = "healed";
  cut.target = "node-2";
  cut.could_touch = {"node-2"};
  cut.planned_s = 17;
  cut.active_s = 17.01;
  cut.healed_s = 22.03;
  cut.recovery_s = {{"node-1", 0.3}, {"node-2", 3.94}, {"node-3", std::nullopt}};
  cut.findings = 3;
  run.faults = {cut};
  finding_row lost;
  lost.kind = "lost";
  lost.at_s = 17.5;
  lost.client = "client-4";
  lost.node = "node-2";
  lost.room = "room-1";
  lost.message = "client-1#5@room-1";
  lost.fault = "cut";
  lost.detail = "client-1#5@room-1 never came";
  run.examples = {lost};
  run.p50_ms = 1.9;
  run.p99_ms = 11.2;
  run.max_ms = 3105;
  run.steady_p99_ms = 4.2;
  run.lag_p99_ms = 0.6;
  run.server_cpu_us = 9.1;
  run.directory = "results/20261122T074011Z-7f3a";
  run.replay = "ordeal run scenarios/first-look.yaml --seed 42";
  return run;
}

// The finding of the sample as it is when all about it is known.
inline finding_row sample_finding() {
  finding_row lost = sample_record().examples[0];
  lost.messages = 3512;
  lost.hop = "Redis accepted it from node-1; node-2 never got it";
  lost.neighbours = {{"client-1#4@room-1", 16.9, "node-1", "ok", true},
                     {"client-1#5@room-1", 17.1, "node-1", "ok", false},
                     {"client-1#6@room-1", 17.3, "node-1", "pending", false}};
  lost.last_deliveries = {{16.2, "client-7#2@room-1"},
                          {16.4, "client-2#4@room-1"},
                          {16.7, "client-3#4@room-1"},
                          {16.9, "client-1#4@room-1"}};
  lost.window_begins_s = 17.0;
  lost.window_ends_s = 26.0;
  return lost;
}

}  // namespace ordeal::report
