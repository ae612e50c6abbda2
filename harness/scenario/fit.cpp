#include "harness/scenario/fit.h"

#include "fault-injection/fault.h"

namespace ordeal::harness {

std::vector<diagnostic> misfits(const scenario& what, const target& with) {
  std::vector<diagnostic> found;
  if (with.has_backplane) return found;
  for (const fault_recipe& each : what.faults) {
    const fault::fault_kind* const kind = fault::find_kind(each.kind);
    if (kind == nullptr || kind->target == fault::target_kind::node) continue;
    diagnostic problem;
    problem.where = each.where;
    problem.message = "the fault '" + each.name + "' (" + each.kind +
                      ") breaks Redis or the way to it, and target '" + with.name +
                      "' declares `backplane: none`";
    problem.code = "E133";
    problem.remedy = "leave the fault out, or `backplane: none` in " + with.file;
    found.push_back(problem);
  }
  return found;
}

}  // namespace ordeal::harness
