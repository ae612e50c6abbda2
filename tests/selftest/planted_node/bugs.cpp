#include "tests/selftest/planted_node/bugs.h"

#include <algorithm>

namespace ordeal::planted {
namespace {

std::vector<bug_kind> gather() {
  std::vector<bug_kind> all = {{.name = "none", .sentence = "A correct node.", .make = make<bug>}};
  for (const auto& some :
       {delivery_bugs(), publishing_bugs(), resume_bugs(), connection_bugs(), resource_bugs()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace

const std::vector<bug_kind>& bug_kinds() {
  static const std::vector<bug_kind> all = gather();
  return all;
}

const bug_kind* find_bug(std::string_view name) {
  const auto& all = bug_kinds();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [name](const bug_kind& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace ordeal::planted
