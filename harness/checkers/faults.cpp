// Every planned fault was seen in effect and seen healed. One that was not proves nothing, so the
// run does not either.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class faults final : public checker {
 public:
  explicit faults(const bench& at) : at_(at) {}
  const char* id() const override { return "faults"; }

  check_result finish(run_time) override {
    const std::size_t count = at_.of.faults.size();
    if (count == 0) return {id(), verdict::skipped, "no faults in this scenario"};
    std::string problems;
    for (std::size_t f = 0; f < count; ++f) {
      const std::string problem = problem_of(f);
      if (problem.empty()) continue;
      if (problems.size() < 400) {
        problems += (problems.empty() ? "" : "; ") + at_.of.faults[f].name + " " + problem;
      }
    }
    if (!problems.empty()) return {id(), verdict::inconclusive, problems};
    return {id(), verdict::pass,
            counted(count, "fault", "faults") + " seen in effect and seen healed"};
  }

 private:
  std::string problem_of(std::size_t fault) const {
    using fault::fault_state;
    const fault_course& course = at_.book.faults().courses()[fault];
    const std::string& evidence = course.evidence;
    if (course.state == fault_state::failed) {
      return std::string(course.active_at ? "was not seen healed" : "was not seen in effect") +
             (evidence.empty() ? "" : " (" + evidence + ")");
    }
    if (course.state == fault_state::planned) {
      return at_.end.was_cut_short ? "was left out, as the run was cut short" : "never began";
    }
    if (!course.active_at) return "was never seen in effect";
    if (!course.healed_at) return "was never seen healed";
    return {};
  }

  const bench at_;
};

}  // namespace

std::unique_ptr<checker> make_faults(const bench& at) {
  return std::make_unique<faults>(at);
}

}  // namespace ordeal::harness
