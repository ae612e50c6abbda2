// Running scenarios: what the verbs `run` and `conform` do once their flags are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/history/history_file.h"

namespace ordeal::harness {

// Exit codes (`ordeal explain 5`). With several, the first of internal_error, results_not_written, environment,
// invalid_file, violation, inconclusive, pass counts.
enum class exit_code : int {
  pass = 0,
  violation = 1,
  bad_command_line = 2,
  invalid_file = 3,
  nothing_ran = 4,
  inconclusive = 5,
  environment = 6,
  refused = 7,
  results_not_written = 8,
  internal_error = 10,
  interrupted = 130,
  terminated = 143
};
exit_code worst_of(exit_code a, exit_code b);

enum class progress_mode { automatic, live, plain, none };
enum class color_mode { automatic, always, never };
enum class output_format { text, json };

struct run_options {
  std::vector<std::string> files;
  std::optional<std::string> target;  // name or file; replaces the scenario's
  std::optional<std::uint64_t> seed;
  std::vector<std::pair<std::string, std::string>> variables;  // --set
  std::filesystem::path results_dir = "results";
  std::filesystem::path junit_file;  // a copy of the JUnit report, for CI
  bool is_strict = false;            // --as strict
  history_mode history = history_mode::full;
  progress_mode progress = progress_mode::automatic;
  color_mode color = color_mode::automatic;
  output_format format = output_format::text;
  std::string log_level = "warn";
};

// Runs every file one after the other; prints results on stdout, progress and problems on stderr. Call it before any
// thread exists: it forks the warden.
exit_code run_scenarios(const run_options& options);

}  // namespace ordeal::harness
