#include "harness/cli/verbs.h"

namespace ordeal::harness {

exit_code version_verb(const request& what, const world& where) {
  if (what.run.format == output_format::json) {
    where.out << R"({"version":")" ORDEAL_VERSION R"(","schema_version":1})"
              << "\n";
  } else {
    where.out << "ordeal " ORDEAL_VERSION ", schema version 1\n";
  }
  return exit_code::pass;
}

}  // namespace ordeal::harness
