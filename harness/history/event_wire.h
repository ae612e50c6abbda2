// What the two sides of the event codec share (docs/formats.md): kinds, tag bits, and the memory of
// a chunk, from which both predict the same. Nothing here outlives a chunk, so that every chunk can
// be read by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/history/event.h"

namespace ordeal::harness::wire {

// In the low six bits of a tag. Numbers are for ever.
enum class kind : std::uint8_t {
  send_invoked = 0,
  send_settled = 1,
  delivered = 2,  // never written: deliveries have a tag of their own
  join_invoked = 3,
  join_confirmed = 4,
  room_left = 5,
  reset_received = 6,
  client_connected = 7,
  client_disconnected = 8,
  fault_changed = 9,
  node_changed = 10,
  phase_changed = 11,
  generator_lag = 12,
  tapped = 13,
  node_usage = 14,
  redis_usage = 15,
  observer_usage = 16,
  clock_jumped = 17,
  run_ended = 18,
  reason_heard = 19,
  backplane_seen = 20,
  client_cut = 21  // a client_disconnected by Ordeal itself
};

// Of every tag.
inline constexpr unsigned is_delivered_bit = 0x80;
inline constexpr unsigned goes_back_bit = 0x40;
inline constexpr unsigned kind_mask = 0x3f;

// Of a delivery's tag: which fields follow because they are not those of the delivery before.
inline constexpr unsigned client_follows_bit = 0x20;
inline constexpr unsigned message_follows_bit = 0x10;
inline constexpr unsigned exceptions_follow_bit = 0x08;
inline constexpr unsigned unused_delivery_bits = 0x07;

// Of a delivery's exceptions.
inline constexpr unsigned payload_mask = 0x03;
inline constexpr unsigned unknown_room_bit = 0x04;
inline constexpr unsigned node_follows_bit = 0x08;
inline constexpr unsigned room_follows_bit = 0x10;
inline constexpr unsigned intended_follows_bit = 0x20;
inline constexpr unsigned unused_exception_bits = 0xc0;

// Of a generator_lag.
inline constexpr unsigned was_skipped_bit = 0x01;
inline constexpr unsigned lag_follows_bit = 0x02;
inline constexpr unsigned skip_reason_shift = 2;

// Of a send_settled: in the place of the outcome.
inline constexpr unsigned unanswered_outcome = 3;

inline constexpr std::uint32_t id_bound = 1U << 24;    // clients, nodes, rooms and faults are below
inline constexpr std::size_t reason_bytes_max = 1024;  // longer ones are cut
inline constexpr std::size_t text_bytes_max = 1024 * 1024;  // longer texts are cut

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
}

// Times are added and subtracted modulo 2^64, so that any two of them have a difference.
constexpr std::int64_t difference(run_time a, run_time b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a.count()) -
                                   static_cast<std::uint64_t>(b.count()));
}
constexpr run_time moved(run_time at, std::uint64_t by) {
  return run_time(static_cast<std::int64_t>(static_cast<std::uint64_t>(at.count()) + by));
}

// A message that was named in this chunk, and when its sender meant to send it.
struct named_message {
  message_id id;
  run_time intended{};
};

class chunk_memory {
 public:
  chunk_memory() : seats_(seat_count) {}

  void forget(run_time first) {
    at = first;
    messages.clear();
    reasons.clear();
    last_delivery.reset();
    ++generation_;
  }

  // Where the client's last delivery in this chunk was. Clients that are equal modulo 16384 share a place, so that
  // no number that a file names makes this grow.
  std::optional<node_id> node_of(client_id client) const {
    const seat& found = seats_[index_of(client) % seat_count];
    if (found.generation != generation_ || found.client != client) return std::nullopt;
    return found.node;
  }
  void set_node(client_id client, node_id where) {
    seats_[index_of(client) % seat_count] = {client, where, generation_};
  }

  run_time at{};                        // of the event before
  std::vector<named_message> messages;  // in the order in which they were first named
  std::vector<std::string> reasons;     // texts, in the order in which they were first named
  struct delivery {
    client_id client{};
    std::size_t message = 0;  // index into `messages`
  };
  std::optional<delivery> last_delivery;

 private:
  static constexpr std::size_t seat_count = 16384;
  struct seat {
    client_id client{};
    node_id node{};
    std::uint64_t generation = 0;
  };
  std::vector<seat> seats_;
  std::uint64_t generation_ = 0;
};

}  // namespace ordeal::harness::wire
