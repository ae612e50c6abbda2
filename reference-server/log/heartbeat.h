// Heartbeats through the log: an entry that each node appends in each interval. That its own come
// back proves to a node that it can be heard and can hear (H12); those of others say how far they
// have read, so that entries below may leave the outbox (H6). Under load a node also beats when it
// has read much, or outboxes would fill between two beats. No I/O, no clock: time comes in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

class heartbeat {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using milliseconds = std::chrono::milliseconds;

  heartbeat(std::string origin, milliseconds interval, time_point started);

  // A silence of so many intervals counts as deafness, absence or unreadiness.
  static constexpr int intervals_max = 3;
  // Small against the outbox's limit.
  static constexpr std::size_t read_bytes_max = 2U << 20;

  time_point next_due() const { return next_due_; }
  // The text of a beat that is sent now.
  std::string make_beat(position last_read, time_point now);
  // The beat made last is in the log.
  void on_appended(time_point now);
  // A heartbeat was read from the log.
  void on_entry(const entry& beat, time_point now);
  // So much was read from the log. True when that makes a beat due.
  bool on_read(std::size_t bytes, time_point now);
  // A new reader or a new command connection: what was on its way counts no longer, and a beat is
  // due.
  void on_reconnect(time_point now);

  // A beat is in the log and did not come back for too long: one of the two connections is dead
  // without knowing it.
  bool is_echo_overdue(time_point now) const;
  std::optional<milliseconds> echo_age(time_point now) const;
  bool is_echo_recent(time_point now) const;

  // Own entries up to this index are held by someone besides this node: another node has read them.
  // When this node has heard of no other for some intervals there is nobody to hold them, and that
  // it has read them itself must do.
  std::uint64_t stable_index() const { return stable_index_; }

 private:
  bool is_alone(time_point now) const;

  std::string origin_;
  milliseconds interval_;
  milliseconds silence_max_;
  time_point next_due_;
  time_point last_other_;
  std::optional<time_point> last_echo_;
  std::optional<time_point> unanswered_since_;
  std::size_t read_bytes_ = 0;  // since the newest beat
  std::uint64_t sent_ = 0;      // number of the newest beat
  std::uint64_t appended_ = 0;  // of the newest beat known to be in the log
  std::uint64_t echoed_ = 0;    // of the newest beat that came back
  std::uint64_t stable_index_ = 0;
};

}  // namespace ordeal::chat
