// The verbs of the command `ordeal`, one source file each. A verb gets its flags read and checked,
// writes results to `out` and problems to `err`, and returns the exit code. Nothing here starts a
// process or a thread; `run`, `conform`, `verify` and `history` hand over to the functions in `world`.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "fault-injection/fault.h"
#include "harness/run/run.h"
#include "harness/run/show_history.h"
#include "harness/run/verify.h"
#include "harness/scenario/scenario_loader.h"

namespace ordeal::harness {

// What a verb needs of the world.
struct world {
  std::ostream& out;
  std::ostream& err;
  std::filesystem::path share;  // find_share(); may be empty
  const std::vector<fault::fault_kind>& fault_kinds;
  const std::vector<std::string>& drivers;
  std::function<exit_code(const run_options&)> run_scenarios;
  std::function<exit_code(const verify_options&)> verify_run;
  std::function<exit_code(const show_history_options&)> show_history = {};
};

// A verb's flags and arguments.
struct request {
  run_options run;  // flags that verbs share live here, too: seed, target, variables, format
  show_history_options history;
  std::string subject;                  // of list, explain, conform, plan, verify, history
  std::vector<std::string> only, skip;  // of conform
};

// A wrong command line: exit 2.
struct usage_error : std::runtime_error {
  explicit usage_error(const std::string& message, std::string remedy_text = {})
      : std::runtime_error(message), remedy(std::move(remedy_text)) {}
  std::string remedy;
};

exit_code run_verb(const request& what, const world& where);
exit_code conform_verb(const request& what, const world& where);
exit_code validate_verb(const request& what, const world& where);
exit_code plan_verb(const request& what, const world& where);
exit_code list_verb(const request& what, const world& where);
exit_code explain_verb(const request& what, const world& where);
exit_code verify_verb(const request& what, const world& where);
exit_code history_verb(const request& what, const world& where);
exit_code version_verb(const request& what, const world& where);

// Reads the command line and the ORDEAL_* environment, and calls the verb. Never throws for the
// user's mistakes.
exit_code run_command_line(const std::vector<std::string>& arguments, const world& where);

// Shared by verbs.

// The file of a shipped scenario, when `path` is none itself but an id from `ordeal list scenarios`;
// else `path`.
std::string find_scenario(const std::string& path, const world& where);
// Folders replaced by the *.yaml files below them, sorted, and ids by their files. A folder without
// any is reported, and the result is empty.
std::vector<std::string> expand_files(const std::vector<std::string>& paths, const world& where);
// The loader's view of the flags.
scenario_inputs inputs_of(const request& what, const world& where);

// A shipped scenario, as `list` and `conform` know it.
struct shipped_scenario {
  std::string id;  // "outage/redis-crash": its path below the folder, without .yaml
  std::string file;
  std::string name, description;  // empty when the file is invalid
  std::vector<std::string> tags;
};
std::vector<shipped_scenario> shipped_scenarios(const std::filesystem::path& folder,
                                                const world& where);

}  // namespace ordeal::harness
