// Nothing arrives later than the promised recovery after the target had all it needed: the message
// acknowledged, every fault healed, the client joined. Earlier than that the delay may be the
// fault's, the sender's or the client's own.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class late final : public checker {
 public:
  explicit late(const bench& at) : at_(at) {}
  const char* id() const override { return "late"; }

  void on(const delivered& what) override {
    const reception& now = at_.book.last_reception();
    if (!now.acknowledged_at || what.at - *now.acknowledged_at <= at_.of.promises.recovery) return;
    const auto calm_since = at_.book.faults().calm_since();
    if (!calm_since) return;
    const run_time due_from =
        std::max({*now.acknowledged_at, *calm_since, at_.book.joined_at(now.member)});
    if (what.at - due_from <= at_.of.promises.recovery) return;
    finding found = about(finding_kind::late, what);
    found.fault = now.sent_during;
    ++count_;
    if (!is_allowed(at_.of.promises, found.fault.has_value())) ++violation_count_;
    report(at_, std::move(found), [&] {
      return name_of(what.client) + " on " + name_of(what.node) + " got " + name_of(what.id) + " " +
             text_of_duration(what.at - *now.acknowledged_at) + " after it was acknowledged, " +
             text_of_duration(what.at - due_from) + " of them without any excuse";
    });
  }

  check_result finish(run_time) override {
    const std::string bound = text_of_duration(at_.of.promises.recovery);
    if (count_ == 0) {
      return {id(), verdict::pass, "nothing later than " + bound + " without a fault in effect"};
    }
    return {id(), violation_count_ > 0 ? verdict::fail : verdict::pass,
            counted(count_, "delivery", "deliveries") + " later than " + bound + ", " +
                whereabouts(at_, finding_kind::late) +
                (violation_count_ > 0 ? "" : " (the contract allows that)") +
                first_example(at_, finding_kind::late)};
  }

 private:
  const bench at_;
  std::uint64_t count_ = 0, violation_count_ = 0;
};

}  // namespace

std::unique_ptr<checker> make_late(const bench& at) {
  return std::make_unique<late>(at);
}

}  // namespace ordeal::harness
