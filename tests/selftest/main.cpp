// ordeal-selftest: all trials at once, a few side by side, as one table. Exits 1 when a verdict is wrong.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <list>
#include <string>
#include <vector>

#include "tests/selftest/planted_node/bug_table.h"
#include "tests/selftest/trial.h"

namespace ordeal::selftest {
namespace {

struct options {
  std::vector<std::string> only;
  std::size_t jobs = 2;
  bool has_long = false;
  bool is_markdown = false;
  std::string keep;
};

bool is_chosen(const trial_spec& spec, const options& chosen) {
  const auto is_named = [&](const std::string& name) {
    return name == name_of(spec) || name == spec.bug->name;
  };
  if (!chosen.only.empty()) return std::any_of(chosen.only.begin(), chosen.only.end(), is_named);
  return chosen.has_long || !is_long(spec);
}

struct running {
  running(const trial_spec& chosen, const std::string& keep) : spec(chosen), run(chosen, keep) {}

  trial_spec spec;
  trial run;
};

bool may_start(const trial_spec& next, const std::list<running>& under_way, std::size_t jobs) {
  if (under_way.empty()) return true;
  return under_way.size() < jobs && !next.bug->is_alone && !under_way.front().spec.bug->is_alone;
}

// True when the verdict is right.
bool report(running& ended, bool is_verbose) {
  const trial_result found = ended.run.result();
  std::cout << table_row(*ended.spec.bug, ended.spec.scenario, found) << std::endl;
  const bool is_right = complaint_about(*ended.spec.bug, found).empty();
  if (!is_right && is_verbose) std::cerr << found.output;
  return is_right;
}

int run_all(const options& chosen) {
  std::vector<trial_spec> waiting;
  for (const trial_spec& each : all_trials()) {
    if (is_chosen(each, chosen)) waiting.push_back(each);
  }
  if (waiting.empty()) {
    std::cerr << "ordeal-selftest: no such bug; planted_node --list-bugs prints what there is\n";
    return 2;
  }
  const std::size_t trial_count = waiting.size();
  std::reverse(waiting.begin(), waiting.end());
  std::cout << table_head() << std::endl;
  std::list<running> under_way;
  std::size_t wrong_count = 0;
  while (!waiting.empty() || !under_way.empty()) {
    while (!waiting.empty() && may_start(waiting.back(), under_way, chosen.jobs)) {
      under_way.emplace_back(waiting.back(), chosen.keep);
      waiting.pop_back();
    }
    const auto ended = std::find_if(under_way.begin(), under_way.end(),
                                    [](running& each) { return each.run.has_ended(); });
    if (ended == under_way.end()) {
      test::pause_between_polls();
      continue;
    }
    if (!report(*ended, !chosen.only.empty())) ++wrong_count;
    under_way.erase(ended);
  }
  std::cout << trial_count << " trials, " << wrong_count << " wrong verdicts\n";
  return wrong_count == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ordeal::selftest

int main(int count, char** arguments) {
  ordeal::selftest::options chosen;
  CLI::App app("Every planted bug must be convicted as what it is.", "ordeal-selftest");
  app.add_option("--only", chosen.only, "these bugs, or none_SCENARIO")->delimiter(',');
  app.add_option("--jobs", chosen.jobs, "trials side by side")->check(CLI::Range(1, 16));
  app.add_flag("--long", chosen.has_long, "also those that take minutes");
  app.add_option("--keep", chosen.keep, "a directory for the results of the runs");
  app.add_flag("--markdown", chosen.is_markdown, "print the table of docs/planted-bugs.md and end");
  CLI11_PARSE(app, count, arguments);
  if (chosen.is_markdown) {
    std::cout << ordeal::planted::markdown_table();
    return 0;
  }
  try {
    return ordeal::selftest::run_all(chosen);
  } catch (const std::exception& failure) {
    std::cerr << "ordeal-selftest: " << failure.what() << '\n';
    return 2;
  }
}
