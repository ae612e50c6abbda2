#include <CLI/CLI.hpp>
#include <algorithm>

#include "harness/cli/verbs.h"
#include "harness/scenario/spelling.h"
#include "harness/scenario/values.h"

namespace ordeal::harness {
namespace {

// Flags whose words CLI11 reads as text; read_words() makes values of them.
struct flag_texts {
  std::string target, seed, as, progress, color, format, junit, results, history, limit;
  std::vector<std::string> variables;
};

// Prints flags as people write them: no "REQUIRED", no repeated environment names.
class help_format : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_type_name().empty() ? "" : " " + option->get_type_name();
  }
  std::string make_footer(const CLI::App*) const override {
    return "Each flag may also be set in the environment: --seed 7 is ORDEAL_SEED=7.\n";
  }
};

struct verb {
  const char* name;
  const char* doc;
  void (*define)(CLI::App&, request&, flag_texts&);
  exit_code (*run)(const request&, const world&);
};

void define_format(CLI::App& app, request&, flag_texts& texts) {
  app.add_option("--format", texts.format, "text or json; json keeps stdout pure")
      ->type_name("WORD");
}

void define_set(CLI::App& app, flag_texts& texts) {
  // One value a flag: otherwise the flag would swallow the files after it.
  app.add_option("--set", texts.variables, "replaces a variable of the scenario; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void define_as(CLI::App& app, flag_texts& texts) {
  app.add_option("--as", texts.as,
                 "strict: judge by the strict contract instead of the target's own")
      ->type_name("WORD");
}

void define_target_and_seed(CLI::App& app, flag_texts& texts) {
  app.add_option("--target", texts.target, "target to use instead of the scenario's")
      ->type_name("NAME|FILE");
  app.add_option("--seed", texts.seed, "seed of every random draw")->type_name("N");
  define_as(app, texts);
}

void define_color(CLI::App& app, flag_texts& texts) {
  app.add_option("--color", texts.color, "auto, always or never")->type_name("WORD");
}

void define_running(CLI::App& app, request& what, flag_texts& texts) {
  app.add_option("--results", texts.results, "folder for results; default results")
      ->type_name("DIR");
  app.add_option("--junit", texts.junit, "a copy of the JUnit report")->type_name("FILE");
  app.add_option("--history", texts.history,
                 "full, violations (what lies around findings) or none; `verify` needs full; "
                 "default full")
      ->type_name("WORD");
  app.add_option("--progress", texts.progress,
                 "auto, live, plain or none; auto is live on a terminal")
      ->type_name("WORD");
  define_color(app, texts);
  app.add_option("--log-level", what.run.log_level, "debug, info, warn, error or off; default warn")
      ->type_name("WORD");
  define_format(app, what, texts);
}

void define_run(CLI::App& app, request& what, flag_texts& texts) {
  app.add_option("FILE", what.run.files,
                 "scenario files, folders of them, or ids from `ordeal list scenarios`")
      ->required()
      ->type_name("...");
  define_target_and_seed(app, texts);
  define_set(app, texts);
  define_running(app, what, texts);
}

void define_conform(CLI::App& app, request& what, flag_texts& texts) {
  app.add_option("TARGET", what.subject, "name or file of a target")->required()->type_name("");
  app.add_option("--only", what.only, "only these: id, glob like 'outage/*', or tag")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  app.add_option("--skip", what.skip, "not these")->type_name("PATTERN")->allow_extra_args(false);
  app.add_option("--seed", texts.seed, "seed of every random draw")->type_name("N");
  define_as(app, texts);
  define_running(app, what, texts);
}

void define_verify(CLI::App& app, request& what, flag_texts& texts) {
  app.add_option("RUN", what.subject, "the directory of a run, such as results/latest")
      ->required()
      ->type_name("");
  define_as(app, texts);
  define_color(app, texts);
  define_format(app, what, texts);
}

void define_history(CLI::App& app, request& what, flag_texts& texts) {
  app.add_option("RUN", what.subject, "the directory of a run, such as results/latest")
      ->required()
      ->type_name("");
  filter_words& wanted = what.history.wanted;
  app.add_option("--from", wanted.from, "not before: seconds since the first phase began")
      ->type_name("SECONDS");
  app.add_option("--to", wanted.to, "not after")->type_name("SECONDS");
  app.add_option("--client", wanted.client, "what this client sent, got and did")
      ->type_name("client-N");
  app.add_option("--node", wanted.node, "what went through this node")->type_name("node-N");
  app.add_option("--message", wanted.message,
                 "the whole way of one message, as named in violations.jsonl: client-3#17@room-1")
      ->type_name("MESSAGE");
  app.add_option("--kind", wanted.kinds, "only these events, such as send_settled,delivered,tapped")
      ->type_name("EVENT,...");
  app.add_option("--limit", texts.limit, "stop after so many lines")->type_name("N");
}

void define_validate(CLI::App& app, request& what, flag_texts& texts) {
  app.add_option("FILE", what.run.files, "scenario or target files, or folders of them")
      ->required()
      ->type_name("...");
  define_set(app, texts);
  define_format(app, what, texts);
}

void define_plan(CLI::App& app, request& what, flag_texts& texts) {
  app.add_option("FILE", what.subject, "a scenario file, or an id from `ordeal list scenarios`")
      ->required()
      ->type_name("");
  define_target_and_seed(app, texts);
  define_set(app, texts);
  define_format(app, what, texts);
}

void define_list(CLI::App& app, request& what, flag_texts& texts) {
  app.add_option("WHAT", what.subject, "scenarios, targets, faults, checks, metrics or drivers")
      ->required()
      ->type_name("");
  define_format(app, what, texts);
}

void define_explain(CLI::App& app, request& what, flag_texts&) {
  app.add_option("ID", what.subject,
                 "a fault, check, metric, finding, verdict, exit code, or a key like faults[].at")
      ->required()
      ->type_name("");
}

constexpr verb verbs[] = {
    {"run", "run scenarios", define_run, run_verb},
    {"conform", "run the conformance suite against a target", define_conform, conform_verb},
    {"verify", "judge a stored run again, from its history", define_verify, verify_verb},
    {"history", "show what happened in a stored run, an event a line", define_history,
     history_verb},
    {"validate", "check scenario and target files; starts nothing", define_validate, validate_verb},
    {"plan", "show what a run would do: timeline, processes, clients, expected deliveries",
     define_plan, plan_verb},
    {"list", "list scenarios, targets, faults, checks, metrics or drivers", define_list, list_verb},
    {"explain", "explain a fault, check, metric, finding, exit code or file key", define_explain,
     explain_verb},
    {"version", "show the version", define_format, version_verb},
};

void print_help(std::ostream& out) {
  out << "Proves that a scaled-out real-time service keeps its messages.\n\nUsage: ordeal VERB "
         "[ARGUMENTS]\n\n";
  for (const verb& known : verbs) {
    const std::string name(known.name);
    out << "  " << name << std::string(10 - name.size(), ' ') << known.doc << "\n";
  }
  out << "\n`ordeal VERB --help` shows a verb's flags; each flag may also be set as "
         "ORDEAL_<FLAG>.\nStart with `ordeal run examples/first-look`; `ordeal explain 5` tells "
         "what exit code 5 means.\n";
}

const verb& find_verb(const std::string& name) {
  std::vector<std::string> names;
  for (const verb& known : verbs) {
    if (name == known.name) return known;
    names.emplace_back(known.name);
  }
  const std::string suggestion = did_you_mean(name, names);
  throw usage_error((name.starts_with('-') ? "unknown flag '" : "unknown verb '") + name + "'",
                    suggestion.empty() ? "verbs: " + join(names) : suggestion);
}

// CLI11 has no suggestions and reports unknown arguments in reverse order; so they are found before
// it looks.
void check_flags(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string& argument : arguments) {
    if (argument == "--") return;
    if (argument.size() < 2 || argument[0] != '-' || argument == "-h") continue;
    if (argument[1] >= '0' && argument[1] <= '9') continue;  // a number, for its flag to judge
    const std::string name = argument.substr(0, argument.find('='));
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string suggestion = did_you_mean(name, known);
    throw usage_error("unknown flag '" + name + "' of `ordeal " + app.get_name() + "`",
                      suggestion.empty() ? "flags: " + join(known) : suggestion);
  }
}

// "--log-level" is ORDEAL_LOG_LEVEL.
std::string environment_name(std::string_view flag) {
  std::string name = "ORDEAL_" + std::string(flag.substr(2));
  for (char& c : name)
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

void name_environment(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || option->get_lnames()[0] == "help") continue;
    option->envname(environment_name("--" + option->get_lnames()[0]));
  }
}

// A flag as the user gave it, for messages: "--seed", or "ORDEAL_SEED" when it came from there.
struct flag_source {
  const std::vector<std::string>& arguments;

  std::string operator()(const std::string& flag) const {
    const bool is_typed =
        std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
          return argument == flag || argument.starts_with(flag + "=");
        });
    return is_typed ? flag : environment_name(flag);
  }
};

// Index of a flag's word; 0 when the flag is absent.
std::size_t choose(const std::string& flag, const std::string& text,
                   const std::vector<std::string>& words) {
  if (text.empty()) return 0;
  const auto found = std::find(words.begin(), words.end(), text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const std::string suggestion = did_you_mean(text, words);
  throw usage_error(flag + ": '" + text + "' is not known",
                    suggestion.empty() ? "allowed: " + join(words) : suggestion);
}

std::pair<std::string, std::string> parse_assignment(const std::string& flag,
                                                     const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw usage_error(flag + ": '" + text + "' has no name or no '='", "--set nodes=5");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void read_words(const flag_texts& texts, const flag_source& source, request& what) {
  run_options& run = what.run;
  if (!texts.target.empty()) run.target = texts.target;
  if (!texts.seed.empty()) {
    const parsed<std::int64_t> seed = parse_integer(texts.seed);
    if (!seed.value)
      throw usage_error(source("--seed") + ": '" + texts.seed + "' " + seed.problem,
                        "decimal digits, like 42");
    run.seed = static_cast<std::uint64_t>(*seed.value);
  }
  if (!texts.limit.empty()) {
    const parsed<std::int64_t> limit = parse_integer(texts.limit);
    if (!limit.value || *limit.value == 0) {
      throw usage_error(source("--limit") + ": '" + texts.limit + "' is no number of lines",
                        "a whole number from 1");
    }
    what.history.limit = static_cast<std::uint64_t>(*limit.value);
  }
  if (!texts.results.empty()) run.results_dir = texts.results;
  run.junit_file = texts.junit;
  run.is_strict = choose(source("--as"), texts.as, {"own", "strict"}) == 1;
  run.history = static_cast<history_mode>(
      choose(source("--history"), texts.history, {"full", "violations", "none"}));
  run.progress = static_cast<progress_mode>(
      choose(source("--progress"), texts.progress, {"auto", "live", "plain", "none"}));
  run.color =
      static_cast<color_mode>(choose(source("--color"), texts.color, {"auto", "always", "never"}));
  run.format =
      static_cast<output_format>(choose(source("--format"), texts.format, {"text", "json"}));
  choose(source("--log-level"), run.log_level, {"debug", "info", "warn", "error", "off"});
  for (const std::string& text : texts.variables)
    run.variables.push_back(parse_assignment(source("--set"), text));
}

exit_code run_one(const verb& chosen, const std::vector<std::string>& arguments,
                  const world& where) {
  CLI::App app(chosen.doc, chosen.name);
  request what;
  flag_texts texts;
  chosen.define(app, what, texts);
  name_environment(app);
  check_flags(app, arguments);
  app.formatter(std::make_shared<help_format>());
  const std::string usage = "`ordeal " + std::string(chosen.name) + " --help` shows how it is used";
  try {
    // CLI11 wants them in reverse.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    std::string help = app.help();
    const std::string heading = "Usage: ";
    if (const std::size_t at = help.find(heading); at != std::string::npos)
      help.insert(at + heading.size(), "ordeal ");
    where.out << help;
    return exit_code::pass;
  } catch (const CLI::ExtrasError&) {
    throw usage_error("'" + app.remaining().front() + "' is one argument too many", usage);
  } catch (const CLI::ArgumentMismatch& ex) {
    const std::string message = ex.what();  // "--seed: 1 required N missing"
    const bool is_missing = message.find("missing") != std::string::npos;
    throw usage_error(message.substr(0, message.find(':')) +
                          (is_missing ? " needs a value" : " is given more than once"),
                      usage);
  } catch (const CLI::ParseError& ex) {
    throw usage_error(ex.what(), usage);
  }
  read_words(texts, flag_source{arguments}, what);
  return chosen.run(what, where);
}

}  // namespace

exit_code run_command_line(const std::vector<std::string>& arguments, const world& where) {
  try {
    if (arguments.empty()) {
      print_help(where.err);
      return exit_code::bad_command_line;
    }
    const std::string& first = arguments[0];
    if (first == "help" && arguments.size() > 1)
      return run_one(find_verb(arguments[1]), {"--help"}, where);
    if (first == "help" || first == "--help" || first == "-h") {
      print_help(where.out);
      return exit_code::pass;
    }
    const std::string name = first == "--version" ? "version" : first;
    return run_one(find_verb(name),
                   std::vector<std::string>(arguments.begin() + 1, arguments.end()), where);
  } catch (const usage_error& ex) {
    where.err << "error: " << ex.what() << "\n";
    if (!ex.remedy.empty()) where.err << "  = " << ex.remedy << "\n";
    return exit_code::bad_command_line;
  }
}

}  // namespace ordeal::harness
