#include "reference-server/log/recovery.h"

#include <algorithm>
#include <set>

#include "reference-server/log/entry_codec.h"

namespace ordeal::chat {
namespace {

constexpr std::string_view none = "-";

// Calls `take` with each part of `text` between separators; false when one was not taken.
template <class Take>
bool split(std::string_view text, char separator, Take take) {
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (!take(text.substr(0, end))) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

std::string or_none(std::string text) {
  return text.empty() ? std::string(none) : text;
}

bool parse_marks(std::string_view text, std::map<std::string, std::uint64_t>& marks) {
  return text == none || split(text, ',', [&marks](std::string_view mark) {
           const auto equals = mark.find('=');
           if (equals == std::string_view::npos || equals == 0) return false;
           const auto seq = parse_number(mark.substr(equals + 1));
           if (seq) marks[std::string(mark.substr(0, equals))] = *seq;
           return seq.has_value();
         });
}

// The newest history; among equals the deepest, and then the first by name, so that all choose alike.
const reports_by_origin::value_type* best_of(const reports_by_origin& reports) {
  const reports_by_origin::value_type* best = nullptr;
  for (const auto& each : reports) {
    const report& one = each.second;
    if (!one.has_history()) continue;
    const bool is_better = best == nullptr || is_further(one.last, best->second.last) ||
                           (one.last == best->second.last && one.low < best->second.low);
    if (is_better) best = &each;
  }
  return best;
}

std::vector<std::string> missing_members(const reports_by_origin& reports) {
  std::set<std::string> missing;
  for (const auto& [origin, each] : reports) {
    for (const std::string& member : each.members) {
      if (!reports.contains(member)) missing.insert(member);
    }
  }
  return {missing.begin(), missing.end()};
}

// What of the stream in Redis stays, seen from a node that has read more than it, or something else.
position kept_by(const repair_input& from, const report& own) {
  const log_facts& log = from.log;
  if (log.tail == nullptr) return {};
  if (!log.log_id.empty() && log.log_id != own.log_id) return {};
  position keep;
  if (const entry_ptr mine = from.held.at(log.tail->at.index)) {
    if (is_same_entry(*mine, *log.tail)) keep = log.tail->at;
  }
  if (keep.index == 0)
    keep = common_position(from.own_chain, own.last, log.chain, log.tail->at.index);
  const std::uint64_t oldest = log.first->at.index;
  // Nothing to go on from: it is trimmed there, or what follows is no longer held here.
  if (keep.index < oldest || keep.index + 1 < from.held.low()) return {};
  return keep;
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

std::string barrier_text(const repair_input& from, const std::string& round) {
  std::vector<std::string> heard;
  for (const auto& [origin, each] : from.reports) heard.push_back(origin);
  return "round=" + round + " heard=" + join(heard) +
         " missing=" + or_none(join(missing_members(from.reports)));
}

// The result's chain, and whether this node's history is a part of it.
struct outcome {
  bool is_own_branch = false;
  bool is_shortened = false;  // the stream has lost entries that the watermarks count
};

outcome judge(const repair_input& from, const report& own) {
  const log_facts& log = from.log;
  outcome result;
  result.is_shortened = log.tail == nullptr || log.is_damaged ||
                        (log.has_meta && log.tail->at != position{log.epoch, log.top});
  if (!own.has_history()) return result;
  if (log.tail == nullptr || !is_further(log.tail->at, own.last)) {
    result.is_own_branch = true;
  } else if (log.held && from.held.at(own.last.index)) {
    result.is_own_branch = is_same_entry(*log.held, *from.held.at(own.last.index));
  }
  // Without a meta key nobody vouches for a stream that goes on elsewhere.
  if (!result.is_own_branch && !log.has_meta) result.is_own_branch = true;
  return result;
}

}  // namespace

std::string format_report(const report& what) {
  std::string marks;
  for (const auto& [origin, seq] : what.marks) {
    if (!marks.empty()) marks += ',';
    marks += origin + '=' + std::to_string(seq);
  }
  return or_none(what.log_id) + ' ' + format_position(what.last) + ' ' + std::to_string(what.low) +
         ' ' + or_none(join(what.members)) + ' ' + or_none(std::move(marks));
}

std::optional<report> parse_report(std::string_view text) {
  std::vector<std::string_view> words;
  split(text, ' ', [&words](std::string_view word) {
    words.push_back(word);
    return true;
  });
  if (words.size() != 5) return std::nullopt;
  report result;
  if (words[0] != none) result.log_id = words[0];
  const auto last = parse_position(words[1]);
  const auto low = parse_number(words[2]);
  if (!last || !low) return std::nullopt;
  result.last = *last;
  result.low = *low;
  if (words[3] != none) {
    const bool are_names = split(words[3], ',', [&result](std::string_view name) {
      result.members.emplace_back(name);
      return !name.empty();
    });
    if (!are_names) return std::nullopt;
  }
  if (!parse_marks(words[4], result.marks)) return std::nullopt;
  return result;
}

std::string make_round(std::string name, std::string_view incarnation) {
  name += '@';
  name += incarnation;
  return name;
}

bool is_round_of(std::string_view round, std::string_view incarnation) {
  const auto at = round.find('@');
  return at != std::string_view::npos && round.substr(at + 1) == incarnation;
}

choice choose_actor(const reports_by_origin& reports, patience waited) {
  choice result;
  if (reports.empty()) return result;
  result.missing = missing_members(reports);
  if (!result.missing.empty() && !waited.is_grace_over) return result;
  if (const auto* const best = best_of(reports)) {
    result.actor = best->first;
  } else if (waited.is_boot_over) {
    result.actor = reports.begin()->first;
  }
  return result;
}

repair_plan plan_repair(const repair_input& from) {
  const log_facts& log = from.log;
  const report& own = from.reports.at(from.origin);
  const outcome found = judge(from, own);
  repair_plan plan;
  plan.log_id = log.log_id;
  if (log.tail) plan.keep = log.tail->at;
  plan.chain = log.chain.up_to(plan.keep.index);
  if (found.is_own_branch) {
    const bool is_ahead = log.tail && is_further(log.tail->at, own.last) && log.held;
    if (!is_ahead) plan.keep = kept_by(from, own);
    // Where the stream is lost, what the other keys say of it goes first.
    plan.removes = log.tail ? plan.keep != log.tail->at : !log.chain.empty();
    // A node that has just skipped to the floor may hold nothing at all.
    plan.restores = plan.keep.index < own.last.index && from.held.low() <= own.last.index;
    plan.log_id = own.log_id;
    plan.chain = plan.keep.index > 0 ? log.chain.up_to(plan.keep.index) : epoch_chain();
    // This node may know of an epoch of which it has read nothing.
    const epoch_chain own_chain = from.own_chain.up_to(own.last.index);
    for (const auto& each : own_chain.segments()) plan.chain.add(each.epoch, each.first);
  }
  if (plan.keep.index == 0 && !plan.restores) {
    // Nothing is left anywhere: indexes begin anew, so this is another log.
    plan.chain = epoch_chain();
    plan.log_id.clear();
  }
  if (plan.log_id.empty()) plan.log_id = from.fresh_log_id;
  if (plan.chain.empty() && log.tail && plan.keep.index > 0)
    plan.chain.add(log.first->at.epoch, log.first->at.index);

  // What was read on a branch that is lost must not make its messages count as known (the twin of H8).
  const std::uint64_t end = std::max(plan.keep.index, plan.restores ? own.last.index : 0);
  std::uint64_t newest = plan.chain.empty() ? 0 : plan.chain.segments().back().epoch;
  for (const auto& [origin, each] : from.reports) {
    newest = std::max(newest, each.last.epoch);
    if (each.log_id != plan.log_id || !plan.chain.holds(each.last, end)) continue;
    for (const auto& [name, seq] : each.marks) plan.marks[name] = std::max(plan.marks[name], seq);
  }
  plan.replaces_marks = plan.removes || found.is_shortened;
  plan.barrier = barrier_text(from, log.round);
  plan.claim.round = log.round;
  newest = std::max({newest, log.epoch, log.tail ? log.tail->at.epoch : 0});
  plan.epoch = (term_of(newest) + 1) * epochs_per_term + from.epoch_digits;
  return plan;
}

}  // namespace ordeal::chat
