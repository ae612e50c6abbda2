// No node ends unless a fault ended it.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class nodes final : public checker {
 public:
  explicit nodes(const bench& at) : at_(at) {}
  const char* id() const override { return "nodes"; }

  void on(const node_changed& what) override {
    if (what.state != node_state::exited || what.was_planned) return;
    finding found;
    found.kind = finding_kind::node_exit;
    found.at = what.at;
    found.node = what.node;
    found.fault = at_.book.faults().current();
    report(at_, std::move(found), [&] {
      return name_of(what.node) + " ended by itself at " + text_of(what.at) +
             (what.detail.empty() ? "" : ": " + what.detail);
    });
  }

  check_result finish(run_time) override {
    const std::uint64_t count = at_.found.count(finding_kind::node_exit);
    if (count == 0) return {id(), verdict::pass, "no node ended by itself"};
    return {id(), verdict::fail,
            counted(count, "unexpected exit", "unexpected exits") +
                first_example(at_, finding_kind::node_exit)};
  }

 private:
  const bench at_;
};

}  // namespace

std::unique_ptr<checker> make_nodes(const bench& at) {
  return std::make_unique<nodes>(at);
}

}  // namespace ordeal::harness
