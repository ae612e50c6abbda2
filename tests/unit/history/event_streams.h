// Streams of events for tests of the history: random ones with every kind and extreme values, and the traffic of an
// ordinary run.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "harness/history/event.h"
#include "harness/history/history_file.h"
#include "net/async/random.h"

namespace ordeal::harness {

// Any event that may stand in a history; times mostly go on by little from `at`, sometimes anywhere.
event random_event(net::random_stream& random, run_time& at);
std::vector<event> random_events(net::random_stream& random, std::size_t count);

// Two rooms, 200 clients on three nodes; each message reaches the 100 clients of its room within some ms, each node's
// in an order of its own. With joins, sends, settles, generator lag, taps and what processes use.
struct traffic {
  std::chrono::nanoseconds send_period = std::chrono::milliseconds(5);
  std::size_t clients = 200, rooms = 2, nodes = 3, messages = 2000;
};
std::vector<event> events_of(const traffic& what);

std::size_t deliveries_in(const std::vector<event>& events);
void expect_same(const std::vector<event>& actual, const std::vector<event>& expected);

// Everything that can be read; holes and damage are for the caller to ask about.
std::vector<event> read_all(event_source& from);

// A directory of its own, gone with it.
class scratch_directory {
 public:
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path history() const { return path_ / "history"; }

 private:
  std::filesystem::path path_;
};

std::string bytes_of(const std::filesystem::path& file);
void write_bytes(const std::filesystem::path& file, std::string_view bytes);

}  // namespace ordeal::harness
