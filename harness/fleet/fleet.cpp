#include "harness/fleet/fleet.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <set>
#include <utility>

#include "harness/fleet/client.h"
#include "net/async/assert.h"
#include "net/async/task_group.h"

namespace ordeal::harness {
namespace {

constexpr std::chrono::milliseconds tick_interval{
    20};  // how late a retry, a ping or a timeout may be
constexpr std::chrono::milliseconds goodbye_limit{
    1'000};  // for closing handshakes; then connections are cut
constexpr std::size_t pending_count_max =
    10'000;  // of one client: an outage of minutes at 50 messages/s
constexpr std::chrono::seconds slow_answer{1};
constexpr int burst_count_max = 64;  // sends in a row before others get a turn

class fleet_of_clients final : public fleet {
 public:
  fleet_of_clients(asio::any_io_executor ex, const plan& what, fleet_options options,
                   event_sink& history)
      : shared_(ex, what, std::move(options), history),
        schedule_(what),
        pace_(ex),
        tick_(ex),
        tasks_(ex) {
    ORDEAL_ASSERT(!shared_.options.node_urls.empty());
    clients_.reserve(what.clients.size());
    for (const client_plan& who : what.clients) {
      clients_.push_back(std::make_unique<client>(shared_, who));
      shared_.status.joins_wanted += who.rooms.size();
    }
    shared_.status.clients = clients_.size();
    deputies_.resize(clients_.size(), nullptr);
    shared_.status.connected_by_node.resize(shared_.options.node_urls.size());
  }

  asio::awaitable<bool> connect_all(std::chrono::nanoseconds limit) override;
  void start_publishing() override;
  void stop_publishing() override;
  asio::awaitable<void> settle(std::chrono::nanoseconds limit,
                               std::chrono::nanoseconds answer_limit) override;
  void send_probes() override;
  fleet_status status() const override;
  asio::awaitable<void> stop() override;

 private:
  using publisher = std::pair<client*, room_id>;

  asio::awaitable<void> publish_loop(std::uint64_t generation);
  asio::awaitable<void> tick_loop();

  run_time now() const { return shared_.run_time_at(net::now()); }
  void start_client(client& who, net::time_point connect_at);
  void place_deputies();
  void publish(const send_schedule::send& due, run_time intended);
  client* find_stand_in(const send_schedule::send& due, room_id& room) const;
  client* find_prober(node_id node, room_id room) const;
  bool is_answer_outstanding() const;
  void abandon_sends();

  shared_state shared_;
  std::vector<std::unique_ptr<client>> clients_;  // index = client_id; then deputies as they came
  std::vector<client*> deputies_;  // by the client_id that each stands for; null: not there
  bool is_everybody_here_ = false;
  send_schedule schedule_;
  std::uint64_t publishing_generation_ = 0;  // odd while publishing
  bool has_published_ = false;
  asio::steady_timer pace_, tick_;
  net::task_group tasks_;
};

asio::awaitable<bool> fleet_of_clients::connect_all(std::chrono::nanoseconds limit) {
  ORDEAL_ASSERT(shared_.clients_running == 0);
  const auto begin = net::now();
  for (const auto& one : clients_) start_client(*one, begin + one->plan().connect_at);
  tasks_.spawn("ticks", tick_loop());
  const auto deadline = begin + limit;
  const fleet_status& status = shared_.status;
  while (status.joined < status.joins_wanted && net::now() < deadline && !shared_.is_stopping) {
    co_await shared_.changed.wait_until(deadline);
  }
  is_everybody_here_ = status.joined == status.joins_wanted;
  co_return is_everybody_here_;
}

void fleet_of_clients::start_client(client& who, net::time_point connect_at) {
  ++shared_.clients_running;
  const std::string name = name_of(who.id());
  tasks_.spawn(name, who.run(connect_at));
  tasks_.spawn(name + " writer", who.write_loop());
}

// Where of a deputy's rooms one has nobody on its node who is there or tries to be.
void fleet_of_clients::place_deputies() {
  if (!is_everybody_here_ || !std::exchange(shared_.has_anybody_moved, false)) return;
  std::set<std::pair<node_id, room_id>> taken;
  for (const auto& one : clients_) {
    for (const room_id room : one->plan().rooms) taken.emplace(one->node(), room);
  }
  for (const client_plan& deputy : shared_.what.deputies) {
    client*& placed = deputies_[index_of(*deputy.deputy_of)];
    const auto is_taken = [&](room_id room) { return taken.contains({deputy.home, room}); };
    if (placed || std::all_of(deputy.rooms.begin(), deputy.rooms.end(), is_taken)) continue;
    clients_.push_back(std::make_unique<client>(shared_, deputy));
    placed = clients_.back().get();
    start_client(*placed, net::now());
  }
}

asio::awaitable<void> fleet_of_clients::tick_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!shared_.is_stopping) {
    tick_.expires_after(tick_interval);
    co_await tick_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (shared_.is_stopping) break;
    const auto at = net::now();
    for (const auto& one : clients_) one->tick(at);
    place_deputies();
  }
}

// ---- Publishing

void fleet_of_clients::start_publishing() {
  const bool is_publishing = publishing_generation_ % 2 == 1;
  const bool has_load =
      shared_.status.joins_wanted > 0 && shared_.what.scenario.load.send_period.count() > 0;
  if (is_publishing || !has_load) return;
  ++publishing_generation_;
  tasks_.spawn("publishing", publish_loop(publishing_generation_));
}

void fleet_of_clients::stop_publishing() {
  if (publishing_generation_ % 2 == 0) return;
  ++publishing_generation_;
  pace_.cancel();
}

asio::awaitable<void> fleet_of_clients::publish_loop(std::uint64_t generation) {
  co_await asio::this_coro::throw_if_cancelled(false);
  send_schedule::send due = schedule_.next();
  // The schedule's zero is now; once it has stopped, it goes on with what is due next.
  const run_time shift = now() - (std::exchange(has_published_, true) ? due.at : run_time{});
  while (publishing_generation_ == generation && !shared_.is_stopping) {
    for (int sent = 0; sent < burst_count_max && due.at + shift <= now(); ++sent) {
      publish(due, due.at + shift);
      due = schedule_.next();
    }
    pace_.expires_at(shared_.options.run_start + due.at + shift);
    co_await pace_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void fleet_of_clients::publish(const send_schedule::send& due, run_time intended) {
  const run_time at = now();
  client* sender = clients_[index_of(due.client)].get();
  client* deputy = deputies_[index_of(due.client)];
  room_id room = due.room;
  if (deputy && deputy->node() != sender->node() && deputy->is_joined(room)) sender = deputy;
  if (!shared_.rules.is_idempotent && !sender->is_joined(room)) sender = find_stand_in(due, room);
  const auto skip = [&](skip_reason why) {
    shared_.history.on(generator_lag{at, at - intended, true, why});
  };
  if (at - intended > shared_.options.generator_give_up) return skip(skip_reason::late);
  if (!sender) return skip(skip_reason::away);
  if (sender->pending_count() >= pending_count_max)
    return skip(sender->is_joined(room) ? skip_reason::backlog : skip_reason::away);
  sender->publish(room, intended);
}

// The next (client, room) after the one that was due that can publish now; null when nobody can.
client* fleet_of_clients::find_stand_in(const send_schedule::send& due, room_id& room) const {
  const std::size_t begin = index_of(due.client);
  for (std::size_t step = 0; step < clients_.size(); ++step) {
    const std::size_t index = (begin + step) % clients_.size();
    for (const room_id candidate : clients_[index]->plan().rooms) {
      if (!clients_[index]->is_joined(candidate)) continue;
      room = candidate;
      return clients_[index].get();
    }
  }
  return nullptr;
}

void fleet_of_clients::send_probes() {
  place_deputies();
  const run_time at = now();
  for (std::size_t node = 0; node < shared_.options.node_urls.size(); ++node) {
    for (std::size_t room = 0; room < shared_.what.room_names.size(); ++room) {
      const room_id into{static_cast<std::uint32_t>(room)};
      client* prober = find_prober(node_id{static_cast<std::uint32_t>(node)}, into);
      if (prober) prober->publish(into, at);
    }
  }
}

fleet_status fleet_of_clients::status() const {
  fleet_status now = shared_.status;
  now.has_failed = !tasks_.failure_name().empty();
  return now;
}

// Where nobody is connected a client that wants to be there sends as soon as it is: a node that
// stays deaf must show.
client* fleet_of_clients::find_prober(node_id node, room_id room) const {
  client* absent = nullptr;
  for (const auto& one : clients_) {
    if (one->node() != node || !one->is_member(room)) continue;
    if (one->is_joined(room)) return one.get();
    if (!absent) absent = one.get();
  }
  return absent;
}

// ---- The end

asio::awaitable<void> fleet_of_clients::settle(std::chrono::nanoseconds limit,
                                               std::chrono::nanoseconds answer_limit) {
  const auto begun = net::now();
  while (shared_.status.sends_pending > 0 && net::now() < begun + limit) {
    co_await shared_.changed.wait_until(begun + limit);
  }
  while (is_answer_outstanding() && net::now() < begun + answer_limit) {
    co_await shared_.changed.wait_until(net::now() + tick_interval);
  }
  abandon_sends();
}

// Not of one that was sent again just now: who is refused again and again has its answers.
bool fleet_of_clients::is_answer_outstanding() const {
  const auto before = net::now() - slow_answer;
  return std::any_of(clients_.begin(), clients_.end(),
                     [before](const auto& one) { return one->waits_since(before); });
}

void fleet_of_clients::abandon_sends() {
  for (const auto& one : clients_) one->abandon_sends();
}

asio::awaitable<void> fleet_of_clients::stop() {
  stop_publishing();
  abandon_sends();
  shared_.is_stopping = true;
  tick_.cancel();
  shared_.changed.notify_all();
  for (const auto& one : clients_) one->begin_stop();
  const auto deadline = net::now() + goodbye_limit;
  while (shared_.clients_running > 0 && net::now() < deadline) {
    co_await shared_.changed.wait_until(deadline);
  }
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace

std::unique_ptr<fleet> make_fleet(asio::any_io_executor ex, const plan& what, fleet_options options,
                                  event_sink& history) {
  return std::make_unique<fleet_of_clients>(ex, what, std::move(options), history);
}

}  // namespace ordeal::harness
