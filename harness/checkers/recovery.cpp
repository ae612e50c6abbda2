// After a fault has healed, every node hears every other one again within the promised time.
// Measured by the load itself: the first message sent after the heal that reaches a client there,
// from each node that shares a room. Whoever sends seldom is given one round of the schedule on top:
// before that a node may simply have had nothing to say. Of a node on which nobody is nothing can be said.
#include "harness/checkers/checkers.h"
#include "harness/checkers/judge.h"

namespace ordeal::harness {
namespace {

class recovery final : public checker {
 public:
  explicit recovery(const bench& at) : at_(at) {}
  const char* id() const override { return "recovery"; }

  check_result finish(run_time at) override {
    if (at_.of.faults.empty()) return {id(), verdict::skipped, "no faults in this scenario"};
    for (std::size_t f = 0; f < at_.of.faults.size(); ++f) look_at(f, at);
    if (!failures_.empty() && at_.book.faults().has_failed())
      return {id(), verdict::inconclusive, failures_ + "; " + doubt(at_)};
    if (!failures_.empty()) return {id(), verdict::fail, failures_};
    if (!gaps_.empty()) return {id(), verdict::inconclusive, gaps_};
    if (sample_count_ == 0)
      return {id(), verdict::inconclusive, "no fault healed, so nothing recovered"};
    return {id(), verdict::pass,
            "at most " + text_of_duration(longest_) + " (" + name_of(slowest_) + " after " +
                at_.of.faults[slowest_fault_].name + "), promised " + bound_text()};
  }

 private:
  std::string bound_text() const { return text_of_duration(at_.of.promises.recovery); }

  void look_at(std::size_t fault, run_time now) {
    const outages& outages = at_.book.faults();
    const fault_course& course = outages.courses()[fault];
    if (!course.healed_at) return;
    for (std::size_t n = 0; n < course.nodes.size(); ++n) {
      const node_course& node = course.nodes[n];
      if (node.took) {
        on_recovered(fault, node_id(n), *node.took, node.from);
      } else {
        on_missing(fault, node_id(n), now - node.from, course, now);
      }
    }
  }

  // Where nobody may speak nobody is heard.
  bool is_too_long(run_time from, run_time waited) const {
    return waited - at_.times.silence_between(from, from + waited) > recovery_limit(at_.of);
  }

  void on_recovered(std::size_t fault, node_id node, run_time took, run_time from) {
    ++sample_count_;
    if (took >= longest_) {
      longest_ = took;
      slowest_ = node;
      slowest_fault_ = fault;
    }
    if (!is_too_long(from, took)) return;
    append(failures_, name_of(node) + " needed " + text_of_duration(took) + " after " +
                          at_.of.faults[fault].name + ", promised " + bound_text());
  }

  void on_missing(std::size_t fault, node_id node, run_time waited, const fault_course& course,
                  run_time now) {
    const std::string deaf_to = unheard(course, index_of(node));
    if (deaf_to.empty()) {
      append(gaps_, "nothing can be said about " + name_of(node) + " after " +
                        at_.of.faults[fault].name +
                        ": nobody was there, or nobody on those that it "
                        "should have heard");
      return;
    }
    if (!course.had_traffic || !is_too_long(now - waited, waited)) {
      append(gaps_, "nothing can be said about " + name_of(node) + " after " +
                        at_.of.faults[fault].name + ": " +
                        (course.had_traffic
                             ? "the run ended " + text_of_duration(waited) + " after the heal"
                             : "no message was sent after the heal"));
      return;
    }
    const std::string sentence = name_of(node) + " got nothing from " + deaf_to + " within " +
                                 text_of_duration(waited) + " after " + at_.of.faults[fault].name;
    finding found;
    found.kind = finding_kind::stuck;
    found.at = now;
    found.node = node;
    found.fault = fault;
    report(at_, std::move(found), [&] { return sentence; });
    append(failures_, sentence);
  }

  // Where nobody is nobody speaks, and nobody hears.
  std::string unheard(const fault_course& course, std::size_t node) const {
    std::string names;
    const outages& outages = at_.book.faults();
    if (!outages.is_node_used(node)) return names;
    for (std::size_t origin = 0; origin < course.nodes.size(); ++origin) {
      if (course.nodes[node].heard[origin] || !outages.expects(origin, node)) continue;
      if (!outages.is_node_used(origin)) continue;
      names += (names.empty() ? "" : ", ") + name_of(node_id(origin));
    }
    return names;
  }

  static void append(std::string& list, const std::string& what) {
    if (list.size() < 400) list += (list.empty() ? "" : "; ") + what;
  }

  const bench at_;
  std::string failures_, gaps_;
  std::uint64_t sample_count_ = 0;
  run_time longest_{};
  node_id slowest_{};
  std::size_t slowest_fault_ = 0;
};

}  // namespace

std::unique_ptr<checker> make_recovery(const bench& at) {
  return std::make_unique<recovery>(at);
}

}  // namespace ordeal::harness
