#include "fault-injection/link/connection.h"

#include <poll.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "net/async/clock.h"
#include "net/async/task_group.h"

namespace ordeal::fault {
namespace {

using asio::ip::tcp;
using net::error_code;

constexpr std::size_t chunk_bytes_max = 64U << 10;
// Of one direction. About what a kernel would keep in its send buffer while a network is cut.
constexpr std::size_t held_bytes_max = 4U << 20;

bool is_would_block(error_code ec) {
  return ec == asio::error::would_block || ec == asio::error::try_again;
}

bool has_hung_up(tcp::socket& socket) {
  pollfd state = {socket.native_handle(), POLLRDHUP, 0};
  return ::poll(&state, 1, 0) > 0;
}

void set_proxy_options(tcp::socket& socket) {
  error_code ignored;  // a socket that is already gone says so at the next read
  socket.set_option(tcp::no_delay(true), ignored);
  socket.non_blocking(true, ignored);
}

void close_with_rst(tcp::socket& socket) {
  error_code ignored;  // closing cannot be refused
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

}  // namespace

net::nanoseconds link_state::draw_delay() {
  if (in_force.jitter.count() <= 0) return in_force.latency;
  const auto draw = jitter.below(static_cast<std::uint64_t>(in_force.jitter.count()));
  return in_force.latency + net::nanoseconds(static_cast<std::int64_t>(draw));
}

proxied_connection::direction::direction(link_way name, tcp::socket& source, tcp::socket& sink,
                                         std::uint64_t& count)
    : which(name),
      from(source),
      to(sink),
      forwarded_bytes(count),
      queue(held_bytes_max),
      changed(source.get_executor()) {}

proxied_connection::proxied_connection(tcp::socket node, link_state& state, bool is_observer,
                                       std::unique_ptr<connection_tap> tap)
    : state_(state),
      counters_(is_observer ? state.of_observers : state.counters),
      tap_(std::move(tap)),
      node_(std::move(node)),
      upstream_(node_.get_executor()),
      up_(link_way::up, node_, upstream_, counters_.bytes_up),
      down_(link_way::down, upstream_, node_, counters_.bytes_down) {
  set_proxy_options(node_);
}

asio::awaitable<void> proxied_connection::run(tcp::endpoint upstream) {
  const bool is_dialled = co_await dial(upstream);
  if (!is_dialled) co_return;
  net::task_group pumps(node_.get_executor());
  pumps.spawn("up reader", read_loop(up_));
  pumps.spawn("up writer", write_loop(up_));
  pumps.spawn("down reader", read_loop(down_));
  pumps.spawn("down writer", write_loop(down_));
  co_await pumps.join();
  close();
}

asio::awaitable<bool> proxied_connection::dial(tcp::endpoint upstream) {
  if (state_.in_force.is_blackhole) {
    while (state_.in_force.is_blackhole && !is_over_) co_await up_.changed.wait();
    // Its handshake would not have come through the cut: a node that gave up was never connected.
    if (!is_over_ && has_hung_up(node_)) close();
  }
  if (is_over_) co_return false;
  const auto [ec] = co_await upstream_.async_connect(upstream, asio::as_tuple(asio::use_awaitable));
  if (is_over_) co_return false;
  if (ec) {
    reset();  // a refused connect cannot be handed on: the node is connected already
    co_return false;
  }
  set_proxy_options(upstream_);
  co_return true;
}

// A thin wire does not take megabytes ahead: the sender has to keep them.
bool proxied_connection::has_room(const direction& way) const {
  const std::uint64_t rate = state_.bytes_per_second(way.which);
  return !way.queue.is_full() &&
         (rate == 0 || way.queue.byte_count() < std::max(chunk_bytes_max, std::size_t(rate / 4)));
}

std::size_t proxied_connection::allowed_bytes(direction& way, net::time_point now) {
  const std::size_t ready = way.queue.front_bytes().size();
  const std::uint64_t rate = state_.bytes_per_second(way.which);
  if (rate == 0) return ready;
  if (way.paced_bytes == 0) {
    way.paced_bytes = std::min(ready, pacer::piece_bytes(rate));
    way.paced_at = state_.pacer_of(way.which).take(way.paced_bytes, rate, now);
  }
  return way.paced_at > now ? 0 : std::min(ready, way.paced_bytes);
}

asio::awaitable<void> proxied_connection::read_loop(direction& way) {
  std::vector<char> buffer(chunk_bytes_max);
  while (!is_over_) {
    if (!has_room(way)) {
      co_await way.changed.wait();
      continue;
    }
    // Its error is the next read's error too.
    co_await way.from.async_wait(tcp::socket::wait_read, asio::as_tuple(asio::use_awaitable));
    if (is_over_) co_return;
    error_code ec;
    const std::size_t count = way.from.read_some(asio::buffer(buffer), ec);
    if (is_would_block(ec)) continue;
    const auto delay = state_.draw_delay();
    if (ec) {
      const auto how = ec == asio::error::eof ? stream_end::fin : stream_end::reset;
      // What a sender that resets has not got onto a thin wire is never sent.
      if (how == stream_end::reset && state_.bytes_per_second(way.which) > 0) way.queue.clear();
      way.queue.push_end(how, net::now(), delay);
      way.changed.notify_all();
      co_return;
    }
    if (state_.in_force.is_blackhole) counters_.bytes_swallowed += count;
    way.queue.push(std::string_view(buffer.data(), count), net::now(), delay);
    way.changed.notify_all();
  }
}

asio::awaitable<void> proxied_connection::write_loop(direction& way) {
  while (!is_over_) {
    const auto due = way.queue.next_due();
    if (!due || state_.in_force.is_blackhole) {
      co_await way.changed.wait();
      continue;
    }
    if (*due > net::now()) {
      co_await way.changed.wait_until(*due);
      continue;
    }
    error_code ec;
    if (way.queue.front_end() == stream_end::fin) {
      way.to.shutdown(tcp::socket::shutdown_send,
                      ec);  // fails only when the other end is gone as well
      co_return;
    }
    std::size_t count = 0;
    if (way.queue.front_end() == stream_end::reset) {
      ec = asio::error::connection_reset;
    } else {
      const std::size_t allowed = allowed_bytes(way, net::now());
      if (allowed == 0) {
        co_await way.changed.wait_until(way.paced_at);
        continue;
      }
      const auto bytes = way.queue.front_bytes().substr(0, allowed);
      count = way.to.write_some(asio::buffer(bytes.data(), bytes.size()), ec);
      if (tap_ && count > 0) tap_->on_bytes(way.which, bytes.substr(0, count));
    }
    if (is_would_block(ec)) {
      co_await way.to.async_wait(tcp::socket::wait_write, asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (ec) {
      reset();
      co_return;
    }
    way.forwarded_bytes += count;
    way.paced_bytes -= std::min(count, way.paced_bytes);
    way.queue.consume(count);
    way.changed.notify_all();
  }
}

void proxied_connection::on_toxics_changed() {
  const auto longest = state_.in_force.latency + state_.in_force.jitter;
  for (direction* way : {&up_, &down_}) {
    way->queue.limit_delays(longest);
    way->paced_bytes = 0;
    way->changed.notify_all();
  }
}

void proxied_connection::reset() {
  if (is_over_) return;
  close_with_rst(node_);
  close_with_rst(upstream_);
  close();
}

void proxied_connection::close() {
  is_over_ = true;
  error_code ignored;  // closing cannot be refused
  node_.close(ignored);
  upstream_.close(ignored);
  up_.changed.notify_all();
  down_.changed.notify_all();
}

}  // namespace ordeal::fault
