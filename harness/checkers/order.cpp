// Each client gets the messages of one sender in one room in the order they were sent.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class order final : public checker {
 public:
  explicit order(const bench& at) : at_(at) {}
  const char* id() const override { return "order"; }

  void on(const delivered& what) override {
    const reception& now = at_.book.last_reception();
    if (now.kind != reception_kind::behind) return;
    finding found = about(finding_kind::reordered, what);
    found.fault = outage_of(at_, now);
    report(at_, std::move(found), [&] {
      return name_of(what.client) + " on " + name_of(what.node) + " got " + name_of(what.id) +
             " after number " + std::to_string(now.highest_before) + " of the same sender";
    });
  }

  check_result finish(run_time) override {
    const std::uint64_t count = at_.found.count(finding_kind::reordered);
    const bool is_promised = at_.of.promises.order != order_promise::none;
    check_result result{id(), count > 0 && is_promised ? verdict::fail : verdict::pass, {}};
    if (count == 0) {
      result.detail = "in order, " + counted(at_.book.totals().arrivals, "delivery", "deliveries");
    } else {
      result.detail = std::to_string(count) + " out of order, " +
                      whereabouts(at_, finding_kind::reordered) +
                      (is_promised ? "" : " (the contract allows that)") +
                      first_example(at_, finding_kind::reordered);
    }
    return result;
  }

 private:
  const bench at_;
};

}  // namespace

std::unique_ptr<checker> make_order(const bench& at) {
  return std::make_unique<order>(at);
}

}  // namespace ordeal::harness
