// While this node is behind its log it goes on no faster than its clients take what it gives them: one whose queue is
// crowded is waited for as long as it drains, within a bound for all of them together. Owned by the hub, outlives the
// sessions. One thread.
//
//   log reader ─▶ part ─▶ queues ─▶ wait_for_clients() ─▶ next part
#pragma once

#include <boost/asio/awaitable.hpp>
#include <set>
#include <string_view>

#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/async/log.h"
#include "net/async/time_allowance.h"
#include "reference-server/hub/counters.h"
#include "reference-server/hub/flusher.h"
#include "reference-server/hub/limits.h"

namespace ordeal::chat {

class catch_up {
 public:
  catch_up(asio::any_io_executor ex, const hub_limits& limits, const flusher& flush,
           hub_counters& count);
  catch_up(const catch_up&) = delete;
  catch_up& operator=(const catch_up&) = delete;

  // Returns when no client that the last part has crowded drains any more, at the latest when the patience is at its
  // end.
  asio::awaitable<void> wait_for_clients();

  // The queue of `out` is crowded no longer, or `out` goes.
  void leave(outlet& out);

 private:
  void enter_marked();
  bool is_draining(const outlet& out, net::time_point now) const;
  const outlet* first_draining(net::time_point now) const;
  void tell(net::log_level level, std::string_view what, net::time_point& next_line) const;

  std::size_t crowded_bytes_;
  net::nanoseconds drain_pause_max_;
  const flusher& flush_;
  hub_counters& count_;
  // What was spent comes back within ten times its length: clients that read just fast enough cannot hold up a node for
  // long, again and again.
  net::time_allowance patience_;
  std::set<outlet*> crowded_;
  net::condition drained_;
  net::time_point next_begin_line_{}, next_end_line_{};  // one a minute of each
};

}  // namespace ordeal::chat
