// The `ordeal` program on small scenarios of a test's own.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/command.h"

namespace ordeal::test {

inline constexpr std::chrono::seconds run_limit{60};

class ordeal_run : public testing::Test {
 protected:
  static std::string binaries() { return ORDEAL_BINARIES; }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = scratch_.path() / name;
    std::ofstream(path) << text;
    return path;
  }

  // `ordeal run <scenario> --results <scratch>/results <more>`.
  std::unique_ptr<command> start(const std::filesystem::path& scenario,
                                 std::vector<std::string> more = {},
                                 std::map<std::string, std::string> env = {}) {
    std::vector<std::string> arguments{binaries() + "/ordeal", "run", scenario.string(),
                                       "--results", (scratch_.path() / "results").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<command>(arguments, scratch_.path(), env);
  }

  std::filesystem::path results(const std::string& name) const {
    return scratch_.path() / "results/latest" / name;
  }
  // The directory of a run that has not ended, or was killed.
  std::filesystem::path current(const std::string& name) const {
    return scratch_.path() / "results/current" / name;
  }

  boost::json::value summary() const {
    return boost::json::parse(read_file(results("summary.json")));
  }

  // Waits until the run has sent messages for a while: its steady phase has begun.
  bool is_under_load(const command& run) const {
    return eventually(
               [&] {
                 return read_file(current("series.jsonl")).find("\"sent\":") != std::string::npos ||
                        !is_alive(run.pid());
               },
               run_limit) &&
           is_alive(run.pid());
  }

  scratch_directory scratch_;
};

// Two nodes, one room, four clients; `faults` and `seconds` as given.
inline std::string small_scenario(int seconds, const std::string& faults = "",
                                  const std::string& target = "reference") {
  return "schema_version: 1\n"
         "name: small\n"
         "description: A small run for a test.\n"
         "tags: [test]\n"
         "backplane:\n"
         "  redis: { mode: managed, topology: standalone, persistence: aof, auth: { user: chat, "
         "password: generated } }\n"
         "target: { name: \"" +
         target +
         "\", nodes: 2 }\n"
         "load:\n"
         "  rooms: 1\n"
         "  clients: { per_node: 2, rooms_each: 1, ramp: 100ms }\n"
         "  publish: { rate: 50/s, payload: 128B, arrival: constant }\n"
         "phases:\n"
         "  - { name: steady, duration: " +
         std::to_string(seconds) + "s }\n" + faults;
}

}  // namespace ordeal::test
