// The history: everything that happened in a run, in the order of one monotonic clock. The fleet and the nemesis
// write it, checkers read it; nothing else passes between them. `at` is the time since the run's start.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "fault-injection/fault.h"
#include "harness/ids.h"

namespace ordeal::harness {

using run_time = std::chrono::nanoseconds;

enum class outcome { ok, fail, info };  // surely happened, surely did not, unknown

// The bytes of a publish are about to leave for the first time (retries with the same message id are no new event).
struct send_invoked {
  run_time at{};
  message_id id;
  node_id node{};
  run_time intended{};  // when the schedule wanted it sent
};

// Its outcome is known, or given up on (info). At most one a message.
struct send_settled {
  run_time at{};
  message_id id;
  node_id node{};
  outcome result = outcome::info;
  std::uint32_t attempts = 1;
  bool was_unanswered =
      false;  // info because nobody answered in time: it may take effect at any time after
};

enum class payload_state {
  intact,       // an envelope of this run with a good checksum
  corrupt,      // looks like an envelope, checksum or shape is wrong
  foreign_run,  // an intact envelope of another run
  not_an_envelope  // something else: a phantom, unless the target is known to talk (ignored by its driver)
};

// A broadcast reached a client.
struct delivered {
  run_time at{};
  client_id client{};
  node_id node{};  // where the client is connected
  room_id room{};  // the room the transport named; the client's only room when it names none
  bool is_known_room = true;  // false: the transport named a room that is none of this run
  payload_state payload = payload_state::intact;
  message_id id;        // from the envelope; meaningful when intact
  run_time intended{};  // from the envelope
};

// The join request is about to leave; then its confirmation.
struct join_invoked {
  run_time at{};
  client_id client{};
  room_id room{};
  node_id node{};
  bool is_resume = false;
};
struct join_confirmed {
  run_time at{};
  client_id client{};
  room_id room{};
  node_id node{};
  bool is_resume = false;
};
// From here on nothing more must reach the client there (what is under way may).
struct room_left {
  run_time at{};
  client_id client{};
  room_id room{};
};
// The server said that it cannot continue from the client's cursor: what lies between is lost, but told.
struct reset_received {
  run_time at{};
  client_id client{};
  room_id room{};
};

struct client_connected {
  run_time at{};
  client_id client{};
  node_id node{};
};
// Why Ordeal itself ended a connection that was still up.
enum class cut_cause {
  none,        // it did not: the server closed it, or it broke
  silent,      // nothing came from the server for as long as the published client would wait
  unanswered,  // the handshake or a join
  refused,     // the server refused a join
  unread,      // the server takes nothing that is sent to it
  protocol     // what the server sent breaks the protocol
};
inline constexpr std::size_t cut_cause_count = static_cast<std::size_t>(cut_cause::protocol) + 1;
struct client_disconnected {
  run_time at{};
  client_id client{};
  node_id node{};
  bool was_planned = false;
  cut_cause cut = cut_cause::none;
};

struct fault_changed {
  run_time at{};
  std::size_t fault = 0;  // index into the plan's faults
  fault::fault_state state = fault::fault_state::planned;
  std::string evidence;
};

enum class node_state { starting, ready, exited, stopped };
struct node_changed {
  run_time at{};
  node_id node{};
  node_state state = node_state::starting;
  bool was_planned = true;
  std::string detail;
};

enum class phase_kind { setup, declared, recovery, drain, probe, finished };
struct phase_changed {
  run_time at{};
  phase_kind kind = phase_kind::setup;
  std::string name;
};

// The generator's own lateness: a send left so long after its intended time (sampled at every send), or was skipped.
enum class skip_reason {
  late,     // the generator came to it far too late
  backlog,  // its sender has too many sends waiting
  away  // the target's doing: whoever could have made it had no connection, or was not in the room
};
struct generator_lag {
  run_time at{};
  std::chrono::nanoseconds lag{};
  bool was_skipped = false;
  skip_reason reason = skip_reason::late;  // of a skipped one
};

// Where a message was seen on its way through the backplane, by a tap on the link between a node and Redis.
enum class tap_point {
  to_redis,           // the node sent it to Redis
  accepted_by_redis,  // Redis answered that request without an error
  refused_by_redis,   // ... with an error
  from_redis          // Redis sent it to the node
};
struct tapped {
  run_time at{};
  node_id node{};  // whose link
  tap_point where = tap_point::to_redis;
  message_id id;
};

// What a node's process used when it was looked at.
struct node_usage {
  run_time at{};
  node_id node{};
  std::uint64_t resident_bytes = 0;
  std::uint32_t descriptors = 0;
  std::chrono::microseconds cpu{0};     // since the process started
  std::uint32_t incarnation = 0;        // counts the node's processes: usage of two is not compared
  std::chrono::microseconds waited{0};  // since it started: ready to run, without a core to run on
};

// Connections that Redis has, our own left out.
struct redis_usage {
  run_time at{};
  std::uint32_t connections = 0;
};

// How the harness itself was doing since the last one (about a second).
struct observer_usage {
  run_time at{};
  std::uint32_t busy_permille = 0;   // share of one core that the fleet's thread used
  std::chrono::nanoseconds stall{};  // the longest time in which that thread took no event
  std::uint64_t overflowed = 0;      // events that a queue of ours had no room for
};

// The wall clock and the monotonic one disagree about how long the last second was, or the machine slept.
struct clock_jumped {
  run_time at{};
  std::chrono::nanoseconds step{};
  bool was_suspended = false;
};

// What somebody said when something did not work, in a form that can be counted (reason_text.h): the same reason has
// the same text each time, whatever numbers and names it quotes.
enum class reason_kind {
  send_refused,  // a server answered a send with an error, whether the client tries again or not
  join_refused,  // ... a join
  connection_ended,  // a server's goodbye, or how the connection broke
  connect_failed,    // no connection, or no upgrade
  redis_error,       // Redis answered a node with an error
  log,               // a line of a node's log, as seen within a second
  send_unanswered    // no answer to a send came in time
};
inline constexpr std::size_t reason_kind_count =
    static_cast<std::size_t>(reason_kind::send_unanswered) + 1;
struct reason_heard {
  run_time at{};
  node_id node{};
  reason_kind kind = reason_kind::send_refused;
  std::uint32_t count = 1;  // of the same ones that this event stands for
  std::string text;
};

// What went over a node's link to the Redis under test so far, as the link counts it.
struct backplane_seen {
  run_time at{};
  node_id node{};
  std::uint32_t connections = 0;  // that are open
  std::uint64_t bytes = 0;        // from the node to Redis since the start
};

// The last event of a history that is complete.
struct run_ended {
  run_time at{};
  bool was_cut_short = false;
  int signal = 0;       // that cut it short
  std::string problem;  // of the surroundings (Redis vanished, say); empty when there was none
};

using event =
    std::variant<send_invoked, send_settled, delivered, join_invoked, join_confirmed, room_left,
                 reset_received, client_connected, client_disconnected, fault_changed, node_changed,
                 phase_changed, generator_lag, tapped, node_usage, redis_usage, observer_usage,
                 clock_jumped, run_ended, reason_heard, backplane_seen>;

// Whoever wants to read the history as it is written. Called on one thread (the fleet's), in order.
class event_sink {
 public:
  virtual ~event_sink() = default;
  virtual void on(const event& what) = 0;
};

}  // namespace ordeal::harness
