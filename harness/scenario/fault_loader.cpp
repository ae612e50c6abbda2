#include "harness/scenario/fault_loader.h"

#include <algorithm>

#include "harness/scenario/spelling.h"
#include "harness/scenario/values.h"

namespace ordeal::harness {
namespace {

using fault::duration_use;
using fault::fault_kind;
using fault::parameter;
using fault::parameter_type;
using std::chrono::nanoseconds;

value_type type_of(parameter_type type) {
  switch (type) {
    case parameter_type::text:
      return value_type::text;
    case parameter_type::boolean:
      return value_type::boolean;
    case parameter_type::duration:
      return value_type::duration;
    case parameter_type::size:
      return value_type::size;
    case parameter_type::integer:
      return value_type::integer;
    case parameter_type::bandwidth:
      return value_type::bandwidth;
  }
  return value_type::text;
}

// The text as fault_spec wants it: numbers in their base unit.
parsed<std::string> canonical(const parameter& of, const std::string& text) {
  const auto number = [](const auto& result) -> parsed<std::string> {
    if (!result.value) return {{}, result.problem};
    return {std::to_string(*result.value), {}};
  };
  switch (of.type) {
    case parameter_type::boolean: {
      const parsed<bool> result = parse_boolean(text);
      if (!result.value) return {{}, result.problem};
      return {text, {}};
    }
    case parameter_type::duration: {
      const parsed<nanoseconds> result = parse_duration(text);
      if (!result.value) return {{}, result.problem};
      return {std::to_string(result.value->count()), {}};
    }
    case parameter_type::size:
      return number(parse_size(text));
    case parameter_type::integer:
      return number(parse_integer(text));
    case parameter_type::bandwidth:
      return number(parse_bandwidth(text));
    case parameter_type::text:
      break;
  }
  const bool is_allowed = of.allowed.empty() ||
                          std::find(of.allowed.begin(), of.allowed.end(), text) != of.allowed.end();
  if (!is_allowed) return {{}, "is not known"};
  return {text, {}};
}

class fault_reader {
 public:
  fault_reader(const std::vector<phase_recipe>& phases, std::size_t nodes,
               const std::vector<fault_kind>& kinds, problem_list& problems)
      : phases_(phases), nodes_(nodes), kinds_(kinds), problems_(problems) {}

  fault_recipe read(const checked_value& from) {
    is_sound_ = true;
    has_time_ = false;
    fault_recipe recipe;
    recipe.name = from["name"].text();
    recipe.kind = from["kind"].text();
    recipe.where = from.where();
    if (from["for"].is_given() && from["for"].is_valid()) recipe.held = from["for"].duration();
    read_time(from["at"], recipe);
    const fault_kind* kind = find_kind(from["kind"]);
    if (kind) {
      check_duration(from, *kind);
      read_target(from["target"], *kind, recipe);
      read_parameters(from, *kind, recipe);
    }
    check_end(from, recipe);
    if (kind && kind->validate && is_sound_) check_combination(from, *kind, recipe);
    return recipe;
  }

 private:
  void report(const checked_value& at, std::string code, std::string message,
              std::string remedy = {}, std::string suggestion = {}) {
    is_sound_ = false;
    problems_.add(
        at.problem(std::move(code), std::move(message), std::move(remedy), std::move(suggestion)));
  }

  const fault_kind* find_kind(const checked_value& kind) {
    std::vector<std::string> names;
    for (const fault_kind& known : kinds_) {
      if (known.name == kind.text()) return &known;
      names.push_back(known.name);
    }
    if (kind.is_given() && kind.is_valid()) {
      report(kind, "E130", kind.path() + ": there is no fault kind '" + kind.text() + "'",
             "kinds: " + join(names), did_you_mean(kind.text(), names));
    }
    return nullptr;
  }

  // "steady+2s" or "steady"
  void read_time(const checked_value& at, fault_recipe& recipe) {
    if (!at.is_given() || !at.is_valid()) return;
    const std::size_t plus = at.text().find('+');
    recipe.phase = at.text().substr(0, plus);
    std::vector<std::string> names;
    const phase_recipe* phase = nullptr;
    for (const phase_recipe& known : phases_) {
      names.push_back(known.name);
      if (known.name == recipe.phase) phase = &known;
    }
    if (!phase) {
      report(at, "E130", at.path() + ": there is no phase '" + recipe.phase + "'",
             "write PHASE+OFFSET, like steady+2s; phases: " + join(names),
             did_you_mean(recipe.phase, names));
      return;
    }
    if (plus != std::string::npos) {
      const std::string offset = at.text().substr(plus + 1);
      const parsed<nanoseconds> result = parse_duration(offset);
      if (!result.value) {
        report(at, "E110", at.path() + ": '" + offset + "' " + result.problem,
               example_of(value_type::duration));
        return;
      }
      recipe.offset = *result.value;
    }
    if (phase->duration == nanoseconds::zero()) return;  // its duration is wrong, and reported
    if (recipe.offset >= phase->duration) {
      report(at, "E132",
             at.path() + ": the phase '" + phase->name + "' is over after " +
                 format_duration(phase->duration),
             "start the fault earlier, or give the phase a longer duration");
    } else {
      has_time_ = true;
    }
  }

  void check_duration(const checked_value& from, const fault_kind& kind) {
    const checked_value& held = from["for"];
    if (kind.duration == duration_use::required && !held.is_given()) {
      report(from["kind"], "E132", from.path() + ": the kind '" + kind.name + "' needs a duration",
             "add for: 3s, or as long as it shall last");
    } else if (kind.duration == duration_use::forbidden && held.is_given()) {
      report(held, "E132", held.path() + ": the kind '" + kind.name + "' ends by itself",
             "remove for");
    }
  }

  void read_target(const checked_value& target, const fault_kind& kind, fault_recipe& recipe) {
    const checked_value& node = target["node"];
    if (kind.target == fault::target_kind::redis) {
      if (target.is_given()) {
        report(target, "E132", target.path() + ": the kind '" + kind.name + "' acts on Redis",
               "remove target");
      }
      return;
    }
    if (!node.is_given()) {
      for (std::size_t index = 0; index < nodes_; ++index) recipe.nodes.push_back(index);
    } else if (node.is_valid() && node.integer() > static_cast<std::int64_t>(nodes_)) {
      report(node, "E112", node.path() + ": there is no node " + std::to_string(node.integer()),
             "nodes: 1 to " + std::to_string(nodes_));
    } else if (node.is_valid()) {
      recipe.nodes.push_back(static_cast<std::size_t>(node.integer() - 1));
    }
  }

  void read_parameters(const checked_value& from, const fault_kind& kind, fault_recipe& recipe) {
    std::vector<std::string> names;
    for (const parameter& known : kind.parameters) names.push_back(known.name);
    for (const auto& [name, value] : from["with"].members()) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      is_sound_ = false;
      problems_.add(value.key_problem(
          "E102", "unknown parameter '" + name + "' of the kind '" + kind.name + "'",
          names.empty() ? "it has no parameters" : "allowed: " + join(names),
          did_you_mean(name, names)));
    }
    for (const parameter& known : kind.parameters) read_parameter(from, known, recipe);
  }

  void read_parameter(const checked_value& from, const parameter& known, fault_recipe& recipe) {
    const checked_value* given = nullptr;
    for (const auto& [name, value] : from["with"].members()) {
      if (name == known.name) given = &value;
    }
    if (!given && known.default_text.empty()) {
      report(from["kind"], "E106",
             "missing parameter '" + known.name + "' in " + from.path() + ".with", known.doc);
      return;
    }
    if (given && !given->is_valid()) return;
    const std::string& text = given ? given->text() : known.default_text;
    parsed<std::string> result = canonical(known, text);
    if (result.value) {
      recipe.with[known.name] = std::move(*result.value);
    } else if (given) {
      report(*given, "E110", given->path() + ": '" + text + "' " + result.problem,
             known.allowed.empty() ? example_of(type_of(known.type))
                                   : "allowed: " + join(known.allowed),
             did_you_mean(text, known.allowed));
    }
  }

  // A fault must be over when the declared phases are.
  void check_end(const checked_value& from, const fault_recipe& recipe) {
    if (!has_time_ || !recipe.held) return;
    nanoseconds left = -recipe.offset;
    bool has_begun = false;
    for (const phase_recipe& phase : phases_) {
      has_begun = has_begun || phase.name == recipe.phase;
      if (has_begun) left += phase.duration;
    }
    if (*recipe.held <= left) return;
    report(from["for"], "E132", from.path() + " lasts longer than the declared phases",
           "at most " + format_duration(left) + " is left from " + from["at"].text() +
               "; lengthen the phase or shorten the fault");
  }

  // Values that are each allowed and do not go together; the kind itself knows.
  void check_combination(const checked_value& from, const fault_kind& kind,
                         const fault_recipe& recipe) {
    fault::fault_spec spec;
    spec.name = recipe.name;
    spec.kind = recipe.kind;
    spec.nodes = recipe.nodes;
    spec.held = recipe.held;
    spec.with = recipe.with;
    for (const parameter& known : kind.parameters) {
      if (!spec.with.contains(known.name)) return;  // reported already, by the schema
    }
    const std::string problem = kind.validate(spec);
    if (!problem.empty())
      report(from["kind"], "E132", from.path() + ": " + problem,
             "`ordeal explain " + kind.name + "` shows its parameters");
  }

  const std::vector<phase_recipe>& phases_;
  std::size_t nodes_;
  const std::vector<fault_kind>& kinds_;
  problem_list& problems_;
  // Of the fault being read:
  bool has_time_ = false;
  bool is_sound_ = true;
};

}  // namespace

std::vector<fault_recipe> load_faults(const checked_value& list,
                                      const std::vector<phase_recipe>& phases, std::size_t nodes,
                                      const std::vector<fault_kind>& kinds,
                                      problem_list& problems) {
  std::vector<fault_recipe> recipes;
  fault_reader reader(phases, nodes, kinds, problems);
  for (const checked_value& item : list.items()) recipes.push_back(reader.read(item));
  return recipes;
}

}  // namespace ordeal::harness
