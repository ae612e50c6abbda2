#include "harness/run/verify.h"

#include "harness/cli/verbs.h"

namespace ordeal::harness {

exit_code verify_verb(const request& what, const world& where) {
  verify_options options;
  options.run = what.subject;
  options.is_strict = what.run.is_strict;
  options.color = what.run.color;
  options.format = what.run.format;
  return where.verify_run(options);
}

}  // namespace ordeal::harness
