// Scenario files to `struct scenario`: shape by the schema table, then the checks that need more
// than one key. All problems are reported at once. Start-up code, any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fault-injection/fault.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/source.h"
#include "harness/scenario/template_text.h"

namespace ordeal::harness {

struct scenario_inputs {
  std::vector<std::pair<std::string, std::string>> variables;  // --set
  std::optional<std::string> target;  // --target: name or file; replaces the scenario's
  std::optional<std::vector<std::string>>
      known_targets;            // names to check target.name against; none: not checked
  variable_lookup environment;  // null: the process's own
};

struct loaded_scenario {
  std::optional<scenario> value;     // only when there are no problems
  std::vector<diagnostic> problems;  // as render_all() takes them
  std::string text;                  // of the file
};

// `kinds` is fault::kinds() but in tests.
loaded_scenario load_scenario(const std::string& path, const std::vector<fault::fault_kind>& kinds,
                              const scenario_inputs& inputs);
loaded_scenario parse_scenario(const std::string& text, const std::string& file,
                               const std::vector<fault::fault_kind>& kinds,
                               const scenario_inputs& inputs);

}  // namespace ordeal::harness
