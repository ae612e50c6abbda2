#include "reference-server/hub/catch_up.h"

#include <string>

namespace ordeal::chat {
namespace {

constexpr std::chrono::minutes line_interval{1};
constexpr int patience_share = 10;

}  // namespace

catch_up::catch_up(asio::any_io_executor ex, const hub_limits& limits, const flusher& flush,
                   hub_counters& count)
    : crowded_bytes_(limits.crowded_bytes()),
      drain_pause_max_(limits.drain_pause_max),
      flush_(flush),
      count_(count),
      patience_(limits.catch_up_wait, patience_share),
      drained_(ex) {}

// Whoever got something of the last part.
void catch_up::enter_marked() {
  for (outlet* out : flush_.marked()) {
    const bool is_served = !out->queue.is_closed() && !out->queue.is_overflown();
    if (!is_served || out->is_crowded || out->queue.bytes() <= crowded_bytes_) continue;
    out->is_crowded = true;
    crowded_.insert(out);
  }
}

void catch_up::leave(outlet& out) {
  if (!out.is_crowded) return;
  out.is_crowded = false;
  crowded_.erase(&out);
  drained_.notify_all();
}

// Who takes nothing, or a little now and then, is not worth the time of all others.
bool catch_up::is_draining(const outlet& out, net::time_point now) const {
  return !out.stalled_since || now - *out.stalled_since < drain_pause_max_;
}

const outlet* catch_up::first_draining(net::time_point now) const {
  const auto found =
      std::ranges::find_if(crowded_, [&](const outlet* out) { return is_draining(*out, now); });
  return found == crowded_.end() ? nullptr : *found;
}

asio::awaitable<void> catch_up::wait_for_clients() {
  enter_marked();
  const auto started = net::now();
  const auto give_up = started + patience_.left(started);
  auto now = started;
  const outlet* slow = first_draining(now);
  while (slow != nullptr && now < give_up) {
    tell(net::log_level::info, "behind the log, and clients take it slowly: reading waits",
         next_begin_line_);
    const auto stalls = slow->stalled_since.value_or(now) + drain_pause_max_;
    co_await drained_.wait_until(std::min<net::time_point>(stalls, give_up));
    now = net::now();
    slow = first_draining(now);
  }
  if (now == started && slow == nullptr) co_return;
  patience_.spend(started, now);
  count_.catch_up_wait += now - started;
  if (slow != nullptr)
    tell(net::log_level::warn, "clients take the log too slowly: reading waits no longer",
         next_end_line_);
}

void catch_up::tell(net::log_level level, std::string_view what, net::time_point& next_line) const {
  const auto now = net::now();
  if (now < next_line) return;
  next_line = now + line_interval;
  net::log(level, "hub", what, {{"clients", std::to_string(crowded_.size())}});
}

}  // namespace ordeal::chat
