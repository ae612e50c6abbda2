// A message reaches only clients of its room.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class isolation final : public checker {
 public:
  explicit isolation(const bench& at) : at_(at) {}
  const char* id() const override { return "isolation"; }

  void on(const delivered& what) override {
    const reception_kind kind = at_.book.last_reception().kind;
    if (kind != reception_kind::wrong_room && kind != reception_kind::stranger) return;
    finding found = about(finding_kind::misdelivered, what);
    found.fault = at_.book.faults().current();
    report(at_, std::move(found), [&] {
      const std::string who =
          name_of(what.client) + " on " + name_of(what.node) + " got " + name_of(what.id);
      if (!what.is_known_room) return who + " under a room that is none of this run";
      if (kind == reception_kind::wrong_room) return who + " under " + name_of(what.room);
      return who + " though it is not in " + name_of(what.room);
    });
  }

  check_result finish(run_time) override {
    const std::uint64_t count = at_.found.count(finding_kind::misdelivered);
    check_result result{id(), count > 0 ? verdict::fail : verdict::pass, {}};
    if (count == 0) {
      result.detail =
          "all " + counted(at_.book.totals().arrivals, "delivery", "deliveries") + " in their room";
    } else {
      result.detail = counted(count, "delivery", "deliveries") + " to the wrong room or client" +
                      first_example(at_, finding_kind::misdelivered);
    }
    return result;
  }

 private:
  const bench at_;
};

}  // namespace

std::unique_ptr<checker> make_isolation(const bench& at) {
  return std::make_unique<isolation>(at);
}

}  // namespace ordeal::harness
