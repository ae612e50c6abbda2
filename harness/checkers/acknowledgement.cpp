// An acknowledgement means something: a message that was acknowledged and owed to somebody reached
// somebody.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class acknowledgement final : public checker {
 public:
  explicit acknowledgement(const bench& at) : at_(at) {}
  const char* id() const override { return "acknowledgement"; }

  check_result finish(run_time) override {
    at_.book.for_each_open([&](seat_index sender, std::uint32_t seq, const open_message& message) {
      const bool is_false = message.state == send_state::ok && message.arrivals == 0 &&
                            message.must > 0 && !at_.end.is_torn;
      if (is_false) report_false(sender, seq, message);
    });
    return judge();
  }

 private:
  void report_false(seat_index sender, std::uint32_t seq, const open_message& message) {
    const seat& from = at_.book.seats()[sender];
    finding found;
    found.kind = finding_kind::false_ack;
    found.at = message.invoked_at;
    found.node = message.origin;
    found.room = from.room;
    found.message = message_id{from.client, from.room, seq};
    found.fault = at_.book.lost_during(sender, seq, message.invoked_at);
    found.messages = message.ordinal;
    ++count_;
    if (!is_excused(found.fault.has_value()))
      ++(is_doubtful(at_, message) ? doubtful_count_ : violation_count_);
    report(at_, std::move(found), [&] {
      return name_of(message.origin) + " acknowledged " +
             name_of(message_id{from.client, from.room, seq}) + ", sent at " +
             text_of(message.invoked_at) + "; none of the " + std::to_string(message.must) +
             " clients it was owed to got it";
    });
  }

  // An acknowledgement that only says "taken over" cannot promise more than the delivery contract does.
  bool is_excused(bool is_in_outage) const {
    const contract& promises = at_.of.promises;
    if (promises.ack == ack_promise::none) return true;
    return promises.ack == ack_promise::accepted && is_allowed(promises, is_in_outage);
  }

  check_result judge() const {
    check_result result{id(), verdict::pass, {}};
    if (count_ == 0) {
      result.detail =
          counted(at_.book.totals().ok, "acknowledged message", "acknowledged messages") +
          ", none of them delivered to nobody";
      if (at_.end.is_torn) result.detail += " as far as the history goes";
      return result;
    }
    result.detail = counted(count_, "acknowledged message", "acknowledged messages") +
                    " delivered to nobody, " + whereabouts(at_, finding_kind::false_ack) +
                    (violation_count_ + doubtful_count_ == 0 ? " (the contract allows that)" : "") +
                    first_example(at_, finding_kind::false_ack);
    if (doubtful_count_ > 0) {
      result.result = verdict::inconclusive;
      result.detail += "; " + doubt(at_);
    }
    if (violation_count_ > 0) result.result = verdict::fail;
    return result;
  }

  const bench at_;
  std::uint64_t count_ = 0, violation_count_ = 0, doubtful_count_ = 0;
};

}  // namespace

std::unique_ptr<checker> make_acknowledgement(const bench& at) {
  return std::make_unique<acknowledgement>(at);
}

}  // namespace ordeal::harness
