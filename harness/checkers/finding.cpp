#include "harness/checkers/finding.h"

namespace ordeal::harness {

const char* name_of(finding_kind kind) {
  switch (kind) {
    case finding_kind::lost:
      return "lost";
    case finding_kind::duplicate:
      return "duplicate";
    case finding_kind::reordered:
      return "reordered";
    case finding_kind::diverged:
      return "diverged";
    case finding_kind::phantom:
      return "phantom";
    case finding_kind::corrupt:
      return "corrupt";
    case finding_kind::misdelivered:
      return "misdelivered";
    case finding_kind::false_ack:
      return "false_ack";
    case finding_kind::late:
      return "late";
    case finding_kind::stuck:
      return "stuck";
    case finding_kind::silent_loss:
      return "silent_loss";
    case finding_kind::node_exit:
      return "node_exit";
    case finding_kind::leak:
      return "leak";
  }
  return "unknown";
}

const char* name_of(verdict value) {
  switch (value) {
    case verdict::pass:
      return "pass";
    case verdict::fail:
      return "fail";
    case verdict::inconclusive:
      return "inconclusive";
    case verdict::error:
      return "error";
    case verdict::skipped:
      return "skipped";
  }
  return "unknown";
}

}  // namespace ordeal::harness
