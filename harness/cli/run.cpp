#include "harness/cli/verbs.h"

namespace ordeal::harness {

exit_code run_verb(const request& what, const world& where) {
  run_options options = what.run;
  options.files = expand_files(what.run.files, where);
  if (options.files.empty()) return exit_code::nothing_ran;
  return where.run_scenarios(options);
}

}  // namespace ordeal::harness
