// The history on disk (docs/formats.md): framed chunks with a checksum each, in files of a
// directory. What is in it is what the judge saw, event by event, so that it can be judged again.
//
//   fleet's thread: on(event) ─▶ chunk in memory ─▶ queue ─▶ the writer's own thread ─▶ file
//
// A chunk leaves when it is full or old (flush_bytes, flush_interval), whatever comes first.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/history/event.h"
#include "harness/history/event_source.h"

namespace ordeal::harness {

enum class history_mode {
  full,        // everything
  violations,  // a ring in memory; what lies around a finding is written
  none
};

struct history_options {
  history_mode mode = history_mode::full;
  std::size_t flush_bytes = 64 * 1024;
  std::chrono::milliseconds flush_interval{200};
  std::size_t queued_bytes_max = 64 * 1024 * 1024;  // beyond it chunks are dropped, and counted
  std::size_t ring_bytes = 8 * 1024 * 1024;         // of violations mode
  // In violations mode: chunks that begin so soon after what was found are written, too.
  std::chrono::milliseconds kept_after{1000};
  std::uint64_t file_bytes_max = 256 * 1024 * 1024;  // then the next file is begun
};

// Fleet's thread. Never blocks for the disk and never throws: trouble is kept for error().
class history_writer : public event_sink {
 public:
  // Makes the directory and the first file. `header` is the JSON of the terms; an empty one is fine.
  static std::unique_ptr<history_writer> make(const std::filesystem::path& directory,
                                              std::string header, history_options options);

  // To be called now and then (twice a second): flushes what is older than the interval.
  virtual void tick() = 0;
  // Something was found, or looks suspicious: in violations mode what the ring holds and what comes
  // next goes to disk.
  virtual void keep_surroundings() = 0;
  // Writes what is left and waits for the disk; nothing may follow.
  virtual void finish() = 0;

  virtual std::uint64_t dropped_events() const = 0;  // no room in the queue
  virtual std::string error() const = 0;             // of the first write that failed; empty: none
};

// Where a history was damaged, and how.
struct history_damage {
  std::string file;
  std::uint64_t offset = 0;
  std::string what;  // "the last chunk is torn: 812 of 4096 bytes"
};

// Events that are not in the files: no room in the queue, or (violations mode) not near anything that was found.
struct history_hole {
  std::uint64_t first_event = 0;  // counted from 0, over the whole run
  std::uint64_t events = 0;
  run_time from{}, until{};  // of the events around it
};

class history_reader : public event_source {
 public:
  // Throws std::runtime_error when there is no history at `directory`, or none that this program can read.
  static std::unique_ptr<history_reader> open(const std::filesystem::path& directory);

  virtual const std::string& header() const = 0;
  virtual history_mode mode() const = 0;
  // next(): nullopt at the end or where the damage begins. Known once it has returned that:
  virtual std::optional<history_damage> damage() const = 0;
  // Of what was read so far; none in a history of mode `full` that is complete.
  virtual const std::vector<history_hole>& holes() const = 0;
};

}  // namespace ordeal::harness
