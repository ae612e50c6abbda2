// ordeal-bench-floor: prints what writing and reading a frame costs at least on this machine.
#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <string>

#include "tests/bench/floor.h"

namespace {

using ordeal::bench::floor_costs;
using ordeal::bench::floor_options;

boost::json::object to_json(const floor_costs& costs) {
  boost::json::object object;
  object["frames"] = costs.frame_count;
  object["write_cpu_us_per_frame"] = costs.write_cpu_us_per_frame;
  object["read_cpu_us_per_frame"] = costs.read_cpu_us_per_frame;
  return object;
}

void print_line(const char* what, const floor_costs& costs) {
  std::printf("%-20s  write %6.2f us   read %6.2f us   CPU a frame, over %zu frames\n", what,
              costs.write_cpu_us_per_frame, costs.read_cpu_us_per_frame, costs.frame_count);
}

}  // namespace

int main(int argument_count, char** arguments) {
  floor_options options;
  double seconds = 5;
  bool is_json = false;
  CLI::App app(
      "CPU time per frame of a bare loop that writes WebSocket frames to loopback sockets, and of "
      "a bare epoll reader");
  app.add_option("--sockets", options.socket_count, "connected sockets")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--rate", options.messages_per_second,
                 "messages a second, each to every socket; 0: no pacing");
  app.add_option("--seconds", seconds, "length of each of the two measurements")
      ->check(CLI::Range(0.1, 3600.0));
  app.add_flag("--json", is_json, "print JSON");
  CLI11_PARSE(app, argument_count, arguments);
  try {
    options.duration = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
    options.frames_per_write = 1;
    const floor_costs single = ordeal::bench::measure_floor(options);
    options.frames_per_write = 10;
    const floor_costs ten = ordeal::bench::measure_floor(options);
    if (is_json) {
      boost::json::object report;
      report["sockets"] = options.socket_count;
      report["messages_per_second"] = options.messages_per_second;
      report["seconds"] = seconds;
      report["frame_bytes"] = ordeal::bench::frame_bytes;
      report["one_frame_a_write"] = to_json(single);
      report["ten_frames_a_write"] = to_json(ten);
      std::printf("%s\n", boost::json::serialize(report).c_str());
    } else {
      print_line("one frame a write", single);
      print_line("ten frames a write", ten);
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "ordeal-bench-floor: %s\n", failure.what());
    return 1;
  }
  return 0;
}
