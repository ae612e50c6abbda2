// All clients of a room get its messages in one order. The reasoning is in room_order.h.
#include "harness/checkers/checkers.h"
#include "harness/checkers/room_order.h"

namespace ordeal::harness {
namespace {

// Where a total order is promised a contradiction is news, and worth a search; elsewhere it is
// everyday life.
constexpr std::size_t search_limit_promised = 65'536;
constexpr std::size_t search_limit_otherwise = 256;
constexpr std::uint32_t deliveries_between_trims = 1024;

class total_order final : public checker {
 public:
  explicit total_order(const bench& at) : at_(at) {
    const std::size_t limit = is_promised() ? search_limit_promised : search_limit_otherwise;
    const seating& seats = at.book.seats();
    for (std::size_t r = 0; r < seats.room_count(); ++r) {
      rooms_.push_back({room_order(seats.in_room(room_id(r)).size(), limit), 0});
    }
  }
  const char* id() const override { return "total_order"; }

  void on(const delivered& what) override {
    const reception& now = at_.book.last_reception();
    if (!now.is_new()) return;
    const seating& seats = at_.book.seats();
    room& here = rooms_[index_of(what.room)];
    const auto found =
        here.order.add(seats[now.member].position, {seats[now.sender].position, what.id.seq});
    if (found) report_diverged(what, now, *found);
    if (++here.deliveries % deliveries_between_trims == 0) {
      const auto& members = seats.in_room(what.room);
      here.order.trim([&](std::uint32_t m) { return at_.book.has_claim(members[m]); });
    }
  }

  check_result finish(run_time) override {
    const std::uint64_t count = at_.found.count(finding_kind::diverged);
    std::uint64_t not_judged = 0;
    for (const room& each : rooms_) not_judged += each.order.not_judged();
    if (not_judged > 0) at_.found.leave_open(finding_kind::diverged);
    check_result result{id(), verdict::pass, {}};
    if (count > 0) {
      if (is_promised()) result.result = verdict::fail;
      result.detail = std::to_string(count) + " against the order others saw, " +
                      whereabouts(at_, finding_kind::diverged) +
                      (is_promised() ? "" : " (the contract allows that)") +
                      first_example(at_, finding_kind::diverged);
    } else if (not_judged > 0) {
      if (is_promised()) result.result = verdict::inconclusive;
      result.detail =
          counted(not_judged, "delivery", "deliveries") + " came too late to be compared";
    } else {
      result.detail = "one order in " + counted(rooms_.size(), "room", "rooms");
    }
    return result;
  }

 private:
  struct room {
    room_order order;
    std::uint32_t deliveries = 0;
  };

  bool is_promised() const { return at_.of.promises.order == order_promise::total; }

  void report_diverged(const delivered& what, const reception& now,
                       const room_order::contradiction& against) {
    const seating& seats = at_.book.seats();
    const auto& members = seats.in_room(what.room);
    finding found = about(finding_kind::diverged, what);
    found.fault = outage_of(at_, now);
    report(at_, std::move(found), [&] {
      const message_id before{seats[members[against.before.sender]].client, what.room,
                              against.before.seq};
      return name_of(what.client) + " on " + name_of(what.node) + " got " + name_of(what.id) +
             " after " + name_of(before) + "; " + name_of(seats[members[against.witness]].client) +
             " saw it the other way round";
    });
  }

  const bench at_;
  std::vector<room> rooms_;
};

}  // namespace

std::unique_ptr<checker> make_total_order(const bench& at) {
  return std::make_unique<total_order>(at);
}

}  // namespace ordeal::harness
