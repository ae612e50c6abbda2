// When a heartbeat is due, and whether the node hears its own: that they come back through the log
// proves that it can be heard and can hear (docs/log-protocol.md, H12). Under load a node also beats when it has read
// much, or outboxes would fill between two beats. No I/O, no clock: time comes in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace ordeal::chat {

class heartbeat {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using milliseconds = std::chrono::milliseconds;

  heartbeat(milliseconds interval, time_point started)
      : interval_(interval), silence_max_(interval * intervals_max), next_due_(started) {}

  // A silence of so many intervals counts as deafness and unreadiness.
  static constexpr int intervals_max = 3;
  // Small against the outbox' limit.
  static constexpr std::size_t read_bytes_max = 2U << 20;

  time_point next_due() const { return next_due_; }
  // One goes with the next append.
  void on_due(time_point now);
  // Numbers of the newest beat known to be in the log, and of the newest that came back.
  void on_progress(std::uint64_t appended, std::uint64_t echoed, time_point now);
  // So much was read from the log. True when that makes a beat due.
  bool on_read(std::size_t bytes, time_point now);
  // A new reader or a new command connection: what was on its way counts no longer, and a beat is
  // due.
  void on_reconnect(time_point now);

  // What is before it in the log still arrives.
  void on_arriving(time_point now) {
    if (unanswered_since_) unanswered_since_ = now;
  }

  // A beat is in the log and did not come back for too long: one of the two connections is dead
  // without knowing it.
  bool is_echo_overdue(time_point now) const;
  std::optional<milliseconds> echo_age(time_point now) const;
  bool is_echo_recent(time_point now) const;

 private:
  milliseconds interval_;
  milliseconds silence_max_;
  time_point next_due_;
  std::optional<time_point> last_echo_;
  std::optional<time_point> unanswered_since_;
  std::size_t read_bytes_ = 0;  // since the newest beat
  std::uint64_t appended_ = 0;
  std::uint64_t echoed_ = 0;
};

}  // namespace ordeal::chat
