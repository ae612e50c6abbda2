// The replicated log as the hub sees it (docs/log-protocol.md). One object a node
// and application; a value, not a singleton. One thread.
//
//   hub ─ append ─▶ outbox ─▶ append script ─▶ Redis stream ─▶ reader ─▶ subscriber ─▶ sockets
//
// Nobody delivers locally first: an entry reaches the subscriber only when it was read from Redis.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/redis/connection.h"

namespace ordeal::chat {

namespace asio = boost::asio;

// Position in the log. Ordered by (epoch, index); index is dense over the whole life of the log,
// from 1.
struct position {
  std::uint64_t epoch = 0;
  std::uint64_t index = 0;
  friend auto operator<=>(const position&, const position&) = default;
};

// What clients hold: "<log id>:<epoch>-<index>". Opaque to them.
struct cursor {
  std::string log_id;
  position at;
};
std::string format_cursor(std::string_view log_id, position at);
std::optional<cursor> parse_cursor(std::string_view text);  // nullopt: not one of ours

enum class entry_kind { message, heartbeat, barrier };

struct entry {
  position at;
  entry_kind kind = entry_kind::message;
  std::string origin;            // the accepting process: random per start
  std::uint64_t origin_seq = 0;  // dense per origin, from 1
  std::string room;
  std::string
      client_message_id;  // unique in the application: the hub puts the sender's scope before it
  std::string text;
  // A message that this node delivered before, on a branch of the log that is lost: where it was
  // then. Who has seen that position must not get it again.
  std::optional<position> earlier;
};
using entry_ptr = std::shared_ptr<const entry>;

// When a message of the log is handed to the clients of this node.
enum class delivery_mode {
  fast,   // as soon as it is read
  stable  // when another node is known to hold it, too: no fork reaches a client
};

// When the sender of a message gets its answer.
enum class ack_level {
  accepted,  // it is in the outbox: this node will append it, if it lives
  appended,  // it is in the log
  stable     // another node is known to hold it, too
};

enum class append_status {
  accepted,     // ack level accepted; no position yet
  appended,     // `at` is set
  retry_later,  // not in the log as far as we know; the same clientMessageId may be sent again,
                // here or elsewhere
  refused       // will never be accepted; `reason` says why
};
struct append_outcome {
  append_status status = append_status::retry_later;
  position at;
  std::string reason;
};

enum class range_status {
  ok,
  trimmed,      // entries after the cursor are no longer kept
  unknown_log,  // the cursor is of another log
  future,       // beyond the end of the log, as far as can be known
  forked,       // it has seen entries of a branch that is lost, and this node does not know which
  unavailable   // cannot be told now
};

// Where a client's cursor lies, and where to go on for it.
struct cursor_place {
  range_status status = range_status::unavailable;
  bool is_ahead = false;  // ok, but this node has not delivered as much yet
  // ok: the next entry for this client is the one after it. Differs from the cursor when that lies on a lost branch
  // that this node knows: then entries whose `earlier` is at or before the cursor were seen.
  position from;
  position lost_from, lost_to;  // forked: what the client may have seen and nobody else will
};

struct range_result {
  range_status status = range_status::unavailable;
  std::vector<entry_ptr> entries;
  position reached;  // ok: they are all that the room has up to here
};

// Called on the log's thread, in log order, each entry once. Must not block.
class log_subscriber {
 public:
  virtual ~log_subscriber() = default;
  virtual void on_entries(
      const std::vector<entry_ptr>& batch) = 0;  // kind message only, never empty
  // Entries (from .. to, indexes) are lost to this node: reset everybody.
  virtual void on_gap(std::uint64_t from, std::uint64_t to) = 0;
  // Entries that this node has delivered are no longer in the log: it goes on behind `common` without them. Those of
  // living origins come again, with entry::earlier. `common` {0, 0}: it is another log, reset everybody.
  virtual void on_fork(position common, position from, position to) = 0;
  virtual void on_state_change() = 0;  // health() may differ

  // A backlog is handed over in parts of about so many bytes, one entry at least ...
  virtual std::size_t part_bytes_max() const { return std::size_t{1} << 20U; }
  // ... and behind each part the log waits for this, before it reads on. What is up to date never waits.
  virtual asio::awaitable<void> wait_for_clients() { co_return; }
};

enum class log_state {
  connecting,  // no connection to Redis, or attaching
  open,        // attached, reading and appending
  recovering,  // Redis came back with less, or as somebody else: the nodes put the log in order
  refusing,    // this Redis cannot be used as it is; appends are refused until that changes
  stopped
};

struct log_health {
  log_state state = log_state::connecting;
  std::string reason;  // why not open, one sentence
  std::string log_id;  // empty before the first attach
  std::uint64_t epoch = 0;
  position last_read;           // and delivered
  std::uint64_t top_index = 0;  // as of the last attach or append
  std::optional<std::chrono::milliseconds>
      echo_age;                    // since our last heartbeat that came back; none yet
  std::size_t outbox_entries = 0;  // accepted or appended, not yet stable
  std::size_t outbox_bytes = 0;
  std::size_t outbox_undecided = 0;  // of them, not known to be in the log
  std::size_t undelivered = 0;       // stable mode: read, and no other node is known to hold them
  std::size_t replay_entries = 0, replay_bytes = 0;
  std::uint64_t replay_low = 0;                  // index of the oldest entry in memory
  std::uint64_t log_entries = 0, log_bytes = 0;  // in Redis, as of the last append
  std::uint64_t retained_bytes = 0;              // that the log may have there
  std::uint64_t trimmed_early =
      0;                        // entries, by appends of this node, because Redis was out of memory
  std::size_t known_nodes = 0;  // other nodes that have written lately
  std::uint64_t appended = 0, duplicates = 0, reconnects = 0, batches = 0;
  std::uint64_t recoveries = 0;       // new epochs that this node has seen begin
  std::uint64_t repairs = 0;          // of them, put in order by this node
  std::uint64_t forks = 0, gaps = 0;  // of this node
  std::uint64_t restored = 0;         // entries put back by this node
  std::uint64_t renamings = 0;        // times that this node began anew under another name
  std::uint64_t history_reads = 0;    // of Redis, for clients that resume
  // Why it is not ready; what does not apply is empty.
  bool do_appends_fail = false;                          // refusing, because of what Redis answers
  std::optional<std::chrono::milliseconds> trouble_age;  // no append could work for so long
  std::optional<std::chrono::milliseconds> unanswered;   // the command on its way waits for so long
  std::optional<std::chrono::milliseconds> behind_age;   // what was the top then is not read yet
  bool is_arriving = false;                              // what the log holds comes in, if slowly
  bool is_paced = false;         // reading a backlog waits for clients to take what was read
  bool is_echo_missing = false;  // a heartbeat of this node is in the log and was not read
  std::string reader_reason;     // what the reader connection failed by
  // Open, appends work, the heartbeat came back recently and over the present reader, what the log
  // holds is read.
  bool is_ready = false;
};

struct log_options {
  net::redis::connection_options redis;
  std::string app = "chat";  // prefix of every key: {app}:log, {app}:meta ...
  delivery_mode delivery = delivery_mode::fast;
  ack_level ack = ack_level::appended;
  std::string node_name;
  std::size_t batch_entries_max = 256;
  std::size_t outbox_bytes_max = 16U << 20;
  std::size_t outbox_entries_max = 65'536;
  std::size_t retained_entries =
      100'000;  // in Redis: trimmed above, and the retry window of message ids
  // The same in bytes, by retention.lua's count; 0: half of Redis' maxmemory, or 512 MiB where there is none.
  std::size_t retained_bytes = 0;
  std::size_t replay_entries = 16'384;  // in this node's memory
  std::size_t replay_bytes_max = 32U << 20;
  std::chrono::milliseconds heartbeat_interval{1'000};
  // In a recovery: so long it waits for known nodes that do not report ...
  std::chrono::milliseconds recovery_grace{3'000};
  // ... and so long for nodes that may exist and have read a log, when none of those that report has.
  std::chrono::milliseconds boot_grace{1'500};
  std::chrono::milliseconds block_time{1'000};  // XREAD BLOCK
  std::chrono::milliseconds command_timeout{3'000};
  std::chrono::milliseconds retry_backoff_min{50}, retry_backoff_max{1'000};
  std::size_t message_bytes_max = 256U
                                  << 10;  // room, id and text together; larger ones are refused
  std::chrono::milliseconds append_wait_max{
      10'000};  // an append that has no outcome by then: retry_later
  std::chrono::milliseconds outage_accept_max{
      3'000};  // so long without Redis, new appends are still accepted
};

class chat_log {
 public:
  virtual ~chat_log() = default;

  // Connects, attaches, appends, reads, beats, until stop(). `subscriber` outlives it.
  virtual asio::awaitable<void> run(log_subscriber& subscriber) = 0;
  // Graceful: takes no new appends, flushes the outbox for up to `drain`, then ends run().
  virtual void stop(std::chrono::milliseconds drain) = 0;

  // Accepts a message into the outbox and returns when it is in the log (seen in a script's reply
  // or read back), or refused. Waits while the outbox is full and Redis is reachable; retry_later
  // when there is no hope for now.
  virtual asio::awaitable<append_outcome> append(std::string room, std::string client_message_id,
                                                 std::string text) = 0;

  // True while append would have to wait for room in the outbox: callers stop reading their
  // sockets.
  virtual bool is_congested() const = 0;

  // Messages of `room` in (after, upto], from memory or from Redis; `upto` is at most last_read.
  // `after` as place_of() gives it. Ends early, as `reached` says: at the message with which there are `bytes_max`, or
  // where one read of Redis ended that found some.
  virtual asio::awaitable<range_result> range(cursor after, position upto, std::string room,
                                              std::size_t bytes_max = SIZE_MAX) = 0;

  // Where `at` lies, as far as this node knows.
  virtual cursor_place place_of(const cursor& at) const = 0;
  // The same for a cursor that is ahead of this node or beyond what it knows of the epochs: asks Redis.
  virtual asio::awaitable<cursor_place> check_cursor(cursor at) = 0;

  virtual const log_health& health() const = 0;
};

// Throws std::invalid_argument when `options` make no sense (an app name that is not a plain word).
std::unique_ptr<chat_log> make_chat_log(asio::any_io_executor ex, log_options options);

}  // namespace ordeal::chat
