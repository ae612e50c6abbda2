// What arrives is what was sent: whole, of this run, and sent by somebody.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class integrity final : public checker {
 public:
  explicit integrity(const bench& at) : at_(at) {}
  const char* id() const override { return "integrity"; }

  void on(const delivered& what) override {
    switch (at_.book.last_reception().kind) {
      case reception_kind::corrupt:
        return report_one(what, finding_kind::corrupt, "a damaged message");
      case reception_kind::foreign:
        return report_one(what, finding_kind::phantom,
                          what.payload == payload_state::foreign_run
                              ? "a message of another run"
                              : "something that is no message of ours");
      case reception_kind::unknown_message:
        return report_one(what, finding_kind::phantom,
                          name_of(what.id) + ", which nobody had sent");
      case reception_kind::in_order:
      case reception_kind::behind:
      case reception_kind::repeated:
      case reception_kind::wrong_room:
      case reception_kind::stranger:
        return;
    }
  }

  check_result finish(run_time) override {
    check_result result{id(), count_ > 0 ? verdict::fail : verdict::pass, {}};
    if (count_ == 0) {
      result.detail =
          "all " + counted(at_.book.totals().arrivals, "delivery", "deliveries") + " intact";
    } else {
      result.detail =
          counted(count_, "delivery", "deliveries") + " damaged or never sent; first: " + first_;
    }
    return result;
  }

 private:
  void report_one(const delivered& what, finding_kind kind, const std::string& got) {
    const std::string sentence = name_of(what.client) + " on " + name_of(what.node) + " got " +
                                 got + " at " + text_of(what.at);
    if (count_++ == 0) first_ = sentence;
    finding found = about(kind, what);
    found.fault = at_.book.faults().current();
    report(at_, std::move(found), [&] { return sentence; });
  }

  const bench at_;
  std::uint64_t count_ = 0;
  std::string first_;
};

}  // namespace

std::unique_ptr<checker> make_integrity(const bench& at) {
  return std::make_unique<integrity>(at);
}

}  // namespace ordeal::harness
