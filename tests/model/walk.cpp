#include "tests/model/walk.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>

#include "net/async/assert.h"

namespace ordeal::chat::model {
namespace {

constexpr std::uint64_t walk_steps_max = 900;
constexpr std::uint64_t segment_steps_max = 300;  // until everything comes to rest

// How likely an action is tried; nodes' own doing against what happens to them.
struct weight {
  action what;
  unsigned calm, stormy;
};
constexpr std::array<weight, 31> weights{{
    {action::exchange, 300, 300},  {action::issue, 40, 60},
    {action::execute, 100, 100},   {action::receive, 100, 100},
    {action::drop_before, 4, 15},  {action::drop_after, 4, 20},
    {action::lose, 2, 8},          {action::zombify, 2, 12},
    {action::run_zombie, 4, 8},    {action::trouble, 2, 4},
    {action::read, 300, 200},      {action::read_entries, 40, 60},
    {action::read_facts, 80, 80},  {action::read_receive, 80, 80},
    {action::lose_reader, 5, 10},  {action::add, 40, 40},
    {action::retry, 8, 8},         {action::beat, 40, 40},
    {action::crash, 1, 4},         {action::join, 8, 8},
    {action::cut, 1, 6},           {action::heal, 6, 6},
    {action::save, 6, 10},         {action::restart, 1, 4},
    {action::restart_empty, 1, 3}, {action::restart_from_save, 2, 6},
    {action::wipe, 1, 2},          {action::lose_key, 1, 3},
    {action::promote, 1, 3},       {action::promote_lagging, 1, 4},
    {action::miscount, 1, 3},
}};

constexpr const char* assertion_broke = "assertion";

using generator = std::mt19937_64;

std::uint64_t below(generator& random, std::uint64_t end) {
  return random() % end;
}

// Where an assertion of the machine finds what broke it.
const counterexample* under_way = nullptr;

std::string narration_under_way;

void print_narration() noexcept {
  std::fputs(narration_under_way.c_str(), stderr);
}

// Shrinks the walk, then runs it once more, with everything that was said.
void explain_assertion() noexcept {
  if (under_way == nullptr) return;
  counterexample found = *under_way;
  found.violation = assertion_broke;
  found = shrink(std::move(found));
  net::set_assert_handler(&print_narration);
  replay(found.steps, found.options, &narration_under_way);
}

class chooser {
 public:
  explicit chooser(generator& random) : random_(random) {
    const std::uint64_t storm = below(random_, 101);
    for (const weight& each : weights) {
      total_ += each.calm * (100 - storm) + each.stormy * storm;
      sums_.push_back(total_);
    }
    // Some nodes are slow, now and then all are.
    for (unsigned& speed : speeds_) speed = below(random_, 3) == 0 ? 15 : 100;
  }

  step next(const world& from) {
    for (;;) {
      const auto place = std::upper_bound(sums_.begin(), sums_.end(), below(random_, total_));
      step result;
      result.what = weights.at(static_cast<std::size_t>(place - sums_.begin())).what;
      result.node = static_cast<std::uint8_t>(below(random_, node_count));
      if (has_node(result.what) && below(random_, 100) >= speeds_.at(result.node)) continue;
      if (!has_node(result.what)) result.node = 0;
      result.which = static_cast<std::uint8_t>(which(result.what, from));
      if (from.can(result)) return result;
    }
  }

 private:
  std::uint64_t which(action what, const world& from) {
    if (what == action::lose_key) return below(random_, log_key_count);
    if (what == action::miscount) return below(random_, node_count);
    if (what == action::restart_from_save || what == action::promote_lagging)
      return below(random_, 2);
    if (what != action::retry) return 0;
    return below(random_, std::clamp<std::uint64_t>(from.facts().identities, 1, 250));
  }

  generator& random_;
  std::vector<std::uint64_t> sums_;
  std::uint64_t total_ = 0;
  std::array<unsigned, node_count> speeds_{};
};

// Those who have read the log are at rest, perhaps somebody has just come, and Redis fails.
void fail_at_rest(generator& random, const world& now, const std::function<void(step)>& go) {
  constexpr std::array<action, 5> faults{action::restart, action::restart_empty, action::wipe,
                                         action::lose_key, action::promote};
  const auto node = static_cast<std::uint8_t>(below(random, node_count));
  const auto try_to = [&](step next) {
    if (now.can(next) && now.violation().empty()) go(next);
  };
  if (below(random, 2) == 0) try_to(step{action::crash, node, 0});
  try_to(step{action::join, node, 0});
  const auto key = static_cast<std::uint8_t>(below(random, log_key_count));
  const action fault = faults.at(below(random, faults.size()));
  try_to(step{fault, 0, fault == action::lose_key ? key : std::uint8_t{0}});
  try_to(step{action::settle, 0, 0});
}

std::string kind_of(const std::string& violation) {
  return violation.substr(0, violation.find_first_of(" :"));
}

// In a process of its own: an assertion ends it.
std::string violation_of(const trace& steps, const world_options& options) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    net::set_assert_handler(nullptr);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    const std::string violation = replay(steps, options).violation();
    const bool is_written = write(ends[1], violation.data(), violation.size()) >= 0;
    _exit(is_written ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t count = 1; count > 0;) {
    count = read(ends[0], part.data(), part.size());
    if (count > 0) text.append(part.data(), static_cast<std::size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? assertion_broke : text;
}

}  // namespace

std::string walk_tally::text() const {
  return std::to_string(walks) + " walks, " + std::to_string(steps) + " steps, " +
         std::to_string(recoveries) + " recoveries, " + std::to_string(forks) +
         " nodes on a fork, " + std::to_string(rests) + " times at rest";
}

std::string counterexample::text() const {
  if (violation.empty()) return {};
  std::string narration;
  replay(steps, options, &narration);
  return violation + "\n" + narration;
}

world_options all_faults() {
  world_options options;
  options.bounds = limits::endless();
  return options;
}

world_options walk_options(std::uint64_t seed, const world_options& base) {
  generator random(seed);
  world_options options = base;
  options.machine.batch_entries_max = 1 + below(random, 3);
  options.machine.restore_entries_max = 1 + below(random, 3);
  options.redis.truncate_max = 1 + below(random, 3);
  if (below(random, 4) == 0) options.machine.delivery = delivery_mode::stable;
  return options;
}

counterexample walk(std::uint64_t seed, const world_options& base, std::uint64_t steps_max,
                    walk_tally& tally) {
  counterexample found;
  found.options = walk_options(seed, base);
  generator random(seed ^ 0x5bd1'e995U);
  chooser choose(random);
  under_way = &found;
  net::set_assert_handler(&explain_assertion);
  world now(found.options);
  const auto go = [&](step next) {
    found.steps.push_back(next);
    now.take(next);
    ++tally.steps;
  };
  if (below(random, 4) != 0) go(step{action::settle, 0, 0});  // else from the very beginning
  const std::uint64_t length = std::min(steps_max, walk_steps_max);
  std::uint64_t until_rest = segment_steps_max;
  for (std::uint64_t i = 0; i < length && now.violation().empty(); ++i) {
    go(choose.next(now));
    if (--until_rest > 0 || !now.violation().empty()) continue;
    until_rest = segment_steps_max;
    go(step{action::settle, 0, 0});
    if (below(random, 2) == 0) fail_at_rest(random, now, go);
  }
  if (now.violation().empty()) go(step{action::settle, 0, 0});
  ++tally.walks;
  tally.recoveries += now.counts().recoveries;
  tally.forks += now.counts().forks;
  tally.rests += now.counts().rests;
  net::set_assert_handler(nullptr);
  under_way = nullptr;
  found.violation = now.violation();
  return found;
}

counterexample walk_many(std::uint64_t first_seed, const world_options& base, std::uint64_t steps,
                         walk_tally& tally) {
  for (std::uint64_t seed = first_seed; tally.steps < steps; ++seed) {
    counterexample found = walk(seed, base, walk_steps_max, tally);
    if (found.violation.empty()) continue;
    found = shrink(std::move(found));
    found.violation = "seed " + std::to_string(seed) + ": " + found.violation;
    return found;
  }
  return {};
}

world replay(const trace& steps, const world_options& options, std::string* narration) {
  world now(options);
  now.narrate_to(narration);
  for (const step each : steps) {
    if (!now.can(each)) continue;
    if (narration != nullptr) *narration += "  " + to_string(each) + "\n";
    now.take(each);
    if (!now.violation().empty()) break;
  }
  now.narrate_to(nullptr);
  return now;
}

counterexample shrink(counterexample found) {
  const std::string kind = kind_of(found.violation);
  const auto fails = [&](const trace& steps) {
    const std::string violation = violation_of(steps, found.options);
    if (violation.empty() || kind_of(violation) != kind) return false;
    found.violation = violation;
    return true;
  };
  for (std::size_t size = std::max<std::size_t>(found.steps.size() / 2, 1); size > 0;) {
    bool has_changed = false;
    for (std::size_t from = 0; from < found.steps.size();) {
      trace fewer = found.steps;
      const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(from);
      fewer.erase(first, first + static_cast<std::ptrdiff_t>(std::min(size, fewer.size() - from)));
      if (fails(fewer)) {
        found.steps = std::move(fewer);
        has_changed = true;
      } else {
        from += size;
      }
    }
    if (size > 1) {
      size /= 2;
    } else if (!has_changed) {
      size = 0;
    }
  }
  fails(found.steps);
  return found;
}

}  // namespace ordeal::chat::model
