// What a bug can get at. The node asks its bug at a few places and is correct when all answers are the defaults;
// whatever else a bug does, it does itself. One object a node, used on its thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/async/condition.h"
#include "net/redis/connection.h"
#include "tests/selftest/planted_node/entry.h"

namespace ordeal::planted {

namespace asio = boost::asio;

enum class redis_role { reader, writer };  // a node has one connection for each

enum class publish_fate {
  append,       // to the log, as it should be
  forget,       // acknowledged and dropped
  keep_local,   // acknowledged, delivered by this node alone
  show_sender,  // appended, but the sender sees it at once and not when it comes back
  deny,         // appended, and then refused
  fail          // not appended: the client is asked to try again
};

// What follows on a message that Redis did not take.
enum class failure_fate {
  tell,      // "retry:", as it should be
  shrug,     // an error that says nothing about what became of it
  try_again  // the client waits
};

using client_number = std::uint64_t;  // counts a node's connections from 1

struct recipient {
  client_number number = 0;
  std::string_view name;  // as entry::sender
  std::size_t waiting_count = 0;
};

// One call: KEYS are the log, its counter, and the indexes of known messages; ARGV is message id,
// room, sender, text. A message that is known already is answered with the index it has.
inline constexpr std::string_view correct_append_script = R"(
local known = redis.call('HGET', KEYS[3], ARGV[1])
if known then return known end
local index = redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[1], index .. '-0', 'id', ARGV[1], 'room', ARGV[2], 'sender', ARGV[3], 'text', ARGV[4])
redis.call('HSET', KEYS[3], ARGV[1], index)
return tostring(index))";

class bug {
 public:
  virtual ~bug() = default;

  // ---- Redis
  // The process reads the log for the first time; at 0 it is empty.
  virtual void on_started(log_index /*end*/) {}
  virtual std::string log_key(const std::string& app) { return app + ":messages"; }
  virtual std::string append_script() { return std::string(correct_append_script); }
  // Between two attempts to connect.
  virtual asio::awaitable<void> wait_to_retry(net::stop_event& stopped) {
    co_await stopped.wait_for(std::chrono::milliseconds(100));
  }
  // A connection that worked is gone.
  virtual void on_lost(redis_role /*which*/) {}
  // There is a new one in its place. False: this role does nothing any more.
  virtual bool on_reconnected(redis_role /*which*/) { return true; }
  virtual asio::awaitable<void> after_reconnect(net::redis::connection_options /*options*/) {
    co_return;
  }

  // ---- Publishing
  virtual publish_fate on_publish(entry& /*what*/) { return publish_fate::append; }
  virtual void on_append_failed() {}
  virtual asio::awaitable<failure_fate> after_failure() { co_return failure_fate::tell; }

  // ---- Delivery
  // What was just read from the log; empty when it was quiet for a second.
  virtual void on_read(std::vector<entry>& /*batch*/) {}
  // `last` is the newest that the client has.
  virtual bool is_news(log_index index, log_index last) { return index > last; }
  virtual bool may_deliver(const entry& /*what*/, const recipient& /*to*/) { return true; }

  // ---- Joining
  virtual asio::awaitable<void> before_join() { co_return; }
  virtual void on_join(client_number /*client*/) {}
  virtual bool can_join_without_redis() { return true; }
  // Where the replay for a client with this cursor begins.
  virtual log_index replay_from(log_index cursor) { return cursor + 1; }
  virtual void on_replay(std::vector<entry>& /*missed*/) {}
  virtual bool has_replay_cursors() { return true; }
};

}  // namespace ordeal::planted
