// The nodes use the Redis under test, seen on their links, before anything is broken there. A fault that could touch
// nobody proves nothing, however well everybody came through it.
#include <vector>

#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class backplane final : public checker {
 public:
  explicit backplane(const bench& at) : at_(at) {}
  const char* id() const override { return "backplane"; }

  check_result finish(run_time) override {
    const reach& links = at_.touched;
    const bool is_nobody = links.is_known() && names(links.used(), true).empty();
    if (!at_.of.has_backplane) {
      const bool is_apart = is_nobody && at_.of.nodes > 1;
      return {id(), verdict::skipped,
              std::string(is_apart ? backplane_unused : "") +
                  (is_apart ? ", as the target declares" : "the target declares none")};
    }
    if (!links.is_known())
      return {id(), verdict::skipped, "this history does not say what went over the links"};
    const std::string idle = names(links.used_before_faults(), false);
    if (!idle.empty()) {
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
  static std::string names(const std::vector<bool>& nodes, bool which) {
    std::string text;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i] == which) text += (text.empty() ? "" : ", ") + name_of(node_id(i));
    }
    return text;
  }

  // "; crash touched nobody", for each such fault.
  std::string untouched() const {
    std::string text;
    for (std::size_t f = 0; f < at_.of.faults.size(); ++f) {
      const auto touched = at_.touched.touched(f);
      if (touched && touched->empty()) text += "; " + at_.of.faults[f].name + " touched nobody";
    }
    return text;
  }

  const bench at_;
};

}  // namespace

std::unique_ptr<checker> make_backplane(const bench& at) {
  return std::make_unique<backplane>(at);
}

}  // namespace ordeal::harness
