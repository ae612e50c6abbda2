// What the hub counts: plain integers, because a delivery must not pay for more. Metrics read them
// at a scrape.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ordeal::chat {

enum class send_failure { retry_log, retry_congested, refused_log, refused_arguments };
inline constexpr std::size_t send_failure_count = 4;

enum class reset_cause { gap, trimmed, unknown_log, future, fork };
inline constexpr std::size_t reset_cause_count = 5;

enum class end_cause {
  peer,
  slow,  // more came for it than its queue holds
  silent,
  handshake,
  protocol,
  log_unavailable,
  drain,
  lost,
  stalled,  // it took nothing of what waited for it
  memory    // of all clients together; it was the slowest
};
inline constexpr std::size_t end_cause_count = 10;

// A fixed set of counters, one for each value of an enum.
template <class Enum, std::size_t Count>
struct counted {
  std::array<std::uint64_t, Count> values{};
  std::uint64_t& operator[](Enum which) { return values[static_cast<std::size_t>(which)]; }
  std::uint64_t operator[](Enum which) const { return values[static_cast<std::size_t>(which)]; }
};

// How many records went out in one write: buckets 1, 2, 4 ... 64 and above.
struct frame_sizes {
  static constexpr std::size_t bucket_count = 8;
  std::array<std::uint64_t, bucket_count> buckets{};
  std::uint64_t records = 0;

  void observe(std::size_t record_count) {
    std::size_t bucket = 0;
    while (bucket + 1 < bucket_count && (std::size_t{1} << bucket) < record_count) ++bucket;
    ++buckets[bucket];
    records += record_count;
  }
};

struct hub_counters {
  std::uint64_t connections_opened = 0;
  std::uint64_t refused = 0;          // clients for which there was no room
  std::uint64_t foreign_origins = 0;  // requests of an Origin that may not use the hub
  std::uint64_t large_headers = 0;    // requests answered with 431
  std::uint64_t resumed = 0;          // connections that took over a waiting session
  std::uint64_t sends = 0;            // Send invocations
  std::uint64_t entries = 0;          // messages that came back through the log
  std::uint64_t deliveries = 0;       // entry times client
  std::uint64_t replayed = 0;         // deliveries from the past, after a Join with a cursor
  std::chrono::nanoseconds catch_up_wait{0};  // for clients, while this node was behind its log
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  frame_sizes frames;
  counted<send_failure, send_failure_count> send_failures;
  counted<reset_cause, reset_cause_count> resets;
  counted<end_cause, end_cause_count> ends;
};

}  // namespace ordeal::chat
