// `./dev bench`: the processor time of a delivery, of the server processes and of the fleet with
// all its checks, beside the bare floor measured in the same run. Ratios travel between machines,
// microseconds do not.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/bench/floor.h"
#include "tests/support/command.h"

namespace ordeal::bench {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// The goals were set on a machine where writing one frame costs 6.0 us; they are compared at that floor.
constexpr double reference_floor_us = 6.0;

struct goal {
  int rate;
  double server_us_max, fleet_us_max;
};
constexpr goal goals[] = {{100, 10, 10}, {400, 6, 5}};

struct measured {
  double server_us = 0, fleet_us = 0, p50_ms = 0, p99_ms = 0;
  std::uint64_t deliveries = 0;
};

measured measure_run(int rate) {
  const test::scratch_directory scratch;
  const fs::path scenario =
      fs::path(ORDEAL_BENCH_SOURCES) / ("rate-" + std::to_string(rate) + ".yaml");
  test::command run({std::string(ORDEAL_BINARIES) + "/ordeal", "run", scenario.string(),
                     "--results", (scratch.path() / "results").string(), "--progress", "none"},
                    scratch.path());
  const auto code = run.wait(std::chrono::seconds(120));
  if (code != 0)
    throw std::runtime_error("the run at " + std::to_string(rate) + "/s did not pass:\n" +
                             run.out() + run.err());
  const json::value summary =
      json::parse(test::read_file(scratch.path() / "results/latest/summary.json"));
  measured result;
  result.server_us = summary.at("cost").at("server_cpu_us_per_delivery").to_number<double>();
  result.fleet_us = summary.at("cost").at("fleet_cpu_us_per_delivery").to_number<double>();
  result.p50_ms = summary.at("latency_ms").at("p50").to_number<double>();
  result.p99_ms = summary.at("latency_ms").at("p99").to_number<double>();
  result.deliveries = summary.at("totals").at("delivered").to_number<std::uint64_t>();
  return result;
}

// One row; true when the goal is met.
bool report_row(const char* who, double cost_us, double floor_us, double goal_us) {
  const double scaled_us = cost_us * reference_floor_us / floor_us;
  const bool is_met = scaled_us <= goal_us;
  std::printf("  %-8s %6.2f %10.2f %12.2f %8.1f   %s\n", who, cost_us, cost_us / floor_us,
              scaled_us, goal_us, is_met ? "ok" : "above the goal");
  return is_met;
}

int run() {
  floor_options one, ten;
  ten.frames_per_write = 10;
  const floor_costs single = measure_floor(one), grouped = measure_floor(ten);
  const double floor_us = single.write_cpu_us_per_frame;
  std::printf(
      "one room, 2 nodes x 100 clients, 130-byte messages; microseconds of processor time a "
      "delivery\n\n");
  std::printf("%-34s %8s %8s\n", "bare floor", "write", "read");
  std::printf("%-34s %8.2f %8.2f\n", "  one frame a system call", floor_us,
              single.read_cpu_us_per_frame);
  std::printf("%-34s %8.2f %8.2f\n", "  ten frames a system call", grouped.write_cpu_us_per_frame,
              grouped.read_cpu_us_per_frame);
  bool is_met = true;
  for (const goal& each : goals) {
    const measured got = measure_run(each.rate);
    std::printf("\n%d messages/s, %ju deliveries, latency p50 %.1f ms, p99 %.1f ms\n", each.rate,
                static_cast<std::uintmax_t>(got.deliveries), got.p50_ms, got.p99_ms);
    std::printf("  %-8s %6s %10s %12s %8s\n", "", "us", "x floor", "at floor 6.0", "goal");
    is_met = report_row("servers", got.server_us, floor_us, each.server_us_max) && is_met;
    is_met = report_row("fleet", got.fleet_us, floor_us, each.fleet_us_max) && is_met;
    std::fflush(stdout);
  }
  return is_met ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace ordeal::bench

int main() {
  try {
    return ordeal::bench::run();
  } catch (const std::exception& thrown) {
    std::cerr << "error: " << thrown.what() << '\n';
    return 2;
  }
}
