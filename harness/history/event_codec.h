// Events as bytes and back (docs/formats.md), without loss. A delivery names only what cannot be foretold from its
// chunk so far: mostly the time since the event before, the client, and which of the messages named lately it is.
// Pure: no I/O, no clock. One thread each.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/history/event.h"
#include "harness/history/event_wire.h"

namespace ordeal::harness {

run_time time_of(const event& what);

namespace wire {

// Bytes that grow; numbers are little-endian base 128.
class byte_writer {
 public:
  byte_writer() { bytes_.resize(4096); }

  void clear() { used_ = 0; }
  std::string_view view() const { return {bytes_.data(), used_}; }

  // Room for so many bytes of what follows; numbers do not ask for it themselves.
  void reserve(std::size_t count) {
    if (bytes_.size() - used_ < count) bytes_.resize(2 * bytes_.size() + count);
  }
  void byte(unsigned value) { bytes_[used_++] = static_cast<char>(value); }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<unsigned>(value & 0x7f) | 0x80);
    byte(static_cast<unsigned>(value));
  }
  void signed_number(std::int64_t value) { number(zigzag(value)); }
  void text(std::string_view value);

 private:
  std::string bytes_;
  std::size_t used_ = 0;
};

// Where a message stands in the chunk's memory, as far as the encoder remembers: a message that it has forgotten is
// named again.
class message_index {
 public:
  message_index() : slots_(slot_count) {}
  void forget() { ++generation_; }
  std::optional<std::size_t> find(const message_id& id) const;
  void set(const message_id& id, std::size_t index);

 private:
  static constexpr std::size_t slot_count = 4096;
  struct slot {
    message_id id;
    std::uint32_t index = 0;
    std::uint64_t generation = 0;
  };
  static std::size_t slot_of(const message_id& id);
  std::vector<slot> slots_;
  std::uint64_t generation_ = 1;
};

struct encoder_state {
  byte_writer out;
  chunk_memory memory;
  message_index index;
};

}  // namespace wire

class event_encoder {
 public:
  // A new chunk, whose times count from `first`.
  void begin(run_time first);
  // Clients, nodes, rooms and faults are below 2^24; texts are cut at 1 MiB.
  void add(const event& what);
  // Of the chunk so far.
  std::string_view bytes() const { return state_.out.view(); }

 private:
  wire::encoder_state state_;
};

// Takes any bytes: what is wrong is told by problem(), nothing is read or kept beyond them.
class event_decoder {
 public:
  // `bytes` must outlive the reading.
  void begin(std::string_view bytes, run_time first);
  // The next event; nullopt at the end or from the first problem on.
  std::optional<event> next();

  const std::string& problem() const { return problem_; }  // empty: none
  // Where the last event that was asked for begins; the number of bytes at the end.
  std::size_t position() const { return position_; }
  run_time last_time() const { return memory_.at; }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
  std::size_t following_ = 0;
  std::string problem_;
  wire::chunk_memory memory_;
};

}  // namespace ordeal::harness
