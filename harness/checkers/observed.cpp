#include "harness/checkers/observed.h"

#include "harness/target/contract.h"

namespace ordeal::harness {
namespace {

// Found outside of every outage, of this kind.
bool is_found_outside(const bench& at, finding_kind kind) {
  std::uint64_t inside = 0;
  for (std::size_t f = 0; f < at.of.faults.size(); ++f) inside += at.found.count_in_fault(kind, f);
  return at.found.count(kind) > inside;
}

delivery_promise observed_delivery(const bench& at) {
  const bool has_lost = at.found.count(finding_kind::lost) + at.found.count(finding_kind::late) > 0;
  if (!has_lost) return delivery_promise::every_message;
  const bool is_outside =
      is_found_outside(at, finding_kind::lost) || is_found_outside(at, finding_kind::late);
  return is_outside ? delivery_promise::best_effort : delivery_promise::best_effort_in_outage;
}

order_promise observed_order(const bench& at) {
  if (at.found.count(finding_kind::reordered) > 0) return order_promise::none;
  const bool is_total =
      at.found.count(finding_kind::diverged) == 0 && !at.found.is_left_open(finding_kind::diverged);
  return is_total ? order_promise::total : order_promise::per_sender;
}

duplicates_promise observed_duplicates(const bench& at) {
  if (at.found.count(finding_kind::duplicate) == 0) return duplicates_promise::none;
  return is_found_outside(at, finding_kind::duplicate) ? duplicates_promise::allowed
                                                       : duplicates_promise::in_outage;
}

std::string recovery_text(const bench& at) {
  std::optional<run_time> longest;
  const auto& courses = at.book.faults().courses();
  for (std::size_t f = 0; f < courses.size(); ++f) {
    const fault_course& course = courses[f];
    if (course.is_recovering) return ", no recovery after " + at.of.faults[f].name;
    for (const node_course& each : course.nodes) {
      if (each.took && (!longest || *each.took > *longest)) longest = each.took;
    }
  }
  return longest ? ", recovery " + text_of_duration(*longest) : ", no recovery to see";
}

// What the words before do not cover.
std::string unobserved_text(const bench& at) {
  std::string text;
  const auto add = [&text](const std::string& what) {
    text += (text.empty() ? "; not observable: " : ", ") + what;
  };
  const std::uint64_t away = at.times.skipped_away(), own = at.times.skipped_by_generator();
  if (away > 0) add(counted(away, "send", "sends") + " that nobody could make");
  if (own > 0) add(counted(own, "send", "sends") + " that the generator left out");
  const send_totals& totals = at.book.totals();
  if (totals.unobservable > 0) {
    add(counted(totals.unobservable, "delivery", "deliveries") + " to " +
        counted(at.book.clients_away(), "client that was", "clients that were") + " away");
  }
  if (at.book.clients_cut() > 0)
    text += (text.empty() ? "; " : ", ") + counted(at.book.clients_cut(), "client", "clients") +
            " cut off by us";
  return text;
}

}  // namespace

std::string describe_observed(const bench& at) {
  const send_totals& totals = at.book.totals();
  if (totals.obligations == 0 || totals.arrivals == 0) return {};
  std::string text = "delivery " + word_of(observed_delivery(at)) + ", order " +
                     word_of(observed_order(at)) + ", duplicates " +
                     word_of(observed_duplicates(at)) + recovery_text(at);
  const auto add = [&](finding_kind kind, const char* words) {
    const std::uint64_t count = at.found.count(kind);
    if (count > 0) text += ", " + std::to_string(count) + " " + words;
  };
  add(finding_kind::false_ack, "false acknowledgements");
  add(finding_kind::silent_loss, "losses in silence");
  add(finding_kind::phantom, "phantoms");
  add(finding_kind::corrupt, "corrupt");
  add(finding_kind::misdelivered, "misdelivered");
  add(finding_kind::stuck, "stuck");
  return text + unobserved_text(at);
}

}  // namespace ordeal::harness
