#include "harness/cli/verbs.h"

namespace ordeal::harness {

exit_code history_verb(const request& what, const world& where) {
  show_history_options options = what.history;
  options.run = what.subject;
  return where.show_history(options);
}

}  // namespace ordeal::harness
