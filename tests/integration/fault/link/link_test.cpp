// A link under each toxic, between a client and an echo server in this process.
#include "fault-injection/link/link.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "net/async/clock.h"
#include "net/async/task_group.h"
#include "tests/integration/fault/link/echo_server.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

using fault::link_counters;
using fault::toxics;
using std::chrono::milliseconds;

// Named before it is awaited with: g++ 12.2 destroys temporaries twice in an expression with co_await.
using condition = std::function<bool(const link_counters&)>;
const condition none_open = [](const link_counters& now) { return now.open == 0; };
const condition one_open = [](const link_counters& now) { return now.open == 1; };

class Link : public testing::Test {
 protected:
  void run(asio::awaitable<void> body) {
    run_coro(io_, around(std::move(body)), std::chrono::seconds(40));
  }

  asio::awaitable<void> around(asio::awaitable<void> body) {
    server_.start();
    co_await std::move(body);
    client_.close();
    co_await server_.stop();
  }

  asio::awaitable<void> connect_and_echo() {
    const auto ec = co_await connect(client_, link_->port());
    EXPECT_FALSE(ec) << ec.message();
    co_await send(client_, "hello");
    const auto answer = co_await receive(client_, 5);
    EXPECT_EQ(answer.bytes, "hello");
  }

  // A quick RST is reported by whoever asks the socket first: connect or read.
  asio::awaitable<void> expect_reset_after_connect(fault::link& through) {
    auto ec = co_await connect(client_, through.port());
    if (!ec) {
      const auto end = co_await receive(client_, 1);
      ec = end.ec;
    }
    EXPECT_EQ(ec, asio::error::connection_reset) << ec.message();
  }

  asio::awaitable<void> send_and_finish(const std::string& bytes) {
    const auto ec = co_await send(client_, bytes);
    EXPECT_FALSE(ec) << ec.message();
    client_.shutdown(tcp::socket::shutdown_send);
  }

  asio::awaitable<void> expect_echo_of(const std::string& sent) {
    const auto answer = co_await receive_to_end(client_);
    EXPECT_EQ(answer.ec, asio::error::eof) << answer.ec.message();
    EXPECT_EQ(answer.bytes.size(), sent.size());
    EXPECT_TRUE(answer.bytes == sent) << "the bytes differ";
  }

  asio::awaitable<void> pass_through();
  asio::awaitable<void> blackhole_holds();
  asio::awaitable<void> blackhole_is_bounded();
  asio::awaitable<void> blackhole_new_connection();
  asio::awaitable<void> blackhole_given_up();
  asio::awaitable<void> refuse();
  asio::awaitable<void> reset();
  asio::awaitable<void> reset_every();
  asio::awaitable<void> upstream_reset();
  asio::awaitable<void> upstream_down();
  asio::awaitable<void> latency();
  asio::awaitable<void> latency_lowered();
  asio::awaitable<void> swaps();
  asio::awaitable<void> swap_toxics();
  asio::awaitable<void> link_destroyed();
  asio::awaitable<void> group_destroyed();

  asio::io_context io_{1};
  echo_server server_{io_.get_executor()};
  tcp::socket client_{io_.get_executor()};
  std::unique_ptr<fault::link_group> group_ = fault::make_link_group();
  std::unique_ptr<fault::link> link_ = group_->add(server_.endpoint(), 1);
};

TEST_F(Link, PassesFiftyMegabytesBothWaysAndTheHalfClose) {
  run(pass_through());
}

asio::awaitable<void> Link::pass_through() {
  constexpr std::size_t bytes = 50'000'000;
  const auto sent = pattern(bytes);
  co_await connect(client_, link_->port());
  net::task_group both(io_.get_executor());
  both.spawn("send", send_and_finish(sent));
  both.spawn("receive", expect_echo_of(sent));
  co_await both.join();
  const auto counters = co_await wait_counters(*link_, "the connection ends", none_open);
  EXPECT_EQ(counters.accepted, 1U);
  EXPECT_EQ(counters.bytes_up, bytes);
  EXPECT_EQ(counters.bytes_down, bytes);
  EXPECT_EQ(counters.bytes_swallowed, 0U);
  EXPECT_EQ(counters.resets, 0U);
}

TEST_F(Link, BlackholeHoldsEverythingAndDeliversItLateInOrder) {
  run(blackhole_holds());
}

asio::awaitable<void> Link::blackhole_holds() {
  co_await connect_and_echo();
  toxics cut;
  cut.is_blackhole = true;
  co_await link_->apply(cut);
  co_await send_and_finish("one two three");
  const condition all_held = [](const link_counters& now) { return now.bytes_swallowed == 13; };
  const auto during = co_await wait_counters(*link_, "the bytes are held", all_held);
  EXPECT_EQ(during.bytes_up, 5U);
  EXPECT_EQ(during.bytes_down, 5U);
  EXPECT_EQ(during.open, 1U);
  EXPECT_EQ(during.generation, 1U);
  EXPECT_EQ(client_.available(), 0U);

  co_await link_->apply(toxics());
  co_await expect_echo_of("one two three");
  const auto after = co_await link_->counters();
  EXPECT_EQ(after.bytes_up, 18U);
  EXPECT_EQ(after.bytes_down, 18U);
  EXPECT_EQ(after.resets, 0U);
  EXPECT_EQ(after.generation, 2U);
}

TEST_F(Link, BlackholeReadsNoMoreThanItsBoundAndLosesNothing) {
  run(blackhole_is_bounded());
}

asio::awaitable<void> Link::blackhole_is_bounded() {
  const auto sent = pattern(40'000'000);
  co_await connect_and_echo();
  toxics cut;
  cut.is_blackhole = true;
  co_await link_->apply(cut);
  net::task_group both(io_.get_executor());
  both.spawn("send", send_and_finish(sent));
  const condition is_full = [](const link_counters& now) {
    return now.bytes_swallowed >= 4U << 20U;
  };
  const auto full = co_await wait_counters(*link_, "the queue is full", is_full);
  EXPECT_LE(full.bytes_swallowed, 5U << 20U);
  both.spawn("receive", expect_echo_of(sent));
  co_await link_->apply(toxics());
  co_await both.join();
}

TEST_F(Link, BlackholeAcceptsNewConnectionsAndDialsThemAfterwards) {
  run(blackhole_new_connection());
}

asio::awaitable<void> Link::blackhole_new_connection() {
  toxics cut;
  cut.is_blackhole = true;
  co_await link_->apply(cut);
  const auto ec = co_await connect(client_, link_->port());
  EXPECT_FALSE(ec) << ec.message();
  co_await send(client_, "late");
  co_await wait_counters(*link_, "it is accepted", one_open);
  EXPECT_EQ(server_.accepted(), 0U);
  co_await link_->apply(toxics());
  const auto answer = co_await receive(client_, 4);
  EXPECT_EQ(answer.bytes, "late");
  EXPECT_EQ(server_.accepted(), 1U);
}

TEST_F(Link, BlackholeForgetsConnectionsThatGaveUpBeforeTheyWereDialled) {
  run(blackhole_given_up());
}

asio::awaitable<void> Link::blackhole_given_up() {
  toxics cut;
  cut.is_blackhole = true;
  co_await link_->apply(cut);
  co_await connect(client_, link_->port());
  co_await send(client_, "never mind");
  client_.close();
  co_await wait_counters(*link_, "it is accepted", one_open);
  co_await link_->apply(toxics());
  const auto after = co_await wait_counters(*link_, "it is forgotten", none_open);
  EXPECT_EQ(after.bytes_up, 0U);
  EXPECT_EQ(server_.accepted(), 0U);
  co_await connect_and_echo();
}

TEST_F(Link, RefuseResetsAndRefusesUntilTheSamePortListensAgain) {
  run(refuse());
}

asio::awaitable<void> Link::refuse() {
  const auto port = link_->port();
  co_await connect_and_echo();
  toxics refusing;
  refusing.is_refusing = true;
  co_await link_->apply(refusing);
  const auto end = co_await receive(client_, 1);
  EXPECT_EQ(end.ec, asio::error::connection_reset) << end.ec.message();
  tcp::socket refused(io_.get_executor());
  const auto ec = co_await connect(refused, port);
  EXPECT_EQ(ec, asio::error::connection_refused) << ec.message();
  const auto counters = co_await link_->counters();
  EXPECT_EQ(counters.resets, 1U);
  EXPECT_EQ(counters.open, 0U);

  co_await link_->apply(refusing);  // once more changes nothing
  co_await link_->apply(toxics());
  EXPECT_EQ(link_->port(), port);
  client_.close();
  co_await connect_and_echo();
}

TEST_F(Link, ResetReachesBothEndsAndIsCounted) {
  run(reset());
}

asio::awaitable<void> Link::reset() {
  co_await connect_and_echo();
  const auto count = co_await link_->reset_connections();
  EXPECT_EQ(count, 1U);
  const auto end = co_await receive(client_, 1);
  EXPECT_EQ(end.ec, asio::error::connection_reset) << end.ec.message();
  client_.close();
  co_await connect_and_echo();  // and the server has seen the first end by now
  EXPECT_EQ(server_.last_end(), asio::error::connection_reset) << server_.last_end().message();
  const auto counters = co_await link_->counters();
  EXPECT_EQ(counters.resets, 1U);
  EXPECT_EQ(counters.accepted, 2U);
  EXPECT_EQ(counters.open, 1U);
}

TEST_F(Link, ResetsAgainAndAgainUntilHealed) {
  run(reset_every());
}

asio::awaitable<void> Link::reset_every() {
  toxics resetting;
  resetting.reset_every = milliseconds(20);
  co_await link_->apply(resetting);
  for (int i = 0; i < 3; ++i) {
    co_await expect_reset_after_connect(*link_);
    client_.close();
  }
  co_await link_->apply(toxics());
  const auto healed = co_await link_->counters();
  EXPECT_EQ(healed.resets, 3U);
  co_await connect_and_echo();
}

TEST_F(Link, HandsOnAResetOfUpstream) {
  run(upstream_reset());
}

asio::awaitable<void> Link::upstream_reset() {
  tcp::acceptor rude(io_.get_executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto to_rude = group_->add(rude.local_endpoint(), 2);
  co_await connect(client_, to_rude->port());
  tcp::socket accepted = co_await rude.async_accept(asio::use_awaitable);
  accepted.set_option(asio::socket_base::linger(true, 0));
  accepted.close();
  const auto end = co_await receive(client_, 1);
  EXPECT_EQ(end.ec, asio::error::connection_reset) << end.ec.message();
  const auto counters = co_await to_rude->counters();
  EXPECT_EQ(counters.resets, 0U) << "no toxic did it";
}

TEST_F(Link, ResetsAConnectionThatUpstreamRefuses) {
  run(upstream_down());
}

asio::awaitable<void> Link::upstream_down() {
  tcp::acceptor gone(io_.get_executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto nowhere = group_->add(gone.local_endpoint(), 2);
  gone.close();
  co_await expect_reset_after_connect(*nowhere);
}

TEST_F(Link, LatencyDelaysEachWayKeepsOrderAndThroughput) {
  run(latency());
}

asio::awaitable<void> Link::latency() {
  co_await connect_and_echo();
  toxics slow;
  slow.latency = milliseconds(50);
  slow.jitter = milliseconds(20);
  co_await link_->apply(slow);
  const auto start = net::now();
  co_await send(client_, "ping");
  const auto answer = co_await receive(client_, 4);
  EXPECT_EQ(answer.bytes, "ping");
  EXPECT_GE(net::now() - start, milliseconds(100));

  // At least 160 chunks: one after the other they would take over 16 seconds.
  const auto sent = pattern(160 * (64U << 10U));
  const auto bulk_start = net::now();
  net::task_group both(io_.get_executor());
  both.spawn("send", send_and_finish(sent));
  both.spawn("receive", expect_echo_of(sent));
  co_await both.join();
  EXPECT_GE(net::now() - bulk_start, milliseconds(100));
  EXPECT_LE(net::now() - bulk_start, milliseconds(8'000));
}

TEST_F(Link, LoweredLatencyReleasesWhatWaits) {
  run(latency_lowered());
}

asio::awaitable<void> Link::latency_lowered() {
  co_await connect_and_echo();
  toxics frozen;
  frozen.latency = std::chrono::hours(1);
  co_await link_->apply(frozen);
  co_await send(client_, "soon");
  co_await link_->apply(toxics());
  const auto answer = co_await receive(client_, 4);
  EXPECT_EQ(answer.bytes, "soon");
}

TEST_F(Link, SwappingToxicsUnderLoadLosesNoByte) {
  run(swaps());
}

asio::awaitable<void> Link::swaps() {
  const auto sent = pattern(60'000'000);
  co_await connect(client_, link_->port());
  net::task_group all(io_.get_executor());
  all.spawn("send", send_and_finish(sent));
  all.spawn("receive", expect_echo_of(sent));
  all.spawn("swap", swap_toxics());
  co_await all.join();
  const auto counters = co_await wait_counters(*link_, "the connection ends", none_open);
  EXPECT_EQ(counters.bytes_up, sent.size());
  EXPECT_EQ(counters.bytes_down, sent.size());
  EXPECT_GT(counters.bytes_swallowed, 0U);
  EXPECT_EQ(counters.resets, 0U);
  EXPECT_GT(counters.generation, 9U) << "too few swaps to mean anything";
}

// Until everything has passed. Slow and free stay until the link has moved some more, so that all
// toxics meet data.
asio::awaitable<void> Link::swap_toxics() {
  toxics cut;
  cut.is_blackhole = true;
  toxics slow;
  slow.latency = milliseconds(3);
  slow.jitter = milliseconds(5);
  link_counters seen = co_await wait_counters(*link_, "it is open", one_open);
  const condition has_moved = [&seen](const link_counters& now) {
    return now.open == 0 || now.bytes_down >= seen.bytes_down + 100'000;
  };
  while (seen.open > 0) {
    co_await link_->apply(cut);
    seen = co_await link_->counters();
    co_await link_->apply(slow);
    seen = co_await wait_counters(*link_, "the slow link moves on", has_moved);
    co_await link_->apply(toxics());
    seen = co_await wait_counters(*link_, "the free link moves on", has_moved);
  }
}

TEST_F(Link, ClosesItsConnectionsWhenItIsDestroyed) {
  run(link_destroyed());
}

asio::awaitable<void> Link::link_destroyed() {
  co_await connect_and_echo();
  const auto port = link_->port();
  link_.reset();
  const auto end = co_await receive(client_, 1);
  EXPECT_EQ(end.ec, asio::error::eof) << end.ec.message();
  tcp::socket late(io_.get_executor());
  const auto ec = co_await connect(late, port);
  EXPECT_EQ(ec, asio::error::connection_refused) << ec.message();
}

TEST_F(Link, GroupClosesEverythingAndMayGoFirst) {
  run(group_destroyed());
}

asio::awaitable<void> Link::group_destroyed() {
  co_await connect_and_echo();
  toxics cut;
  cut.is_blackhole = true;
  co_await link_->apply(cut);
  group_.reset();
  const auto end = co_await receive(client_, 1);
  EXPECT_EQ(end.ec, asio::error::eof) << end.ec.message();
  link_.reset();
}

}  // namespace
}  // namespace ordeal::test
