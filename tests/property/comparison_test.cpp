// Can the comparison see? The judge is given a history from which one event is missing that the oracle knows of: when
// that changes the findings of a kind, the comparison has to name this kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/property/comparison.h"
#include "tests/property/oracle.h"
#include "tests/property/random_history.h"

namespace ordeal::harness {
namespace {

using kind_counts = std::map<finding_kind, std::uint64_t>;

kind_counts count(const recorded& of) {
  const oracle truth(of.of, of.events);
  kind_counts counts;
  for (const oracle::known_finding& each : truth.findings()) ++counts[each.kind];
  counts[finding_kind::silent_loss] = truth.silent_losses();
  counts[finding_kind::diverged] = truth.diverged_rooms().size();
  return counts;
}

bool names(const std::vector<std::string>& lines, finding_kind kind) {
  return std::any_of(lines.begin(), lines.end(), [kind](const std::string& line) {
    return line.rfind(std::string(name_of(kind)) + ":", 0) == 0;
  });
}

// Without any of these a history is still one that can be judged.
bool may_be_missing(const event& what) {
  return std::holds_alternative<delivered>(what) || std::holds_alternative<reset_received>(what) ||
         std::holds_alternative<node_changed>(what) || std::holds_alternative<send_settled>(what) ||
         std::holds_alternative<join_confirmed>(what);
}

TEST(Comparison, SeesADifferenceInEachKindOfFinding) {
  constexpr std::uint64_t wanted = 20;
  const std::vector kinds{
      finding_kind::lost,         finding_kind::duplicate, finding_kind::reordered,
      finding_kind::diverged,     finding_kind::phantom,   finding_kind::corrupt,
      finding_kind::misdelivered, finding_kind::false_ack, finding_kind::late,
      finding_kind::silent_loss,  finding_kind::node_exit};
  kind_counts seen;
  const auto is_done = [&] {
    return std::all_of(kinds.begin(), kinds.end(),
                       [&](finding_kind kind) { return seen[kind] >= wanted; });
  };
  for (std::uint64_t seed = 1; seed <= 400 && !is_done(); ++seed) {
    const recorded whole = make_random_history(seed);
    kind_counts before = count(whole);
    for (std::size_t i = 0; i < whole.events.size(); ++i) {
      if (!may_be_missing(whole.events[i])) continue;
      // A sample of what there is plenty of.
      const bool is_common = !std::holds_alternative<node_changed>(whole.events[i]);
      if (is_common && i % 7 != seed % 7) continue;
      recorded seen_by_judge = whole;
      seen_by_judge.events.erase(seen_by_judge.events.begin() + static_cast<std::ptrdiff_t>(i));
      kind_counts after = count(seen_by_judge);
      std::optional<std::vector<std::string>> lines;  // costs more than the rest
      for (const finding_kind kind : kinds) {
        const std::uint64_t was = before[kind], is = after[kind];
        if (was == is || seen[kind] >= wanted) continue;
        ++seen[kind];
        if (!lines) lines = disagreements(seen_by_judge, whole);
        ASSERT_TRUE(names(*lines, kind))
            << "seed " << seed << ", without " << to_line(whole.events[i]) << ": " << name_of(kind)
            << " " << was << " became " << is;
      }
    }
  }
  for (const finding_kind kind : kinds) EXPECT_GE(seen[kind], wanted) << name_of(kind);
}

TEST(Comparison, AMinimisedHistoryIsSmallAndStillWhatWasLookedFor) {
  // A disagreement made on purpose: the judge does not see the first repetition of all.
  const auto without_first_repetition = [](const recorded& of) {
    const oracle truth(of.of, of.events);
    recorded rest = of;
    const auto all = truth.findings();
    const auto found = std::find_if(all.begin(), all.end(), [](const auto& each) {
      return each.kind == finding_kind::duplicate;
    });
    if (found == all.end()) return rest;
    const auto is_it = [&](const event& what) {
      const auto* got = std::get_if<delivered>(&what);
      return got != nullptr && got->id == *found->message && got->client == *found->client;
    };
    const auto last = std::find_if(rest.events.rbegin(), rest.events.rend(), is_it);
    rest.events.erase(std::next(last).base());
    return rest;
  };
  std::size_t tried = 0;
  for (std::uint64_t seed = 1; tried < 10; ++seed) {
    const recorded whole = make_random_history(seed);
    const auto disagrees = [&](const recorded& of) {
      return names(disagreements(without_first_repetition(of), of), finding_kind::duplicate);
    };
    if (!disagrees(whole)) continue;
    ++tried;
    const recorded small = minimised(whole, disagrees);
    EXPECT_TRUE(disagrees(small));
    // Asked, sent, got, got again: nothing else is needed.
    EXPECT_EQ(small.events.size(), 4U) << to_text(small);
  }
}

}  // namespace
}  // namespace ordeal::harness
