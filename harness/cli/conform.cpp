#include <fnmatch.h>

#include <algorithm>

#include "harness/cli/verbs.h"
#include "harness/scenario/problem_list.h"
#include "harness/scenario/spelling.h"
#include "harness/target/target_loader.h"

namespace ordeal::harness {
namespace {

bool is_match(const std::string& pattern, const shipped_scenario& item) {
  return fnmatch(pattern.c_str(), item.id.c_str(), 0) == 0 ||
         std::find(item.tags.begin(), item.tags.end(), pattern) != item.tags.end();
}

bool is_any_match(const std::vector<std::string>& patterns, const shipped_scenario& item) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return is_match(pattern, item); });
}

// A pattern that fits nothing is a mistake worth a word, even when others select something.
void check_pattern(const std::string& pattern, const std::vector<shipped_scenario>& suite) {
  if (std::any_of(suite.begin(), suite.end(),
                  [&](const shipped_scenario& item) { return is_match(pattern, item); }))
    return;
  std::vector<std::string> known;
  for (const shipped_scenario& item : suite) {
    known.push_back(item.id);
    known.insert(known.end(), item.tags.begin(), item.tags.end());
  }
  const std::string suggestion = did_you_mean(pattern, known);
  throw usage_error("no conformance scenario has the id or tag '" + pattern + "'",
                    suggestion.empty() ? "`ordeal list scenarios` shows them" : suggestion);
}

}  // namespace

exit_code conform_verb(const request& what, const world& where) {
  const loaded_target target = load_target(what.subject, where.share, where.drivers);
  if (!target.value) {
    where.err << render_all(target.problems, target.text);
    return exit_code::invalid_file;
  }
  const std::vector<shipped_scenario> suite =
      shipped_scenarios(where.share / "scenarios/conformance", where);
  if (suite.empty()) {
    where.err << "error: there are no conformance scenarios in '"
              << (where.share / "scenarios/conformance").string()
              << "'\n  = set ORDEAL_SHARE to the folder that holds scenarios/ and targets/\n";
    return exit_code::nothing_ran;
  }
  for (const std::string& pattern : what.only) check_pattern(pattern, suite);
  for (const std::string& pattern : what.skip) check_pattern(pattern, suite);
  run_options options = what.run;
  options.target = what.subject;
  options.files.clear();
  for (const shipped_scenario& item : suite) {
    const bool is_wanted = what.only.empty() || is_any_match(what.only, item);
    if (is_wanted && !is_any_match(what.skip, item)) options.files.push_back(item.file);
  }
  if (options.files.empty()) {
    where.err
        << "error: nothing selected: --skip leaves none of the scenarios that --only selects\n";
    return exit_code::nothing_ran;
  }
  return where.run_scenarios(options);
}

}  // namespace ordeal::harness
