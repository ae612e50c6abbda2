// What was acknowledged reaches everybody it is owed to; what was refused reaches nobody.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class delivery final : public checker {
 public:
  explicit delivery(const bench& at) : at_(at) {}
  const char* id() const override { return "delivery"; }

  void on(const send_settled& what) override {
    if (what.result == outcome::fail && at_.book.was_refused_after_arrival()) {
      report_refused(what.at, what.id, what.node, std::nullopt);
    }
  }

  void on(const delivered& what) override {
    if (at_.book.last_reception().is_first_of_refused)
      report_refused(what.at, what.id, what.node, what.client);
  }

  check_result finish(run_time at) override {
    at_.book.for_each_open([&](seat_index sender, std::uint32_t seq, const open_message& message) {
      if (message.state != send_state::ok) return;
      at_.book.for_each_creditor(
          sender, seq, [&](seat_index member) { report_lost(at, sender, seq, message, member); });
    });
    return judge();
  }

 private:
  void report_refused(run_time at, const message_id& id, node_id node,
                      std::optional<client_id> client) {
    ++refused_count_;
    finding found;
    found.kind = finding_kind::phantom;
    found.at = at;
    found.client = client;
    found.node = node;
    found.room = id.room;
    found.message = id;
    found.fault = at_.book.sent_during(at_.book.seats().find(id.sender, id.room), id.seq);
    report(at_, std::move(found), [&] { return name_of(id) + " was refused but delivered"; });
  }

  void report_lost(run_time now, seat_index sender, std::uint32_t seq, const open_message& message,
                   seat_index member) {
    const seat& from = at_.book.seats()[sender];
    const seat& to = at_.book.seats()[member];
    finding found;
    found.kind = finding_kind::lost;
    found.at = message.invoked_at;  // when it was sent: its absence has no time of its own
    found.client = to.client;
    found.node = at_.book.node_of(to.client);
    found.room = to.room;
    found.message = message_id{from.client, from.room, seq};
    found.fault = at_.book.lost_during(sender, seq, message.invoked_at);
    ++lost_count_;
    if (!found.fault) ++lost_outside_count_;
    const auto reset = at_.book.last_reset(member);
    if (!reset || *reset < message.invoked_at) {
      finding silent;
      silent.kind = finding_kind::silent_loss;
      silent.at = found.at;
      silent.fault = found.fault;
      at_.found.on(std::move(silent));
    }
    report(at_, std::move(found), [&] {
      return name_of(message_id{from.client, from.room, seq}) + ", sent at " +
             text_of(message.invoked_at) + " through " + name_of(message.origin) +
             " and acknowledged, had not reached " + name_of(to.client) + " on " +
             name_of(at_.book.node_of(to.client)) + " by " + text_of(now);
    });
  }

  check_result judge() const {
    const send_totals& totals = at_.book.totals();
    const std::uint64_t violations = refused_count_ + lost_violations();
    check_result result{id(), violations > 0 ? verdict::fail : verdict::pass, {}};
    if (lost_count_ > 0) {
      result.detail = std::to_string(lost_count_) + " of " + std::to_string(totals.obligations) +
                      " deliveries missing, " + whereabouts(at_, finding_kind::lost) +
                      (lost_violations() == 0 ? " (the contract allows that)" : "") +
                      first_example(at_, finding_kind::lost);
    } else {
      result.detail = "all " + std::to_string(totals.obligations) + " deliveries of " +
                      counted(totals.ok, "acknowledged message", "acknowledged messages");
    }
    // Telling is not delivering. Not all of it need be lost, so it proves no loss either.
    const std::uint64_t given_up = at_.book.given_up();
    if (given_up > 0) {
      const bool is_promised = at_.of.promises.delivery == delivery_promise::every_message;
      if (is_promised && violations == 0) result.result = verdict::inconclusive;
      result.detail += "; " + counted(given_up, "delivery", "deliveries") + " given up by resets";
    }
    if (refused_count_ > 0) {
      result.detail +=
          "; " + counted(refused_count_, "refused message", "refused messages") + " delivered";
    }
    return result;
  }

  std::uint64_t lost_violations() const {
    switch (at_.of.promises.delivery) {
      case delivery_promise::every_message:
        return lost_count_;
      case delivery_promise::best_effort_in_outage:
        return lost_outside_count_;
      case delivery_promise::best_effort:
        return 0;
    }
    return lost_count_;
  }

  const bench at_;
  std::uint64_t lost_count_ = 0, lost_outside_count_ = 0, refused_count_ = 0;
};

}  // namespace

std::unique_ptr<checker> make_delivery(const bench& at) {
  return std::make_unique<delivery>(at);
}

}  // namespace ordeal::harness
