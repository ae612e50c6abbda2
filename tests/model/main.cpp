// ordeal-model: the model's walks and explorations by hand.
//   ordeal-model walk SEED STEPS [WITHOUT...]   WITHOUT: actions that are left out, e.g. lose_key
//   ordeal-model explore [NAME]                 the scopes of the long form
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "tests/model/explore.h"
#include "tests/model/scopes.h"

namespace {

using namespace ordeal::chat::model;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int run_walks(std::uint64_t seed, std::uint64_t steps, const std::vector<std::string>& without) {
  world_options base = all_faults();
  for (const std::string& name : without) {
    for (int i = 0; i < action_count; ++i) {
      const auto bound = limit_of(static_cast<action>(i));
      if (bound && name == name_of(static_cast<action>(i)))
        base.bounds = base.bounds.with(*bound, 0);
    }
  }
  walk_tally tally;
  const auto start = std::chrono::steady_clock::now();
  const counterexample found = walk_many(seed, base, steps, tally);
  std::cout << tally.text() << " in " << seconds_since(start) << " s\n" << found.text();
  return found.violation.empty() ? 0 : 1;
}

int run_scopes(const std::string& name) {
  int failures = 0;
  for (const scope& each : long_scopes()) {
    if (!name.empty() && each.name != name) continue;
    const auto start = std::chrono::steady_clock::now();
    const exploration done = explore(each);
    std::cout << each.name << " (" << each.options.bounds.text() << "): " << done.text() << " in "
              << seconds_since(start) << " s\n"
              << done.found.text() << std::flush;
    failures += done.found.violation.empty() ? 0 : 1;
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 3 && words[0] == "walk") {
    return run_walks(std::strtoull(words[1].c_str(), nullptr, 10),
                     std::strtoull(words[2].c_str(), nullptr, 10),
                     {words.begin() + 3, words.end()});
  }
  if (!words.empty() && words[0] == "explore") return run_scopes(words.size() > 1 ? words[1] : "");
  std::cerr << "usage: ordeal-model walk SEED STEPS [WITHOUT...] | explore [NAME]\n";
  return 2;
}
