#include "harness/scenario/scenario_loader.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "fault-injection/redis/redis_config.h"
#include "harness/scenario/checked_document.h"
#include "harness/scenario/fault_loader.h"
#include "harness/scenario/glossary.h"
#include "harness/scenario/problem_list.h"
#include "harness/scenario/spelling.h"
#include "harness/scenario/user_file.h"
#include "harness/scenario/values.h"
#include "harness/scenario/yaml_reader.h"

namespace ordeal::harness {
namespace {

constexpr std::int64_t payload_bytes_max = 1 << 20;

const std::vector<std::string> engine_phases{"setup", "recovery", "drain", "probe", "finished"};

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

bool is_path(const std::string& target) {
  return target.find('/') != std::string::npos || target.ends_with(".yaml") ||
         target.ends_with(".yml");
}

std::string beside(const std::string& file, const std::string& path) {
  return (std::filesystem::absolute(file).parent_path() / path).lexically_normal().string();
}

// vars of the file, replaced by --set; first step of loading, since everything else may use them.
class variables {
 public:
  variables(const yaml_value& root, const std::string& file, const scenario_inputs& inputs,
            problem_list& problems)
      : environment_(inputs.environment ? inputs.environment : process_environment) {
    const yaml_member* declared = root.find_member("vars");
    if (declared) declare(declared->value, file, inputs, problems);
    for (const auto& [name, value] : inputs.variables) {
      if (!values_.contains(name)) report_unknown(name, file, problems);
    }
  }

  std::optional<std::string> value_of(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? environment_(name) : std::optional<std::string>(found->second);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, value] : values_) all.push_back(name);
    return all;
  }

 private:
  void declare(const yaml_value& declared, const std::string& file, const scenario_inputs& inputs,
               problem_list& problems) {
    const auto problem_at = [&](const yaml_value& at, std::string code, std::string message,
                                std::string remedy) {
      problems.add({{file, at.line, at.column},
                    std::move(message),
                    std::move(code),
                    at.length,
                    {},
                    std::move(remedy)});
    };
    for (const auto& [key, value] : declared.members) {
      if (!is_identifier(key.text)) {
        problem_at(key, "E110", "vars: '" + key.text + "' is not a name",
                   example_of(value_type::identifier));
      }
      const expansion expanded =
          expand_template(value.text, [this](const std::string& name) { return value_of(name); });
      for (const std::string& name : expanded.unknown) {
        problem_at(value, "E120", "vars." + key.text + ": variable '" + name + "' has no value",
                   "a variable may use those above it and the environment; or write ${" + name +
                       ":-default}");
      }
      const auto replaced =
          std::find_if(inputs.variables.rbegin(), inputs.variables.rend(),
                       [&name = key.text](const auto& set) { return set.first == name; });
      values_[key.text] = replaced == inputs.variables.rend() ? expanded.text : replaced->second;
    }
  }

  void report_unknown(const std::string& name, const std::string& file, problem_list& problems) {
    diagnostic problem;
    problem.where.file = file;
    problem.message = "--set " + name + ": the scenario has no such variable";
    problem.code = "E122";
    problem.suggestion = did_you_mean(name, names());
    problem.remedy = values_.empty() ? "it declares no vars" : "vars: " + join(names());
    problems.add(std::move(problem));
  }

  variable_lookup environment_;
  std::map<std::string, std::string> values_;
};

class scenario_reader {
 public:
  scenario_reader(const checked_value& root, const std::string& file,
                  const std::vector<fault::fault_kind>& kinds, const scenario_inputs& inputs,
                  problem_list& problems)
      : root_(root), file_(file), kinds_(kinds), inputs_(inputs), problems_(problems) {}

  scenario read() {
    scenario result;
    result.file = file_;
    result.name = root_["name"].text();
    result.description = root_["description"].text();
    result.tags = root_["tags"].texts();
    result.required_capabilities = root_["requires"]["capabilities"].texts();
    if (root_["seed"].is_given()) result.seed = static_cast<std::uint64_t>(root_["seed"].integer());
    refuse_unsupported();
    read_redis(result.redis);
    read_target(result);
    read_load(result.load, result.nodes);
    read_phases(result.phases);
    result.faults = load_faults(root_["faults"], result.phases, result.nodes, kinds_, problems_);
    check_unique(root_["faults"], "fault");
    for (const checked_value& item : root_["expect"].items()) read_expectation(item, result);
    return result;
  }

 private:
  void report(const checked_value& at, std::string code, std::string message,
              std::string remedy = {}, std::string suggestion = {}) {
    problems_.add(
        at.problem(std::move(code), std::move(message), std::move(remedy), std::move(suggestion)));
  }

  void refuse_unsupported() {
    if (root_["include"].is_given())
      report(root_["include"], "E140", "include is not supported yet",
             "write the keys into this file");
    if (root_["outputs"].is_given()) {
      report(root_["outputs"], "E140", "outputs is not supported yet",
             "the results directory always has summary.json and junit.xml; --junit FILE puts a "
             "copy elsewhere");
    }
  }

  // What stands in the file but has no place there.
  void refuse(const checked_value& value, const std::string& why) {
    if (value.is_given()) report(value, "E132", value.path() + " " + why, "remove it");
  }

  void read_redis(redis_recipe& redis) {
    const checked_value& from = root_["backplane"]["redis"];
    redis.mode = static_cast<redis_mode>(from["mode"].choice());
    redis.topology = static_cast<redis_topology>(from["topology"].choice());
    redis.persistence = static_cast<fault::redis_persistence>(from["persistence"].choice());
    if (redis.topology != redis_topology::standalone) {
      report(from["topology"], "E140",
             "topology '" + from["topology"].text() + "' is not supported yet", "use standalone");
    }
    if (from["tls"].is_given())
      report(from["tls"], "E140", "tls is not supported yet", "remove it");
    if (redis.mode == redis_mode::managed) {
      for (const char* key : {"url", "password", "allow_faults"})
        refuse(from[key], "is for mode: external");
      read_server(from, redis);
      redis.has_password = from["auth"].is_given();
      redis.user = from["auth"]["user"].text();
    } else {
      for (const char* key : {"persistence", "auth", "server", "config"})
        refuse(from[key], "is for mode: managed");
      read_external(from, redis);
    }
  }

  void read_server(const checked_value& from, redis_recipe& redis) {
    const checked_value& server = from["server"];
    redis.server = server.text();
    if (redis.server.empty())
      report(server, "E110", "backplane.redis.server is empty", "like valkey-server");
    if (redis.server.find('/') != std::string::npos) redis.server = beside(file_, redis.server);
    for (const auto& [name, value] : from["config"].members()) {
      if (!value.is_valid()) continue;
      const fault::redis_directive directive{name, value.text()};
      const std::string reason = fault::why_refused(directive);
      if (!reason.empty()) {
        problems_.add(
            value.key_problem("E132", value.path() + " is refused: " + reason, "remove it"));
      }
      redis.directives.push_back(directive);
      redis.directives_where.push_back(value.where());
    }
  }

  void read_external(const checked_value& from, redis_recipe& redis) {
    const checked_value& url = from["url"];
    redis.url = url.text();
    if (!url.is_given()) {
      report(from["mode"], "E106", "missing key 'url' in backplane.redis",
             "mode: external needs the address of the Redis");
    } else if (redis.url.starts_with("rediss://") || redis.url.starts_with("rediss+sentinel://")) {
      // Ordeal's links stand between the nodes and Redis, and their taps read what passes.
      report(url, "E140", "TLS to an external Redis is not supported yet", "use redis://");
    } else if (redis.url.starts_with("redis+sentinel://")) {
      report(url, "E140", "an external Redis behind sentinels is not supported yet",
             "use redis:// with the address of the master");
    } else if (!redis.url.starts_with("redis://")) {
      report(url, "E110", "backplane.redis.url is not a Redis address",
             "like redis://user@host:6379/0");
    } else if (const std::size_t at = redis.url.rfind('@');
               at != std::string::npos && redis.url.find(':', redis.url.find("//") + 2) < at) {
      report(url, "E210", "backplane.redis.url holds a literal password",
             "write password: { secret: NAME } and declare NAME in secrets; the value is not shown "
             "here");
    }
    for (const checked_value& item : from["allow_faults"].items()) {
      redis.allowed_faults.push_back(static_cast<fault::fault_class>(item.choice()));
    }
    const std::map<std::string, secret_source> secrets = read_secrets();
    const checked_value& secret = from["password"]["secret"];
    if (!secret.is_given() || !secret.is_valid()) return;
    const auto found = secrets.find(secret.text());
    if (found != secrets.end()) {
      redis.has_password = true;
      redis.password = found->second;
      return;
    }
    std::vector<std::string> names;
    for (const auto& [name, source] : secrets) names.push_back(name);
    report(secret, "E130", "there is no secret '" + secret.text() + "'",
           names.empty() ? "declare it in secrets" : "secrets: " + join(names),
           did_you_mean(secret.text(), names));
  }

  std::map<std::string, secret_source> read_secrets() {
    std::map<std::string, secret_source> secrets;
    for (const auto& [name, from] : root_["secrets"].members()) {
      if (!from.is_valid()) continue;
      secret_source& source = secrets[name];
      const bool has_env = from["from_env"].is_given();
      const bool has_file = from["from_file"].is_given();
      source.from_env = from["from_env"].text();
      if (has_file) source.from_file = beside(file_, from["from_file"].text());
      if (has_env == has_file) {
        report(from, "E132", from.path() + " needs one of from_env and from_file",
               "use { from_env: NAME } or { from_file: PATH }");
      }
    }
    return secrets;
  }

  void read_target(scenario& result) {
    const checked_value& name = root_["target"]["name"];
    result.descriptors_max =
        static_cast<std::uint64_t>(root_["target"]["limits"]["descriptors"].integer());
    result.nodes = static_cast<std::size_t>(root_["target"]["nodes"].integer());
    if (inputs_.target) {
      result.target_name = *inputs_.target;
      return;
    }
    result.target_name = is_path(name.text()) ? beside(file_, name.text()) : name.text();
    if (!name.is_given() || !name.is_valid() || is_path(name.text()) || !inputs_.known_targets)
      return;
    const std::vector<std::string>& known = *inputs_.known_targets;
    if (std::find(known.begin(), known.end(), name.text()) != known.end()) return;
    report(name, "E130", "there is no target '" + name.text() + "'",
           (known.empty() ? "no targets were found; set ORDEAL_SHARE to the folder that holds them"
                          : "targets: " + join(known)) +
               "; or write the path of a target file",
           did_you_mean(name.text(), known));
  }

  void read_payload(const checked_value& from, payload_recipe& payload) {
    payload.content = static_cast<payload_content>(from["content"].choice());
    const checked_value& size = from["size"];
    if (!size.is_valid()) return;
    const std::string& text = size.text();
    const std::size_t dots = text.find("..");
    const parsed<std::int64_t> least = parse_size(text.substr(0, dots));
    const parsed<std::int64_t> most =
        dots == std::string::npos ? least : parse_size(text.substr(dots + 2));
    const std::string& problem = least.value ? most.problem : least.problem;
    if (!least.value || !most.value) {
      report(size, "E110", size.path() + ": '" + text + "' " + problem,
             "like 128B, 64KiB (1024), or 64B..16KiB for sizes in between");
    } else if (*least.value < 1 || *most.value > payload_bytes_max) {
      report(size, "E112", size.path() + ": " + text + " is out of range", "1B to 1MiB");
    } else if (*least.value > *most.value) {
      report(size, "E112", size.path() + ": " + text + " goes down", "the smaller one comes first");
    } else {
      payload.bytes_min = static_cast<std::size_t>(*least.value);
      payload.bytes_max = static_cast<std::size_t>(*most.value);
    }
  }

  void read_load(load_recipe& load, std::size_t nodes) {
    const checked_value& from = root_["load"];
    const checked_value& clients = from["clients"];
    load.rooms = static_cast<std::size_t>(from["rooms"].integer());
    load.clients_per_node = static_cast<std::size_t>(clients["per_node"].integer());
    load.rooms_each = static_cast<std::size_t>(clients["rooms_each"].integer());
    load.ramp = clients["ramp"].duration();
    load.reconnect_anywhere = clients["reconnect"].text() == "any";
    load.answer_timeout = from["client"]["answer_timeout"].duration();
    const checked_value& silence = from["client"]["silence_timeout"];
    if (silence.is_given()) load.silence_timeout = silence.duration();
    const checked_value& rate = from["publish"]["rate"];
    load.send_period = rate.duration();
    if (rate.is_valid() && load.send_period.count() == 0) {
      report(
          rate, "E112", rate.path() + ": " + rate.text() + " is out of range",
          "at least one message an hour; a phase alone may be silent: phases[].publish.rate: 0/s");
    }
    read_payload(from["publish"]["payload"], load.payload);
    load.arrival = static_cast<arrival_kind>(from["publish"]["arrival"].choice());
    const bool is_sound = from["rooms"].is_valid() && clients["rooms_each"].is_valid() &&
                          clients["per_node"].is_valid();
    if (is_sound && load.rooms_each > load.rooms) {
      report(clients["rooms_each"], "E132",
             "load.clients.rooms_each: a client cannot join " + std::to_string(load.rooms_each) +
                 " of " + std::to_string(load.rooms) + (load.rooms == 1 ? " room" : " rooms"),
             "raise load.rooms or lower rooms_each");
    }
    const std::size_t seats = load.clients_per_node * load.rooms_each * nodes;
    if (is_sound && seats < load.rooms) {
      const checked_value& rooms = from["rooms"].is_given() ? from["rooms"] : clients["per_node"];
      report(rooms, "E132",
             "load.rooms: some of " + std::to_string(load.rooms) + " rooms would be empty",
             "at most nodes x per_node x rooms_each, here " + std::to_string(seats));
    }
  }

  void read_phases(std::vector<phase_recipe>& phases) {
    const checked_value& list = root_["phases"];
    if (list.is_given() && list.is_valid() && list.items().empty()) {
      report(list, "E132", "phases is empty",
             "declare at least one, like { name: steady, duration: 30s }");
    }
    for (const checked_value& item : list.items()) {
      const std::string& name = item["name"].text();
      phases.push_back({name, item["duration"].duration(), {}});
      const checked_value& rate = item["publish"]["rate"];
      if (rate.is_given() && rate.is_valid()) phases.back().send_period = rate.duration();
      if (std::find(engine_phases.begin(), engine_phases.end(), name) != engine_phases.end()) {
        report(item["name"], "E132",
               item["name"].path() + ": '" + name + "' is a phase of every run",
               "choose another name");
      }
    }
    check_unique(list, "phase");
  }

  void check_unique(const checked_value& list, const std::string& what) {
    std::map<std::string, std::size_t> first_lines;
    for (const checked_value& item : list.items()) {
      const checked_value& name = item["name"];
      if (!name.is_given() || !name.is_valid()) continue;
      const auto [first, is_new] = first_lines.emplace(name.text(), name.where().line);
      if (is_new) continue;
      report(name, "E131",
             name.path() + ": there are two " + what + "s named '" + name.text() + "'",
             "the first is in line " + std::to_string(first->second));
    }
  }

  void read_expectation(const checked_value& from, scenario& result) {
    expectation expected;
    expected.metric = from["metric"].text();
    expected.where = from.where();
    const metric_entry* metric = find_metric(expected.metric);
    if (!metric) {
      std::vector<std::string> names;
      for (const metric_entry& known : metric_entries()) names.emplace_back(known.name);
      if (from["metric"].is_given() && from["metric"].is_valid()) {
        report(from["metric"], "E130",
               from["metric"].path() + ": there is no metric '" + expected.metric + "'",
               "metrics: " + join(names), did_you_mean(expected.metric, names));
      }
      return;
    }
    read_stat(from, *metric, expected);
    read_scope(from, *metric, result, expected);
    expected.max = read_bound(from["max"], *metric);
    expected.min = read_bound(from["min"], *metric);
    if (from.is_valid() && !from["max"].is_given() && !from["min"].is_given()) {
      report(from["metric"], "E132", from.path() + " has no bound", "add max or min");
    }
    result.expectations.push_back(std::move(expected));
  }

  void read_stat(const checked_value& from, const metric_entry& metric, expectation& expected) {
    const checked_value& stat = from["stat"];
    expected.stat =
        stat.is_given() ? static_cast<expected_stat>(stat.choice()) : default_stat(metric);
    if (!stat.is_given() || !stat.is_valid() || has_stat(metric, expected.stat)) return;
    const bool is_count = metric.unit == metric_unit::count;
    report(stat, "E132", stat.path() + ": '" + expected.metric + "' has no " + stat.text(),
           is_count ? "it is a count: remove stat" : "use max, min, p50, p95 or p99");
  }

  void read_scope(const checked_value& from, const metric_entry& metric, const scenario& result,
                  expectation& expected) {
    expected.when = from["when"].text();
    expected.fault = from["fault"].text();
    std::vector<std::string> phases, faults;
    for (const phase_recipe& phase : result.phases) phases.push_back(phase.name);
    for (const fault_recipe& fault : result.faults) faults.push_back(fault.name);
    check_scope(from["when"], metric.has_phase, expected.metric, "phase", phases);
    check_scope(from["fault"], metric.has_fault, expected.metric, "fault", faults);
  }

  void check_scope(const checked_value& scope, bool is_possible, const std::string& metric,
                   const std::string& what, const std::vector<std::string>& names) {
    if (!scope.is_given() || !scope.is_valid()) return;
    if (!is_possible) {
      report(scope, "E132", scope.path() + ": '" + metric + "' is not measured by " + what,
             "remove it");
    } else if (std::find(names.begin(), names.end(), scope.text()) == names.end()) {
      report(scope, "E130", scope.path() + ": there is no " + what + " '" + scope.text() + "'",
             names.empty() ? "there are none" : what + "s: " + join(names),
             did_you_mean(scope.text(), names));
    }
  }

  std::optional<double> read_bound(const checked_value& bound, const metric_entry& metric) {
    if (!bound.is_given() || !bound.is_valid()) return {};
    if (metric.unit == metric_unit::seconds) {
      const parsed<std::chrono::nanoseconds> value = parse_duration(bound.text());
      if (value.value) return std::chrono::duration<double>(*value.value).count();
      report(bound, "E110", bound.path() + ": '" + bound.text() + "' " + value.problem,
             example_of(value_type::duration));
    } else {
      const parsed<std::int64_t> value = parse_integer(bound.text());
      if (value.value) return static_cast<double>(*value.value);
      report(bound, "E110", bound.path() + ": '" + bound.text() + "' " + value.problem,
             example_of(value_type::integer));
    }
    return {};
  }

  const checked_value& root_;
  const std::string& file_;
  const std::vector<fault::fault_kind>& kinds_;
  const scenario_inputs& inputs_;
  problem_list& problems_;
};

}  // namespace

loaded_scenario parse_scenario(const std::string& text, const std::string& file,
                               const std::vector<fault::fault_kind>& kinds,
                               const scenario_inputs& inputs) {
  loaded_scenario result;
  result.text = text;
  problem_list problems;
  yaml_document document = read_yaml(text, file);
  for (diagnostic& problem : document.problems) problems.add(std::move(problem));
  if (!document.root && problems.is_empty()) {
    problems.add({{file, 0, 0},
                  "the file is empty",
                  "E105",
                  0,
                  {},
                  "`ordeal explain scenario` lists the keys"});
  }
  if (document.root) {
    const variables vars(*document.root, file, inputs, problems);
    check_options options;
    options.file = file;
    options.other = {{"driver", "launch", "protocol", "contract"},
                     "this is a target file, not a scenario",
                     "`ordeal conform FILE` tests the target; a scenario names it, target: { name: "
                     "FILE }, or --target FILE does"};
    options.value_of = [&vars](const std::string& name) { return vars.value_of(name); };
    options.known_variables = vars.names();
    const checked_value root = check_document(*document.root, scenario_schema(), options, problems);
    if (root.is_valid()) {
      scenario loaded = scenario_reader(root, file, kinds, inputs, problems).read();
      loaded.text = text;
      if (problems.is_empty()) result.value = std::move(loaded);
    }
  }
  result.problems = problems.sorted();
  return result;
}

loaded_scenario load_scenario(const std::string& path, const std::vector<fault::fault_kind>& kinds,
                              const scenario_inputs& inputs) {
  problem_list problems;
  const std::optional<std::string> text = read_user_file(path, problems);
  if (text) return parse_scenario(*text, path, kinds, inputs);
  loaded_scenario result;
  result.problems = problems.sorted();
  return result;
}

}  // namespace ordeal::harness
