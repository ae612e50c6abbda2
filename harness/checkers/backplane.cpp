// The nodes use the Redis under test, seen on their links, before anything is broken there. A fault that could touch
// nobody proves nothing, however well everybody came through it.
#include <vector>

#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class backplane final : public checker {
 public:
  explicit backplane(const bench& at)
      : at_(at), is_used_(at.of.nodes), faults_(at.of.faults.size()) {}
  const char* id() const override { return "backplane"; }

  void on(const backplane_seen& what) override {
    is_known_ = true;
    if (index_of(what.node) < is_used_.size() && what.bytes > 0)
      is_used_[index_of(what.node)] = true;
  }

  void on(const fault_changed& what) override {
    if (what.state != fault::fault_state::injecting || what.fault >= faults_.size()) return;
    faults_[what.fault] = {true, is_used_};
    if (used_before_faults_.empty()) used_before_faults_ = is_used_;
  }

  check_result finish(run_time) override {
    if (!at_.of.has_backplane) {
      const bool is_apart = is_known_ && at_.of.nodes > 1 && names(is_used_, true).empty();
      return {id(), verdict::skipped,
              std::string(is_apart ? backplane_unused : "") +
                  (is_apart ? ", as the target declares" : "the target declares none")};
    }
    if (!is_known_)
      return {id(), verdict::skipped, "this history does not say what went over the links"};
    const std::vector<bool>& before = used_before_faults_.empty() ? is_used_ : used_before_faults_;
    const std::string idle = names(before, false);
    if (!idle.empty()) {
      const bool is_nobody = names(is_used_, true).empty();
      const std::string what =
          is_nobody ? std::string(backplane_unused)
                    : idle + " sent nothing to the Redis under test before the first fault";
      return {id(), verdict::inconclusive,
              what + untouched() +
                  "; the target has to use ${redis.url}, or to declare `backplane: none`"};
    }
    const std::string spared = untouched();
    if (!spared.empty()) return {id(), verdict::inconclusive, spared.substr(2)};
    return {id(), verdict::pass,
            at_.of.nodes == 1
                ? "the node uses the Redis under test"
                : "all " + std::to_string(at_.of.nodes) + " nodes use the Redis under test"};
  }

 private:
  struct reach {
    bool has_begun = false;
    std::vector<bool> used;  // by node, when it began
  };

  static std::string names(const std::vector<bool>& nodes, bool which) {
    std::string text;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i] == which) text += (text.empty() ? "" : ", ") + name_of(node_id(i));
    }
    return text;
  }

  // "; crash touched nobody", for each such fault. One on a node touches that node.
  std::string untouched() const {
    std::string text;
    for (std::size_t f = 0; f < faults_.size(); ++f) {
      const fault_terms& fault = at_.of.faults[f];
      if (!faults_[f].has_begun || fault.kind.starts_with("node_")) continue;
      bool touched = false;
      for (std::size_t i = 0; i < at_.of.nodes; ++i)
        touched = touched || (cuts_off(fault, node_id(i)) && faults_[f].used[i]);
      if (!touched) text += "; " + fault.name + " touched nobody";
    }
    return text;
  }

  const bench at_;
  std::vector<bool> is_used_;  // by node, so far
  std::vector<bool> used_before_faults_;
  std::vector<reach> faults_;
  bool is_known_ = false;
};

}  // namespace

std::unique_ptr<checker> make_backplane(const bench& at) {
  return std::make_unique<backplane>(at);
}

}  // namespace ordeal::harness
