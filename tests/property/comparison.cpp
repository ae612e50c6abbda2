#include "tests/property/comparison.h"

#include <algorithm>
#include <array>

#include "tests/property/oracle.h"

namespace ordeal::harness {
namespace {

using known_finding = oracle::known_finding;
using kind_counts = std::array<std::uint64_t, finding_kind_count>;

constexpr std::uint64_t passed_on_max = 1000;

std::string text_of(const known_finding& what) {
  return std::string(name_of(what.kind)) + ": " + (what.message ? name_of(*what.message) : "-") +
         " at " + (what.client ? name_of(*what.client) : "-") +
         (what.fault ? " in fault " + std::to_string(*what.fault) : " outside");
}

std::string text_of(std::uint64_t value) {
  return std::to_string(value);
}
std::string text_of(bool value) {
  return value ? "yes" : "no";
}
std::string text_of(std::optional<run_time> value) {
  return value ? std::to_string(value->count()) + " ns" : "-";
}

class list_of_differences {
 public:
  template <class T>
  void compare(const std::string& what, const T& judge, const T& oracle) {
    if (judge != oracle)
      lines.push_back(what + ": judge " + text_of(judge) + ", oracle " + text_of(oracle));
  }

  std::vector<std::string> lines;
};

// A silent loss is only counted, a contradiction depends on the way of looking, and who is stuck is found out by
// looking now and then.
bool is_compared_one_by_one(finding_kind kind) {
  return kind != finding_kind::silent_loss && kind != finding_kind::diverged &&
         kind != finding_kind::stuck && kind != finding_kind::leak;
}

void compare_findings(list_of_differences& list, const judged& judge, const oracle& truth) {
  std::vector<known_finding> found, expected;
  std::set<room_id> diverged;
  for (const finding& each : judge.found) {
    if (each.kind == finding_kind::diverged) diverged.insert(*each.room);
    if (is_compared_one_by_one(each.kind))
      found.push_back({each.kind, each.client, each.message, each.fault});
  }
  kind_counts counts{};
  for (const known_finding& each : truth.findings()) {
    ++counts[std::size_t(each.kind)];
    expected.push_back(each);
  }
  for (std::size_t k = 0; k < finding_kind_count; ++k) {
    const auto kind = finding_kind(k);
    if (!is_compared_one_by_one(kind)) continue;
    list.compare(name_of(kind), judge.end.findings[k], counts[k]);
    // Beyond that many the judge only counts.
    if (counts[k] <= passed_on_max) continue;
    const auto is_of_kind = [kind](const known_finding& each) { return each.kind == kind; };
    std::erase_if(found, is_of_kind);
    std::erase_if(expected, is_of_kind);
  }
  std::sort(found.begin(), found.end());
  std::vector<known_finding> only_found, only_expected;
  std::set_difference(found.begin(), found.end(), expected.begin(), expected.end(),
                      std::back_inserter(only_found));
  std::set_difference(expected.begin(), expected.end(), found.begin(), found.end(),
                      std::back_inserter(only_expected));
  for (const auto& each : only_found) list.lines.push_back(text_of(each) + ", says only the judge");
  for (const auto& each : only_expected)
    list.lines.push_back(text_of(each) + ", says only the oracle");
  const std::set<room_id> circles = truth.diverged_rooms();
  if (diverged != circles) {
    list.lines.push_back("diverged: judge in " + std::to_string(diverged.size()) +
                         " rooms, oracle in " + std::to_string(circles.size()));
  }
  list.compare("silent_loss", judge.end.findings[std::size_t(finding_kind::silent_loss)],
               truth.silent_losses());
}

void compare_counts(list_of_differences& list, const totals& judge, const totals& truth) {
  list.compare("sent", judge.sent, truth.sent);
  list.compare("ok", judge.ok, truth.ok);
  list.compare("fail", judge.fail, truth.fail);
  list.compare("info", judge.info, truth.info);
  list.compare("obligations", judge.obligations, truth.obligations);
  list.compare("delivered", judge.delivered, truth.delivered);
  list.compare("deliveries", judge.deliveries, truth.deliveries);
}

void compare_faults(list_of_differences& list, const judgement& judge, const oracle& truth) {
  const auto rows = truth.faults();
  for (std::size_t f = 0; f < rows.size(); ++f) {
    const std::string name = "fault " + std::to_string(f) + " ";
    const fault_judgement& row = judge.faults.at(f);
    list.compare(name + "state", std::uint64_t(row.state), std::uint64_t(rows[f].state));
    list.compare(name + "active", row.active_at, rows[f].active_at);
    list.compare(name + "healed", row.healed_at, rows[f].healed_at);
    for (std::size_t n = 0; n < rows[f].recovery.size(); ++n) {
      list.compare(name + "recovery of " + name_of(node_id(n)), row.recovery.at(n),
                   rows[f].recovery[n]);
    }
  }
}

// The overall verdict follows from the checks, whatever they are.
verdict overall(const judgement& of) {
  const auto has = [&of](verdict value) {
    return std::any_of(of.checks.begin(), of.checks.end(),
                       [value](const check_result& c) { return c.result == value; });
  };
  if (has(verdict::fail)) return verdict::fail;
  if (of.end.was_cut_short || has(verdict::inconclusive) || has(verdict::error))
    return verdict::inconclusive;
  return verdict::pass;
}

void compare_verdicts(list_of_differences& list, const judgement& judge, const oracle& truth) {
  for (const auto& [id, expected] : truth.verdicts()) {
    const auto found = std::find_if(judge.checks.begin(), judge.checks.end(),
                                    [&id = id](const check_result& c) { return c.id == id; });
    const std::string got = found == judge.checks.end() ? "nothing" : name_of(found->result);
    if (got == name_of(expected)) continue;
    list.lines.push_back("check " + id + ": judge " + got + ", oracle " + name_of(expected) +
                         (found == judge.checks.end() ? "" : " (" + found->detail + ")"));
  }
  if (judge.result != overall(judge)) {
    list.lines.push_back(std::string("result: ") + name_of(judge.result) + ", its checks say " +
                         name_of(overall(judge)));
  }
}

}  // namespace

std::vector<std::string> disagreements(const recorded& seen, const recorded& happened) {
  const judged judge = judge_all(seen);
  const oracle truth(happened.of, happened.events);
  list_of_differences list;
  compare_findings(list, judge, truth);
  compare_counts(list, judge.end.counts, truth.counts());
  list.compare("latencies", judge.end.latency.count, truth.latency_count());
  compare_faults(list, judge.end, truth);
  compare_verdicts(list, judge.end, truth);
  return list.lines;
}

std::vector<std::string> disagreements_so_far(const recorded& of) {
  const auto judge = judge::make(of.of, [](const finding&) {});
  for (const event& each : of.events) judge->on(each);
  const oracle truth(of.of, of.events);
  list_of_differences list;
  list.compare("open obligations", judge->open_obligations(), truth.open_obligations());
  list.compare("recovered", judge->has_recovered(), truth.has_recovered());
  list.compare("probes complete", judge->are_probes_complete(), truth.are_probes_complete());
  return list.lines;
}

recorded minimised(recorded from, const std::function<bool(const recorded&)>& is_interesting) {
  std::size_t size = from.events.size() / 2;
  while (size > 0) {
    bool has_shrunk = false;
    // From the end, where nothing depends on what is taken away.
    for (std::size_t last = from.events.size(); last > 0;) {
      const std::size_t first = last > size ? last - size : 0;
      recorded smaller = without(from, first, last - first);
      last = first;
      if (!is_interesting(smaller)) continue;
      from = std::move(smaller);
      has_shrunk = true;
      last = std::min(last, from.events.size());
    }
    if (!has_shrunk || size > 1) size /= 2;
  }
  return from;
}

}  // namespace ordeal::harness
