// The fleet: thousands of WebSocket clients on one thread that join rooms, publish on schedule and report everything
// to the history. Open loop: a send that is late is still measured from its intended time.
//
// A sender that is cut off keeps what is due and sends it, with the same ids and in order, once it
// is back; its intended time stays. That needs a publish call that is idempotent (it carries
// ${message_id} and is answered). Where it is not, another client that is connected sends instead,
// and a send whose answer was lost with the connection is settled as info. Each client has at most
// one unanswered send a room on the wire (send_lane.h), so that a retry is never overtaken. One
// without an answer for the scenario's answer_timeout is settled as info; its lane goes on, and the
// connection stays, as a person's would. A
// publish call without an answer is settled as info when it leaves. Retries go on until settle() or
// stop().
//
// No node is left empty: where all clients of a room have gone from one, to other nodes, a deputy of the plan comes
// and stays. While the client that it stands for is elsewhere, the deputy sends in its place, through the node that
// the schedule meant; so every node goes on to speak and to hear.
//
// All members run on the fleet's executor; the run engine reaches them with net::call_on.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "harness/history/event.h"
#include "harness/scenario/plan.h"
#include "net/async/clock.h"
#include "net/websocket.h"

namespace ordeal::harness {

namespace asio = boost::asio;

struct fleet_options {
  std::vector<net::websocket_url> node_urls;  // index = node_id; path is the driver's
  net::time_point run_start;                  // zero of run_time
  // For the upgrade, the handshake and a join; then the connection is given up and tried again. Sends
  // have the patience of the scenario (load.client).
  std::chrono::milliseconds join_timeout{5'000};
  std::chrono::milliseconds backoff_min{50}, backoff_max{2'000};  // full jitter
  std::chrono::milliseconds generator_give_up{
      10'000};  // a send later than this is skipped, and said so
};

struct fleet_status {
  std::size_t clients = 0;
  std::size_t connected = 0;
  std::vector<std::size_t> connected_by_node;
  std::size_t joined = 0;  // (client, room) pairs confirmed on the present connection
  std::size_t joins_wanted = 0;
  std::size_t sends_pending = 0;  // invoked, not settled
  bool has_failed = false;  // a bug ended a task of the fleet: nothing it says from here on counts
  std::string
      latest_problem;  // why the latest connection ended or did not come about; empty: never
};

class fleet {
 public:
  virtual ~fleet() = default;
  // Connects everybody along the ramp and waits until every join is confirmed; false at the limit. Clients go on
  // reconnecting until stop().
  virtual asio::awaitable<bool> connect_all(std::chrono::nanoseconds limit) = 0;
  // Publishes on schedule until stop_publishing(). The schedule begins now. What nobody could send, or
  // could not in time, is recorded as skipped.
  virtual void start_publishing() = 0;
  virtual void stop_publishing() = 0;
  // Waits until no send is pending, at most `limit`, and at most `answer_limit` for those whose answer is still to
  // come; then settles the rest as info.
  virtual asio::awaitable<void> settle(std::chrono::nanoseconds limit,
                                       std::chrono::nanoseconds answer_limit = {}) = 0;
  // One message from a client of every node into every room that has a member on that node, once; by a client that is
  // connected there if there is one.
  virtual void send_probes() = 0;
  virtual fleet_status status() const = 0;
  // Settles what is pending as info, ends every connection and returns when nothing of the fleet runs any more.
  virtual asio::awaitable<void> stop() = 0;
};

// `what` and `history` outlive the fleet.
std::unique_ptr<fleet> make_fleet(asio::any_io_executor ex, const plan& what, fleet_options options,
                                  event_sink& history);

}  // namespace ordeal::harness
