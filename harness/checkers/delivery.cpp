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
    const ledger& book = at_.book;
    book.for_each_open([&](seat_index sender, std::uint32_t seq, const open_message& message) {
      if (message.state != send_state::ok) return;
      book.for_each_creditor(sender, seq, [&](seat_index member) {
        if (is_lost(at_, member, sender, seq)) {
          report_lost(at, sender, seq, message, member);
        } else {
          ++open_count_;
        }
      });
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
    finding found = about(finding_kind::lost, at_, sender, seq, message, member);
    ++lost_count_;
    if (at_.book.was_told(member, message.invoked_at)) ++told_count_;
    if (!is_allowed(at_.of.promises, found.fault.has_value())) {
      ++(is_doubtful(at_, message) ? doubtful_count_ : violation_count_);
    }
    const message_id id = *found.message;
    const client_id client = *found.client;
    const node_id node = *found.node;
    report(at_, std::move(found), [&] {
      return name_of(id) + ", sent at " + text_of(message.invoked_at) + " through " +
             name_of(message.origin) + " and acknowledged, had not reached " + name_of(client) +
             " on " + name_of(node) + " by " + text_of(now);
    });
  }

  check_result judge() const {
    const send_totals& totals = at_.book.totals();
    check_result result{id(), verdict::pass, {}};
    if (lost_count_ > 0) {
      result.detail = std::to_string(lost_count_) + " of " + std::to_string(totals.obligations) +
                      " deliveries missing, " + whereabouts(at_, finding_kind::lost);
      if (told_count_ > 0)
        result.detail += ", " + std::to_string(told_count_) + " of them told by resets";
      if (violation_count_ + doubtful_count_ == 0) result.detail += " (the contract allows that)";
      result.detail += first_example(at_, finding_kind::lost);
    } else if (open_count_ == 0) {
      result.detail = "all " + std::to_string(totals.obligations) + " deliveries of " +
                      counted(totals.ok, "acknowledged message", "acknowledged messages");
    }
    if (open_count_ > 0) {
      append(result.detail, counted(open_count_, "delivery was", "deliveries were") +
                                " under way where the history breaks off");
    }
    if (refused_count_ > 0) {
      append(result.detail,
             counted(refused_count_, "refused message", "refused messages") + " delivered");
    }
    if (doubtful_count_ > 0) {
      result.result = verdict::inconclusive;
      append(result.detail, doubt(at_));
    }
    if (violation_count_ + refused_count_ > 0) result.result = verdict::fail;
    return result;
  }

  static void append(std::string& text, const std::string& what) {
    text += (text.empty() ? "" : "; ") + what;
  }

  const bench at_;
  std::uint64_t lost_count_ = 0, refused_count_ = 0, told_count_ = 0;
  std::uint64_t violation_count_ = 0;  // lost against the contract ...
  std::uint64_t doubtful_count_ = 0;   // ... unless a fault that failed did it
  std::uint64_t open_count_ = 0;       // of a torn history: had not arrived yet
};

}  // namespace

std::unique_ptr<checker> make_delivery(const bench& at) {
  return std::make_unique<delivery>(at);
}

}  // namespace ordeal::harness
