// What is lost is not lost in silence: the sender was refused or left without an answer, or the client was told by a
// reset or lost its connection. Those are not owed any more; what is owed, missing and untold is a silent loss. Who
// promises to resume promises to tell, whatever its delivery contract allows it to lose.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class honesty final : public checker {
 public:
  explicit honesty(const bench& at) : at_(at) {}
  const char* id() const override { return "honesty"; }

  check_result finish(run_time) override {
    at_.book.for_each_open([&](seat_index sender, std::uint32_t seq, const open_message& message) {
      if (message.state != send_state::ok) return;
      at_.book.for_each_creditor(sender, seq, [&](seat_index member) {
        if (is_lost(at_, member, sender, seq)) look_at(sender, seq, message, member);
      });
    });
    return judge();
  }

 private:
  void look_at(seat_index sender, std::uint32_t seq, const open_message& message,
               seat_index member) {
    if (at_.book.was_told(member, message.invoked_at)) {
      ++told_count_;
      return;
    }
    finding found = about(finding_kind::silent_loss, at_, sender, seq, message, member);
    ++count_;
    const bool is_excused =
        !at_.of.promises.resume && is_allowed(at_.of.promises, found.fault.has_value());
    if (!is_excused) ++(is_doubtful(at_, message) ? doubtful_count_ : violation_count_);
    at_.found.on(std::move(found));  // the loss itself is told by the check of deliveries
  }

  check_result judge() const {
    check_result result{id(), verdict::pass, "nothing was lost in silence"};
    if (told_count_ > 0)
      result.detail += ", " + counted(told_count_, "loss", "losses") + " told by resets";
    if (count_ == 0) return result;
    result.detail = counted(count_, "delivery", "deliveries") + " lost and nobody told, " +
                    whereabouts(at_, finding_kind::silent_loss);
    if (violation_count_ + doubtful_count_ == 0) result.detail += " (the contract allows that)";
    if (doubtful_count_ > 0) {
      result.result = verdict::inconclusive;
      result.detail += "; " + doubt(at_);
    }
    if (violation_count_ > 0) result.result = verdict::fail;
    return result;
  }

  const bench at_;
  std::uint64_t count_ = 0, told_count_ = 0;
  std::uint64_t violation_count_ = 0;  // against the contract ...
  std::uint64_t doubtful_count_ = 0;   // ... unless a fault that failed did it
};

}  // namespace

std::unique_ptr<checker> make_honesty(const bench& at) {
  return std::make_unique<honesty>(at);
}

}  // namespace ordeal::harness
