#include "harness/checkers/hop.h"

namespace ordeal::harness {

std::string describe_hop(const ledger& book, const open_message& message, client_id client,
                         node_id node) {
  const std::string origin = name_of(message.origin), there = name_of(node);
  if (message.reached.has(node))
    return there + " sent it to other clients and not to " + name_of(client);
  if (message.from_redis.has(node)) return there + " got it from Redis and sent it to no client";
  if (message.was_refused_by_redis && !message.was_accepted_by_redis)
    return "Redis refused it when " + origin + " sent it";
  const bool is_known_here = book.is_tap_alive(node, tap_point::from_redis);
  if (message.was_accepted_by_redis) {
    return is_known_here
               ? "Redis accepted it from " + origin + "; it was not seen on the way to " + there
               : "Redis accepted it from " + origin;
  }
  if (message.was_sent_to_redis) {
    const bool is_answer_known = book.is_tap_alive(message.origin, tap_point::accepted_by_redis);
    return origin + " sent it to Redis" + (is_answer_known ? " and no answer was seen" : "");
  }
  if (book.is_tap_alive(message.origin, tap_point::to_redis))
    return origin + " accepted it; it was not seen on the way to Redis";
  return {};
}

}  // namespace ordeal::harness
