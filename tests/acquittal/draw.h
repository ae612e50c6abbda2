// Draws the scenario of one acquittal run from its seed: a load and up to three faults that a correct node survives
// without a finding. Plain values, no I/O; the same seed draws the same scenario on every machine.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ordeal::acquittal {

using std::chrono::milliseconds;

// What a fault acts on: this decides which other faults may be in force at the same time.
enum class place { redis, link, node };

struct drawn_fault {
  std::string kind;
  place where{};
  std::optional<std::size_t> node;  // from 1; none: Redis, or every node
  milliseconds at{};                // after the start of the first phase
  milliseconds held{};              // until it begins to heal; 0: over at once
  bool has_duration = true;         // `held` is written as `for`
  std::string with;                 // parameters as YAML, empty: none
};

struct drawn_scenario {
  std::uint64_t seed = 0;
  std::size_t nodes = 0, rooms = 0, clients_per_node = 0, rooms_each = 0;
  std::size_t rate = 0, payload_bytes = 0;
  bool is_poisson = false, is_reconnecting_anywhere = false, is_synced_always = false;
  enum class login { none, password, user } auth = login::none;
  std::vector<milliseconds> phases;
  std::vector<drawn_fault> faults;  // by `at`
};

drawn_scenario draw(std::uint64_t seed);

// May both take effect and be seen to, although they are in force at the same time?
bool may_overlap(const drawn_fault& one, const drawn_fault& other);
bool is_overlapping(const drawn_fault& one, const drawn_fault& other);

std::string to_yaml(const drawn_scenario& from, const std::string& target);
// "3 nodes, 2 rooms, 24 clients x 1, 180/s poisson; redis_kill, link_reset@2"
std::string one_line(const drawn_scenario& from);

}  // namespace ordeal::acquittal
