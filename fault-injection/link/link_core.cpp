#include "fault-injection/link/link_core.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include "fault-injection/link/observer.h"
#include "net/async/clock.h"
#include "net/async/log.h"

namespace ordeal::fault {
namespace {

using asio::ip::tcp;

// Between two attempts to accept when the process has no descriptor left.
constexpr std::chrono::milliseconds accept_pause(50);

void bind_reusable(tcp::acceptor& acceptor, const tcp::endpoint& where) {
  acceptor.open(where.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.bind(where);
}

}  // namespace

link_core::link_core(asio::any_io_executor ex, tcp::endpoint upstream, std::uint64_t seed,
                     tap_maker tap)
    : state_(seed),
      tap_(std::move(tap)),
      upstream_(std::move(upstream)),
      reservation_(ex),
      listener_(ex),
      changed_(ex),
      tasks_(ex) {
  try {
    bind_reusable(reservation_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    local_ = reservation_.local_endpoint();
    listen();
  } catch (const boost::system::system_error& failure) {
    throw std::runtime_error(std::string("a link cannot listen on 127.0.0.1: ") +
                             failure.code().message());
  }
}

void link_core::listen() {
  bind_reusable(listener_, local_);
  listener_.listen();
}

asio::awaitable<void> link_core::run() {
  tasks_.spawn("accept", accept_loop());
  tasks_.spawn("resets", reset_loop());
  co_await tasks_.join();
}

void link_core::close() {
  is_closed_ = true;
  boost::system::error_code ignored;  // closing cannot be refused
  listener_.close(ignored);
  for (const auto& each : open_) each->close();
  changed_.notify_all();
}

void link_core::apply(toxics next) {
  state_.in_force = next;
  state_.up = state_.down = pacer();
  ++state_.counters.generation;
  if (next.is_refusing) {
    listener_.close();
    reset_connections();
  } else if (!listener_.is_open() && !is_closed_) {
    listen();
  }
  for (const auto& each : open_) each->on_toxics_changed();
  changed_.notify_all();
}

std::uint64_t link_core::reset_connections() {
  for (const auto& each : open_) each->reset();
  const std::uint64_t count = open_.size();
  open_.clear();
  state_.counters.open = 0;
  state_.counters.resets += count;
  return count;
}

void link_core::count_open() {
  const auto open =
      std::ranges::count_if(open_, [](const auto& each) { return !each->is_observer(); });
  state_.counters.open = static_cast<std::uint64_t>(open);
}

asio::awaitable<void> link_core::accept_loop() {
  while (!is_closed_) {
    if (!listener_.is_open()) {
      co_await changed_.wait();
      continue;
    }
    auto [ec, socket] = co_await listener_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (is_closed_) co_return;
    // Closed by apply(), and perhaps listening again already.
    if (ec == asio::error::operation_aborted) continue;
    if (ec) {
      net::log(net::log_level::warn, "link", "cannot accept", {{"reason", ec.message()}});
      co_await changed_.wait_until(net::now() + accept_pause);
      continue;
    }
    boost::system::error_code is_gone;
    const bool is_ours = is_observer(socket.remote_endpoint(is_gone));
    auto tap = tap_ && !is_ours ? tap_() : nullptr;
    auto connection =
        std::make_shared<proxied_connection>(std::move(socket), state_, is_ours, std::move(tap));
    if (!is_ours) ++state_.counters.accepted;
    open_.insert(connection);
    count_open();
    if (state_.in_force.is_refusing)
      reset_connections();  // it slipped in before the listener was closed
    tasks_.spawn("connection", serve(std::move(connection)));
  }
}

asio::awaitable<void> link_core::serve(std::shared_ptr<proxied_connection> connection) {
  co_await connection->run(upstream_);
  open_.erase(connection);
  count_open();
}

asio::awaitable<void> link_core::reset_loop() {
  while (!is_closed_) {
    const auto generation = state_.counters.generation;
    const auto every = state_.in_force.reset_every;
    if (every.count() <= 0) {
      co_await changed_.wait();
      continue;
    }
    const auto next = net::now() + every;
    while (!is_closed_ && generation == state_.counters.generation && net::now() < next) {
      co_await changed_.wait_until(next);
    }
    if (!is_closed_ && generation == state_.counters.generation) reset_connections();
  }
}

}  // namespace ordeal::fault
