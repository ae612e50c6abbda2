// Every client is alive: while its room goes on, it gets something, and who lost its connection comes back. Silence
// is measured from what the target can be held to: the last thing the client got, the first trouble of its connection
// since then, the last heal. It lasts too long when a message acknowledged that long ago has still brought nothing.
#include <deque>
#include <utility>

#include "harness/checkers/checkers.h"
#include "harness/checkers/judge.h"

namespace ordeal::harness {
namespace {

constexpr std::chrono::milliseconds look_interval{500};
constexpr std::chrono::milliseconds mark_interval{100};
// Our own part in a return: the answer to a join is awaited for 5 s, and connections and joins are tried again after
// up to 2 s.
constexpr std::chrono::seconds own_patience{8};

// The messages of a room that were acknowledged, by tenths of a second of their acknowledgement, as
// far back as needed.
class acknowledged_sends {
 public:
  void add(run_time invoked_at, run_time at) {
    if (marks_.empty() || at - marks_.back().begun_at >= mark_interval) {
      const run_time before = marks_.empty() ? run_time::min() : marks_.back().latest_invoked_at;
      marks_.push_back({at, at, std::max(before, invoked_at)});
      return;
    }
    mark& last = marks_.back();
    last.acknowledged_at = at;
    last.latest_invoked_at = std::max(last.latest_invoked_at, invoked_at);
  }
  // When the latest of those was sent that were acknowledged by `at`; forgets what is before it.
  std::optional<run_time> latest_invoked(run_time at) {
    while (marks_.size() > 1 && marks_[1].acknowledged_at <= at) marks_.pop_front();
    if (marks_.empty() || marks_.front().acknowledged_at > at) return std::nullopt;
    return marks_.front().latest_invoked_at;
  }

 private:
  struct mark {
    run_time begun_at{}, acknowledged_at{};
    run_time latest_invoked_at{};  // of this one and all before
  };
  std::deque<mark> marks_;
};

class liveness final : public checker {
 public:
  explicit liveness(const bench& at)
      : at_(at),
        bound_(recovery_limit(at.of)),
        members_(at.book.seats().size()),
        rooms_(at.book.seats().room_count()) {}
  const char* id() const override { return "liveness"; }

  void on(const delivered& what) override {
    const reception& now = at_.book.last_reception();
    if (!now.is_new()) return;
    life& of = members_[now.member];
    of.last_got_at = what.at;
    of.trouble_at = run_time::max();
    of.is_back = of.is_stuck = false;
  }

  void on(const send_invoked& what) override { look(what.at); }

  void on(const send_settled& what) override {
    const ledger::settled_message& message = at_.book.last_settled();
    if (what.result != outcome::ok || message.must == 0) return;
    rooms_[index_of(what.id.room)].add(message.invoked_at, what.at);
  }

  void on(const join_confirmed& what) override {
    life& of = members_[at_.book.seats().find(what.client, what.room)];
    if (!of.has_joined) of.last_got_at = what.at;
    of.has_joined = true;
    // Of what was sent while it was away nothing is owed to it.
    if (!what.is_resume && of.is_in_trouble() && !std::exchange(of.is_back, true))
      of.trouble_at = what.at;
  }

  void on(const client_disconnected& what) override {
    if (what.was_planned) is_over_ = true;
    const seating& seats = at_.book.seats();
    const std::size_t client = index_of(what.client);
    for (seat_index i = seats.first_of(client); i < seats.first_of(client + 1); ++i) {
      members_[i].trouble_at = std::min(members_[i].trouble_at, what.at);
    }
  }

  void on(const room_left& what) override {
    members_[at_.book.seats().find(what.client, what.room)].has_joined = false;
  }

  void on(const phase_changed& what) override {
    if (what.kind == phase_kind::finished) look_at_everybody(what.at);
    if (what.kind == phase_kind::finished) is_over_ = true;
  }

  check_result finish(run_time) override {
    if (!has_looked_) {
      return {id(), verdict::skipped,
              "the run gave nobody " + text_of_duration(bound_) + " to be silent in"};
    }
    if (count_ == 0) {
      return {id(), verdict::pass, "nobody waited longer than " + text_of_duration(bound_)};
    }
    return {id(), verdict::fail,
            counted(count_, "time", "times") + " a client got nothing for longer than " +
                text_of_duration(bound_) + "; first: " + first_};
  }

 private:
  struct life {
    run_time last_got_at{};
    // Its connection ended, first time since then; or its return, when it did not resume.
    run_time trouble_at = run_time::max();
    bool is_back = false, has_joined = false, is_stuck = false;

    bool is_in_trouble() const { return trouble_at != run_time::max(); }
  };

  void look(run_time at) {
    if (at < next_look_at_ || is_over_) return;
    next_look_at_ = at + look_interval;
    look_at_everybody(at);
  }

  void look_at_everybody(run_time at) {
    if (is_over_) return;
    const auto calm_since = at_.book.faults().calm_since();
    const seating& seats = at_.book.seats();
    for (std::size_t r = 0; r < rooms_.size(); ++r) {
      const auto sent_at = rooms_[r].latest_invoked(at - bound_);  // forgets, calm or not
      if (!sent_at || !calm_since) continue;
      has_looked_ = true;
      for (const seat_index member : seats.in_room(room_id(r))) {
        life& of = members_[member];
        if (!of.has_joined || of.is_stuck) continue;
        run_time from = std::max(of.last_got_at, *calm_since);
        if (of.is_in_trouble()) from = std::max(from, of.trouble_at);
        const bool may_be_ours = of.is_in_trouble() && at - from <= bound_ + own_patience;
        if (*sent_at > from && !may_be_ours) report_stuck(member, at, from);
      }
    }
  }

  void report_stuck(seat_index member, run_time at, run_time from) {
    const seat& who = at_.book.seats()[member];
    life& of = members_[member];
    of.is_stuck = true;
    finding found;
    found.kind = finding_kind::stuck;
    found.at = at;
    found.client = who.client;
    found.node = at_.book.node_of(who.client);
    found.room = who.room;
    found.fault = at_.book.faults().current();
    const std::string sentence =
        name_of(who.client) + " on " + name_of(*found.node) + " has got nothing in " +
        name_of(who.room) + " for " + text_of_duration(at - from) +
        " though messages were acknowledged there" +
        (at_.book.is_absent(member) ? "; it could not come back into the room" : "") +
        text_of_cut(at_, who.client);
    if (count_++ == 0) first_ = sentence;
    report(at_, std::move(found), [&] { return sentence; });
  }

  const bench at_;
  const std::chrono::nanoseconds bound_;
  std::vector<life> members_;  // by seat
  std::vector<acknowledged_sends> rooms_;
  run_time next_look_at_ = run_time::min();
  bool is_over_ = false, has_looked_ = false;
  std::uint64_t count_ = 0;
  std::string first_;
};

}  // namespace

std::unique_ptr<checker> make_liveness(const bench& at) {
  return std::make_unique<liveness>(at);
}

}  // namespace ordeal::harness
