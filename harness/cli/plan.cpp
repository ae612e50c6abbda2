#include "harness/scenario/plan.h"
#include "harness/scenario/fit.h"

#include "harness/cli/verbs.h"
#include "harness/scenario/problem_list.h"
#include "harness/target/target_loader.h"

namespace ordeal::harness {

exit_code plan_verb(const request& what, const world& where) {
  loaded_scenario from =
      load_scenario(find_scenario(what.subject, where), where.fault_kinds, inputs_of(what, where));
  if (!from.value) {
    where.err << render_all(from.problems, from.text);
    return exit_code::invalid_file;
  }
  loaded_target with = load_target(from.value->target_name, where.share, where.drivers);
  if (!with.value) {
    where.err << render_all(with.problems, with.text);
    return exit_code::invalid_file;
  }
  const std::vector<diagnostic> problems = misfits(*from.value, *with.value);
  if (!problems.empty()) {
    where.err << render_all(problems, from.text);
    return exit_code::invalid_file;
  }
  const std::uint64_t drawn = net::random_seed() >> 33;  // short enough to type again
  const std::uint64_t seed = what.run.seed ? *what.run.seed : from.value->seed.value_or(drawn);
  plan result =
      make_plan(std::move(*from.value), std::move(*with.value), seed, std::string(8, '0'));
  if (what.run.is_strict) result.promises = strict_contract();
  where.out << (what.run.format == output_format::json ? render_json(result) : render_text(result));
  return exit_code::pass;
}

}  // namespace ordeal::harness
