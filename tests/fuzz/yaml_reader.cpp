// Whatever a file holds, there is a tree within its bounds or a problem that can be shown; every
// place is in the file.
#include <algorithm>

#include "harness/scenario/problem_list.h"
#include "harness/scenario/yaml_reader.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::harness;

constexpr std::size_t depth_max = 32;

std::size_t check_tree(const yaml_value& value, std::size_t line_count, std::size_t depth) {
  ORDEAL_ASSERT(depth <= depth_max);
  ORDEAL_ASSERT(value.line >= 1 && value.line <= line_count && value.column >= 1);
  ORDEAL_ASSERT(value.items.empty() || value.kind == yaml_kind::list);
  ORDEAL_ASSERT(value.members.empty() || value.kind == yaml_kind::map);
  ORDEAL_ASSERT(value.text.empty() || value.kind == yaml_kind::scalar);
  std::size_t count = 1;
  for (const yaml_value& item : value.items) count += check_tree(item, line_count, depth + 1);
  for (const yaml_member& member : value.members) {
    ORDEAL_ASSERT(value.find_member(member.key.text) == &member);
    count += check_tree(member.value, line_count, depth + 1);
  }
  return count;
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string text(text_of(bytes, size));
  // A carriage return alone ends a line for yaml-cpp.
  const auto is_end = [](char c) { return c == '\n' || c == '\r'; };
  const auto line_count =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_end)) + 1;
  const yaml_document document = read_yaml(text, "fuzz.yaml");
  if (document.root) {
    const std::size_t count = check_tree(*document.root, line_count, 0);
    ORDEAL_ASSERT(count <= 20'000);
  }
  for (const diagnostic& problem : document.problems) {
    ORDEAL_ASSERT(!problem.message.empty() && problem.where.line <= line_count);
  }
  const std::string shown = render_all(document.problems, text);
  ORDEAL_ASSERT(shown.empty() == document.problems.empty());
  return 0;
}
