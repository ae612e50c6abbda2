#include "harness/history/merged_history.h"

#include <algorithm>

#include "harness/history/event_codec.h"
#include "harness/history/event_order.h"

namespace ordeal::harness {
namespace {

void join(run_ended& to, const run_ended& other) {
  to.at = std::max(to.at, other.at);
  to.was_cut_short = to.was_cut_short || other.was_cut_short;
  to.signal = std::max(to.signal, other.signal);
  const bool is_first = to.problem.empty() || other.problem < to.problem;
  if (!other.problem.empty() && is_first) to.problem = other.problem;
}

}  // namespace

merged_history::merged_history(std::vector<event_source*> inputs) {
  for (event_source* each : inputs) inputs_.push_back({each, {}, {}});
  for (input& each : inputs_) advance(each);
}

// Its end is kept back.
void merged_history::advance(input& which) {
  which.head = which.from->next();
  while (which.head) {
    const auto* const found = std::get_if<run_ended>(&*which.head);
    if (found == nullptr) return;
    if (which.end) {
      join(*which.end, *found);
    } else {
      which.end = *found;
    }
    which.head = which.from->next();
  }
}

bool merged_history::is_repeated(const event& what) const {
  return std::any_of(shared_.begin(), shared_.end(),
                     [&what](const event& each) { return is_same(each, what); });
}

void merged_history::remember(const event& what) {
  const run_time at = time_of(what);
  if (at > latest_) {
    shared_.clear();
    latest_ = at;
  }
  if (is_shared(what)) shared_.push_back(what);
}

std::optional<event> merged_history::next() {
  input* first = nullptr;
  for (input& each : inputs_) {
    while (each.head && is_shared(*each.head) && is_repeated(*each.head)) advance(each);
    if (!each.head) continue;
    if (first == nullptr || is_before(*each.head, *first->head)) first = &each;
  }
  if (first == nullptr) return end();
  std::optional<event> taken = std::move(first->head);
  advance(*first);
  remember(*taken);
  return taken;
}

std::optional<event> merged_history::end() {
  const bool is_whole = std::all_of(inputs_.begin(), inputs_.end(),
                                    [](const input& each) { return each.end.has_value(); });
  if (has_ended_ || inputs_.empty() || !is_whole) return std::nullopt;
  has_ended_ = true;
  run_ended whole = *inputs_.front().end;
  for (const input& each : inputs_) join(whole, *each.end);
  return whole;
}

}  // namespace ordeal::harness
