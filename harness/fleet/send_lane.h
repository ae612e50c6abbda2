// What one client has to publish into one room, in order. A plain state machine: no clock, no I/O.
//
// The fleet's FIFO discipline: at most one message of a lane is unanswered on the wire, the others
// wait behind it. Were two under way and the server refused the first for now ("retry:") after
// taking the second, the retry would land behind it: an order violation of the generator's own
// making.
//
//   add ──▶ waiting ── start ──▶ on the wire ── ok / refused / unknown, or no answer in time ──▶ settled
//              ▲                      ├── answer retry: after a backoff ──┐
//              │                      └── connection lost ────────────────┤
//              └──────────────────── first in line again ─────────────────┘
//
// A send that is not idempotent does not go again when its connection is lost: settled as unknown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/fleet/backoff.h"
#include "harness/history/event.h"
#include "harness/target/target.h"
#include "net/async/clock.h"

namespace ordeal::harness {

// How a target's publish call behaves.
struct publish_rules {
  bool has_ack =
      true;  // without, nothing can be known of a send: it is settled as info when it leaves
  bool is_idempotent =
      true;  // it carries ${message_id} and is answered: sending it again makes no second message
};
publish_rules rules_of(const protocol_recipe& recipe);

enum class publish_answer { ok, refused, retry, unknown };
publish_answer classify_error(std::string_view error, const protocol_recipe& recipe);

struct outgoing_message {
  message_id id;
  run_time intended{};
  std::uint32_t attempts = 0;
  bool is_in_doubt =
      false;  // an earlier attempt was never answered: a refusal now does not say that it failed
};

struct settlement {
  message_id id;
  outcome result = outcome::info;
  std::uint32_t attempts = 0;
  bool was_unanswered = false;
};

class send_lane {
 public:
  send_lane(publish_rules rules, backoff retry_delays) : rules_(rules), delays_(retry_delays) {}

  void add(const message_id& id, run_time intended);

  // May the first in line go on the wire now?
  bool can_start(net::time_point now) const;
  // It goes; only after can_start().
  outgoing_message start(std::uint64_t request, net::time_point now);
  bool awaits(std::uint64_t request) const { return is_on_wire_ && request_ == request; }
  // Did what is on the wire go there before then?
  bool waits_since(net::time_point before) const { return is_on_wire_ && since_ < before; }
  // What went on the wire before `before` and has no answer yet is unknown, and the next one may go.
  std::optional<settlement> give_up_older(net::time_point before);

  // The answer to what is on the wire; nullopt: it goes again after a backoff.
  std::optional<settlement> on_answer(publish_answer answer, net::time_point now);
  // What was on the wire goes again on the next connection, or its outcome stays unknown.
  std::optional<settlement> on_disconnect();
  // Empties the lane: whatever was not answered is unknown.
  std::vector<settlement> abandon();

  std::size_t size() const { return queue_.size(); }

 private:
  settlement settle_front(outcome result);

  publish_rules rules_;
  backoff delays_;
  std::deque<outgoing_message> queue_;
  bool is_on_wire_ = false;  // the first of the queue
  std::uint64_t request_ = 0;
  net::time_point since_;
  net::time_point not_before_;
};

}  // namespace ordeal::harness
