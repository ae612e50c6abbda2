// One WebSocket client of the fleet: connects, joins its rooms, receives, publishes, and comes back
// whenever it lost its connection. What to do is decided by membership, send_lane and
// reconnect_policy; this class carries it out.
//
//   run():         wait ─▶ connect ─▶ handshake ─▶ join all ─▶ read until it ends ─▶ backoff ─┐
//                            ▲──────────────────────────────────────────────────────────────┘
//   write_loop():  sends what is queued, for the connection of the moment
//
// Fleet's thread only. Both loops are children of the fleet's task group and end after
// begin_stop().
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/fleet/backoff.h"
#include "harness/fleet/membership.h"
#include "harness/fleet/send_lane.h"
#include "harness/fleet/shared_state.h"
#include "net/websocket.h"

namespace ordeal::harness {

class client {
 public:
  client(shared_state& fleet, const client_plan& who);

  asio::awaitable<void> run(net::time_point connect_at);
  asio::awaitable<void> write_loop();

  const client_plan& plan() const { return who_; }
  client_id id() const { return who_.id; }
  node_id node() const { return policy_.node(); }  // where it is, or tries to be
  bool is_member(room_id room) const { return find_place(room) != nullptr; }
  // Connected, and its join confirmed.
  bool is_joined(room_id room) const;

  // Invokes the next message into one of its rooms; it leaves as soon as the connection and its
  // lane allow.
  void publish(room_id room, run_time intended);
  std::size_t pending_count() const;
  // An answer to a send is due since before then.
  bool waits_since(net::time_point before) const;
  // Settles whatever is pending as info.
  void abandon_sends();

  // To be called every few milliseconds: answers that are overdue, retries that are due, pings.
  void tick(net::time_point now);

  // Planned end: says goodbye and does not come back.
  void begin_stop();

 private:
  // One of its rooms.
  struct place {
    place(membership joins, send_lane sends) : member(std::move(joins)), lane(std::move(sends)) {}
    membership member;
    send_lane lane;
    std::uint32_t seq = 0;  // of the latest message
    // A server may send resets without end: the history gets some of them, and always the latest.
    net::time_point reset_noted_at{};
    bool has_reset_to_note = false;
  };

  asio::awaitable<void> serve_connection();
  asio::awaitable<net::error_code> write_queued();

  void on_open(std::unique_ptr<net::websocket> ws);
  void on_closed(std::string_view reason);
  // False: the connection is over, for the reason in end_reason_.
  bool on_frame(std::string_view frame);
  bool on_event(const driver_event& what, net::time_point now);
  void on_received(const driver_received& what, net::time_point now);
  void on_reset(const driver_reset& what, net::time_point now);
  void note_reset(place& where, net::time_point now);
  bool on_acked(const driver_acked& what, net::time_point now);
  void on_ready(net::time_point now);

  void join(place& where, net::time_point now);
  void confirm(place& where, std::string_view cursor, net::time_point now);
  void start_sends(place& where, net::time_point now);
  void settle(const settlement& what, net::time_point now);
  void write(std::string bytes);
  void note_problem(std::string_view reason);
  void hear(reason_kind kind, std::string_view text, net::time_point now);
  // The answer to its handshake or to a join that is overdue, in words; empty: none.
  std::string_view overdue(net::time_point now) const;
  void give_up_sends(place& where, net::time_point now);
  // Ends the connection from outside the read loop, which notices.
  void give_up(std::string_view reason, cut_cause cause);

  const place* find_place(room_id room) const;
  place* find_place(room_id room);
  room_id room_of(std::string_view name, const message_id* enveloped, bool& is_known) const;

  shared_state& fleet_;
  const client_plan& who_;
  reconnect_policy policy_;
  std::vector<place> places_;
  asio::steady_timer delay_;
  net::condition changed_;  // is_writing_ ended, or there is something to write

  // Of the present connection.
  std::unique_ptr<net::websocket> ws_;
  std::unique_ptr<driver> driver_;
  bool is_usable_ = false;  // open, and nobody has given it up
  bool is_ready_ = false;   // the driver's handshake is done
  bool is_writing_ = false;
  std::vector<std::string> queued_, writing_;
  std::vector<asio::const_buffer> parts_;
  net::time_point opened_at_, wrote_at_, read_at_;
  std::string end_reason_;
  cut_cause cut_ = cut_cause::none;
  std::uint64_t latest_request_ = 0;
};

}  // namespace ordeal::harness
