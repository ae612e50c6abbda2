// No client gets a message twice. One that was sent, or that came again, during an outage counts as
// inside it.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class duplicates final : public checker {
 public:
  explicit duplicates(const bench& at) : at_(at) {}
  const char* id() const override { return "duplicates"; }

  void on(const delivered& what) override {
    const reception& now = at_.book.last_reception();
    if (now.kind != reception_kind::repeated) return;
    finding found = about(finding_kind::duplicate, what);
    found.fault = outage_of(at_, now);
    ++count_;
    if (!found.fault) ++outside_count_;
    report(at_, std::move(found), [&] {
      return name_of(what.client) + " on " + name_of(what.node) + " got " + name_of(what.id) +
             " again at " + text_of(what.at);
    });
  }

  check_result finish(run_time) override {
    const bool is_violated = violations() > 0;
    check_result result{id(), is_violated ? verdict::fail : verdict::pass, {}};
    if (count_ == 0) {
      result.detail = "none in " + counted(at_.book.totals().arrivals, "delivery", "deliveries");
    } else {
      result.detail = counted(count_, "duplicate", "duplicates") + ", " +
                      whereabouts(at_, finding_kind::duplicate) +
                      (is_violated ? "" : " (the contract allows that)") +
                      first_example(at_, finding_kind::duplicate);
    }
    return result;
  }

 private:
  std::uint64_t violations() const {
    switch (at_.of.promises.duplicates) {
      case duplicates_promise::none:
        return count_;
      case duplicates_promise::in_outage:
        return outside_count_;
      case duplicates_promise::allowed:
        return 0;
    }
    return count_;
  }

  const bench at_;
  std::uint64_t count_ = 0, outside_count_ = 0;
};

}  // namespace

std::unique_ptr<checker> make_duplicates(const bench& at) {
  return std::make_unique<duplicates>(at);
}

}  // namespace ordeal::harness
