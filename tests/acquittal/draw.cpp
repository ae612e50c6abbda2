#include "tests/acquittal/draw.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "net/async/random.h"

namespace ordeal::acquittal {
namespace {

using draws = net::random_stream;

// A fault is confirmed, and confirmed to be healed, within this time on a loaded machine too: another one that must
// not meet it keeps this distance.
constexpr milliseconds distance{1'000};
constexpr milliseconds first_fault_at{300};
constexpr milliseconds held_min{300}, held_max{2'500};
constexpr int attempts_max = 20;

std::size_t between(draws& from, std::size_t least, std::size_t most) {
  return least + static_cast<std::size_t>(from.below(most - least + 1));
}

// In steps of 10 ms, which read better.
milliseconds between(draws& from, milliseconds least, milliseconds most) {
  const auto steps = static_cast<std::uint64_t>((most - least).count() / 10);
  return least + milliseconds(10 * static_cast<std::int64_t>(from.below(steps + 1)));
}

bool chance(draws& from, std::uint64_t percent) {
  return from.below(100) < percent;
}

milliseconds length(const drawn_scenario& of) {
  milliseconds sum{};
  for (const milliseconds phase : of.phases) sum += phase;
  return sum;
}

std::string text(milliseconds value) {
  return std::to_string(value.count()) + "ms";
}

void draw_load(draws& from, drawn_scenario& into) {
  into.nodes = between(from, 2, 4);
  into.clients_per_node = between(from, 2, 12);
  into.rooms = between(from, 1, 6);
  into.rooms_each = std::min(between(from, 1, 3), into.rooms);
  into.rooms = std::min(into.rooms, into.nodes * into.clients_per_node * into.rooms_each);
  into.rate = between(from, 20, 400);
  into.payload_bytes = between(from, 100, 1'000);
  into.is_poisson = chance(from, 50);
  into.is_reconnecting_anywhere = chance(from, 50);
  into.is_synced_always = chance(from, 30);
  into.auth = static_cast<drawn_scenario::login>(from.below(3));
  const milliseconds declared = between(from, milliseconds(4'000), milliseconds(8'000));
  into.phases = {declared};
  if (chance(from, 25)) {
    const milliseconds first = between(from, declared / 3, declared / 2);
    into.phases = {first, declared - first};
  }
}

void draw_password_change(draws& from, drawn_fault& into) {
  const std::string kick = chance(from, 70) ? "true" : "false";
  if (chance(from, 50)) {
    into.with = "change: revoke, kick: " + kick;
    return;
  }
  into.held = between(from, milliseconds(100), milliseconds(2'000));
  into.has_duration = false;
  into.with = "change: rotate, kick: " + kick + ", tell_nodes_after: " + text(into.held);
}

struct kind {
  const char* name;
  place where;
};
constexpr kind kinds[] = {{"redis_kill", place::redis},    {"redis_stop", place::redis},
                          {"redis_pause", place::redis},   {"redis_password", place::redis},
                          {"link_refuse", place::link},    {"link_reset", place::link},
                          {"link_blackhole", place::link}, {"link_latency", place::link},
                          {"link_bandwidth", place::link}, {"node_kill", place::node},
                          {"node_pause", place::node}};

drawn_fault draw_fault(draws& from, const drawn_scenario& within) {
  const kind& what = kinds[from.below(std::size(kinds))];
  drawn_fault fault;
  fault.kind = what.name;
  fault.where = what.where;
  fault.held = between(from, held_min, held_max);
  if (what.where != place::redis && chance(from, 80)) fault.node = between(from, 1, within.nodes);
  if (fault.kind == "redis_password") draw_password_change(from, fault);
  if (fault.kind == "link_latency") {
    fault.with = "latency: " + text(between(from, milliseconds(20), milliseconds(200)));
    if (chance(from, 50)) fault.with += ", jitter: 50ms";
  }
  if (fault.kind == "link_bandwidth")
    fault.with = "rate: " + std::to_string(between(from, std::size_t{50}, 1'000)) + "kB/s";
  if (fault.kind == "link_reset") {
    fault.has_duration = chance(from, 40);
    if (fault.has_duration) {
      fault.with = "every: " + text(between(from, milliseconds(100), milliseconds(500)));
    } else {
      fault.held = {};
    }
  }
  return fault;
}

bool fits(const drawn_fault& added, const drawn_scenario& into) {
  if (added.kind == "redis_password" && into.auth == drawn_scenario::login::none) return false;
  if (added.at + added.held > length(into)) return false;
  return std::all_of(into.faults.begin(), into.faults.end(), [&added](const drawn_fault& other) {
    return may_overlap(added, other) || added.at > other.at + other.held + distance ||
           other.at > added.at + added.held + distance;
  });
}

// Some scenarios stay shorter of faults than wanted: nothing that fits was drawn.
void draw_faults(draws& from, drawn_scenario& into) {
  const std::size_t wanted = chance(from, 10) ? 0 : between(from, 1, 3);
  for (int attempt = 0; attempt < attempts_max && into.faults.size() < wanted; ++attempt) {
    drawn_fault next = draw_fault(from, into);
    next.at = between(from, first_fault_at, length(into) - milliseconds(100));
    if (!into.faults.empty() && chance(from, 60)) {
      const drawn_fault& other = into.faults[from.below(into.faults.size())];
      next.at = between(from, other.at, other.at + other.held);
    }
    if (fits(next, into)) into.faults.push_back(std::move(next));
  }
  std::stable_sort(
      into.faults.begin(), into.faults.end(),
      [](const drawn_fault& left, const drawn_fault& right) { return left.at < right.at; });
}

bool is_disjoint(const drawn_fault& one, const drawn_fault& other) {
  return one.node && other.node && *one.node != *other.node;
}

std::string phase_name(std::size_t index) {
  return index == 0 ? "early" : "late";
}

std::string fault_yaml(const drawn_fault& fault, std::size_t index, const drawn_scenario& of) {
  // A time stands in the phase that it falls into.
  const bool is_late = of.phases.size() > 1 && fault.at >= of.phases.front();
  const milliseconds offset = is_late ? fault.at - of.phases.front() : fault.at;
  std::string row = "  - { name: f" + std::to_string(index + 1) + ", at: " + phase_name(is_late) +
                    "+" + text(offset) + ", kind: " + fault.kind;
  if (fault.node) row += ", target: { node: " + std::to_string(*fault.node) + " }";
  if (fault.has_duration) row += ", for: " + text(fault.held);
  if (!fault.with.empty()) row += ", with: { " + fault.with + " }";
  return row + " }\n";
}

}  // namespace

bool is_overlapping(const drawn_fault& one, const drawn_fault& other) {
  return one.at <= other.at + other.held && other.at <= one.at + one.held;
}

bool may_overlap(const drawn_fault& one, const drawn_fault& other) {
  if (one.where == other.where) return one.where != place::redis && is_disjoint(one, other);
  const auto needs = [](const drawn_fault& fault, const drawn_fault& beside) {
    // Its own confirmation needs a Redis that answers, or connections of a node that works.
    const bool is_choosy = fault.kind == "link_reset" || fault.kind == "link_latency" ||
                           fault.kind == "link_bandwidth";
    if (!is_choosy) return false;
    return beside.where == place::redis ||
           (beside.where == place::node && !is_disjoint(fault, beside));
  };
  return !needs(one, other) && !needs(other, one);
}

drawn_scenario draw(std::uint64_t seed) {
  drawn_scenario result;
  result.seed = seed;
  draws load(seed, "acquittal-load"), faults(seed, "acquittal-faults");
  draw_load(load, result);
  draw_faults(faults, result);
  return result;
}

std::string to_yaml(const drawn_scenario& from, const std::string& target) {
  using login = drawn_scenario::login;
  std::string yaml = "schema_version: 1\nname: acquittal-" + std::to_string(from.seed) +
                     "\ndescription: Drawn at random; a correct node survives it without a finding."
                     "\ntags: [acquittal]\nbackplane:\n  redis:\n    mode: managed\n    "
                     "persistence: ";
  yaml += from.is_synced_always ? "aof_always\n" : "aof\n";
  if (from.auth == login::password) yaml += "    auth: { password: generated }\n";
  if (from.auth == login::user) yaml += "    auth: { user: chat, password: generated }\n";
  yaml +=
      "target: { name: \"" + target + "\", nodes: " + std::to_string(from.nodes) + " }\nload:\n";
  yaml += "  rooms: " + std::to_string(from.rooms) +
          "\n  clients: { per_node: " + std::to_string(from.clients_per_node) +
          ", rooms_each: " + std::to_string(from.rooms_each) +
          ", ramp: 300ms, reconnect: " + (from.is_reconnecting_anywhere ? "any" : "same") + " }\n";
  yaml += "  publish: { rate: " + std::to_string(from.rate) +
          "/s, payload: " + std::to_string(from.payload_bytes) +
          "B, arrival: " + (from.is_poisson ? "poisson" : "constant") + " }\nphases:\n";
  for (std::size_t i = 0; i < from.phases.size(); ++i) {
    yaml += "  - { name: " + phase_name(i) + ", duration: " + text(from.phases[i]) + " }\n";
  }
  if (!from.faults.empty()) yaml += "faults:\n";
  for (std::size_t i = 0; i < from.faults.size(); ++i) yaml += fault_yaml(from.faults[i], i, from);
  return yaml;
}

std::string one_line(const drawn_scenario& from) {
  char words[120];
  std::snprintf(words, sizeof words, "%zu nodes, %zu rooms, %2zu clients x %zu, %3zu/s %s",
                from.nodes, from.rooms, from.nodes * from.clients_per_node, from.rooms_each,
                from.rate, from.is_poisson ? "poisson" : "constant");
  std::string line = words;
  for (std::size_t i = 0; i < from.faults.size(); ++i) {
    const drawn_fault& fault = from.faults[i];
    const bool is_meeting = i > 0 && is_overlapping(from.faults[i - 1], fault);
    line += (i == 0 ? "; " : is_meeting ? " & " : ", ") + fault.kind;
    if (fault.where != place::redis) line += '@' + (fault.node ? std::to_string(*fault.node) : "*");
  }
  return line;
}

}  // namespace ordeal::acquittal
