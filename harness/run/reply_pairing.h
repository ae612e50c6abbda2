// Which reply answers which request of a connection to Redis, and so what became of the messages in it. Replies come
// in the order of the requests; what does not (pushes, subscriptions, transactions) is known here. As soon as
// something does not add up the pairing gives up: it says nothing any more rather than something wrong.
// No I/O, no clock; one thread; memory is bounded.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "harness/history/event.h"
#include "net/redis/resp_scanner.h"

namespace ordeal::harness {

struct sighting {
  tap_point where = tap_point::to_redis;
  message_id id;
  friend bool operator==(const sighting&, const sighting&) = default;
};

class reply_pairing {
 public:
  static constexpr std::size_t messages_max = 1U << 16;  // in requests without an answer

  // The node sent a request with these messages in it.
  void on_request(const net::redis::resp_frame& request, std::span<const message_id> messages);
  // Redis answers: errors inside first, then the whole. Appends what is known now to `seen`.
  void on_error_inside(std::uint64_t element, std::size_t depth);
  void on_reply(const net::redis::resp_frame& reply, std::vector<sighting>& seen);

  void give_up();
  bool has_given_up() const { return has_given_up_; }

 private:
  enum class command_kind : std::uint8_t {
    other,
    subscription,  // answered once for each channel, among other pushes
    multi,
    exec,
    discard,
    hello,
    reset
  };
  struct pending {
    command_kind kind = command_kind::other;
    std::uint32_t messages = 0;   // that many of sent_, from its front on
    std::uint64_t repeated = 1;   // equal ones in a row are one entry: other, without messages
    std::uint64_t confirmed = 0;  // of a subscription
    std::uint64_t channels = 0;
    std::string name;  // of a subscription
  };
  struct queued_command {
    std::uint32_t messages = 0;  // that many of queued_messages_
    bool is_refused = false;
    bool has_error_inside = false;
  };

  static command_kind kind_of(const net::redis::resp_frame& request);
  static bool is_unanswerable(const net::redis::resp_frame& request);

  bool is_push(const net::redis::resp_frame& reply) const;
  void on_push(const net::redis::resp_frame& reply);
  void on_answer(const net::redis::resp_frame& reply, std::vector<sighting>& seen);
  void on_queued(const net::redis::resp_frame& reply, std::vector<sighting>& seen);
  void on_exec(const net::redis::resp_frame& reply, std::vector<sighting>& seen);
  void settle(const net::redis::resp_frame& reply, std::vector<sighting>& seen);
  void take_front();
  void end_transaction();

  std::deque<pending> pending_;
  std::deque<message_id> sent_;  // in pending requests

  bool is_in_transaction_ = false;
  std::vector<queued_command> queued_;  // answered with QUEUED
  std::vector<message_id> queued_messages_;

  bool is_resp3_ = false;
  std::int64_t channels_ = 0, shard_channels_ = 0;  // subscribed to
  std::uint64_t errors_inside_ = 0;                 // of the reply under way
  bool has_given_up_ = false;
};

}  // namespace ordeal::harness
