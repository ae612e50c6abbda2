#include "tests/model/explore.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "net/async/assert.h"

namespace ordeal::chat::model {
namespace {

// How a state was reached first.
struct origin_of_state {
  std::uint32_t parent = 0;
  step by;
};

struct frontier_state {
  std::uint32_t number = 0;
  world value;
};

class explorer {
 public:
  explicit explorer(const scope& what) : scope_(what) {}

  exploration run() {
    world start(scope_.options);
    start.set_bounds(limits::endless());
    for (const step each : scope_.prologue) start.take(each);
    start.set_bounds(scope_.options.bounds);
    if (!start.violation().empty()) {
      take_violation(start.violation(), 0, {});
      return std::move(result_);
    }
    visited_.emplace(start.value(), true);
    origins_.push_back({});
    std::vector<frontier_state> level;
    level.push_back({0, start});
    while (!level.empty() && result_.depth < scope_.depth_max && !is_over()) {
      ++result_.depth;
      level = expand(level);
    }
    result_.states = visited_.size();
    result_.is_complete = level.empty() && result_.found.violation.empty();
    return std::move(result_);
  }

 private:
  bool is_over() const {
    return !result_.found.violation.empty() || visited_.size() >= scope_.states_max;
  }

  std::vector<frontier_state> expand(const std::vector<frontier_state>& level) {
    std::vector<frontier_state> next;
    for (const frontier_state& each : level) {
      for (const step choice : each.value.choices()) {
        world then = each.value;
        then.take(choice);
        ++result_.transitions;
        if (!then.violation().empty()) {
          take_violation(then.violation(), each.number, {choice});
          return {};
        }
        if (!visited_.emplace(then.value(), true).second) continue;
        const auto number = static_cast<std::uint32_t>(origins_.size());
        origins_.push_back({each.number, choice});
        if (scope_.settles && !is_fine_at_rest(then, number)) return {};
        if (then.is_within_bounds()) next.push_back({number, std::move(then)});
        if (is_over()) return next;
      }
    }
    return next;
  }

  bool is_fine_at_rest(const world& then, std::uint32_t number) {
    world rest = then;
    rest.set_bounds(limits::endless());
    rest.settle();
    if (rest.violation().empty()) return true;
    take_violation(rest.violation(), number, {step{action::settle, 0, 0}});
    return false;
  }

  void take_violation(const std::string& violation, std::uint32_t number, trace last) {
    result_.found.violation = violation;
    result_.found.options = scope_.options;
    result_.found.options.bounds = limits::endless();
    trace& steps = result_.found.steps;
    for (; number != 0; number = origins_.at(number).parent)
      last.insert(last.begin(), origins_.at(number).by);
    steps = scope_.prologue;
    steps.insert(steps.end(), last.begin(), last.end());
  }

  const scope& scope_;
  exploration result_;
  std::unordered_map<digest, bool, digest_hash> visited_;
  std::vector<origin_of_state> origins_;
};

}  // namespace

std::string exploration::text() const {
  return std::to_string(states) + " states, " + std::to_string(transitions) + " transitions, " +
         (is_complete ? "complete after " : "not complete at ") + std::to_string(depth) + " steps";
}

exploration explore(const scope& what) {
  return explorer(what).run();
}

}  // namespace ordeal::chat::model
