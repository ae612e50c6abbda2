// The words users meet: checks, metrics, findings, verdicts, exit codes. `list` and `explain` print
// them, the scenario loader checks expectations against them. Constant tables, any thread.
#pragma once

#include <span>
#include <string_view>

#include "harness/scenario/scenario.h"

namespace ordeal::harness {

struct glossary_entry {
  std::string_view name;
  std::string_view doc;
};

std::span<const glossary_entry> check_entries();
std::span<const glossary_entry> finding_entries();
std::span<const glossary_entry> verdict_entries();
std::span<const glossary_entry> exit_code_entries();

enum class metric_unit { seconds, count };

// What `expect` can bound.
struct metric_entry {
  std::string_view name;
  metric_unit unit = metric_unit::count;
  bool has_phase = false;  // `when` makes sense
  bool has_fault = false;  // `fault` makes sense
  std::string_view doc;
};
std::span<const metric_entry> metric_entries();
const metric_entry* find_metric(std::string_view name);

// The bound's stat when the file names none.
expected_stat default_stat(const metric_entry& metric);
bool has_stat(const metric_entry& metric, expected_stat stat);

}  // namespace ordeal::harness
