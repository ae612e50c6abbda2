// What all checkers together cost a delivery, with many clients in one room: the fleet has to judge
// while it measures. Usage: ordeal-bench-checkers [clients] [senders] [messages]
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "harness/checkers/judge.h"
#include "net/async/random.h"

namespace {

using namespace ordeal;
using namespace ordeal::harness;

plan make_plan(std::size_t clients) {
  plan of;
  of.scenario.nodes = 3;
  of.scenario.load.send_period = std::chrono::milliseconds(1);
  of.target.protocol.resume = resume_kind::cursor;
  of.room_names = {"room"};
  for (std::size_t c = 0; c < clients; ++c)
    of.clients.push_back({client_id(c), node_id(c % 3), {room_id(0)}, {}});
  return of;
}

void join_all(judge& to, const plan& of) {
  for (const client_plan& client : of.clients) {
    to.on(client_connected{{}, client.id, client.home});
    to.on(join_invoked{{}, client.id, room_id(0), client.home});
    to.on(join_confirmed{{}, client.id, room_id(0), client.home});
  }
}

// Messages reach the clients in bursts, one client after the other, as reads from sockets do.
double nanoseconds_per_delivery(std::size_t clients, std::size_t senders, std::size_t messages,
                                std::size_t burst) {
  const plan of = make_plan(clients);
  const auto judge = judge::make(of, [](const finding&) {});
  join_all(*judge, of);
  net::random_stream random(1, "bench");
  std::vector<std::uint32_t> next(senders, 0);
  std::vector<message_id> under_way;
  run_time at{};
  std::uint64_t deliveries = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t m = 0; m < messages; ++m) {
    const std::size_t sender = random.below(senders);
    const message_id id{client_id(sender), room_id(0), ++next[sender]};
    at += std::chrono::microseconds(100);
    judge->on(send_invoked{at, id, of.clients[sender].home, at});
    judge->on(send_settled{at, id, of.clients[sender].home, outcome::ok});
    under_way.push_back(id);
    if (under_way.size() < burst) continue;
    for (std::size_t c = 0; c < clients; ++c) {
      for (const message_id& each : under_way) {
        judge->on(delivered{at + std::chrono::milliseconds(2), client_id(c), of.clients[c].home,
                            room_id(0), true, payload_state::intact, each, at});
      }
    }
    deliveries += clients * under_way.size();
    under_way.clear();
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
  const judgement end = judge->finish(at, false);
  for (const std::uint64_t count : end.findings) {
    if (count > 0) std::printf("unexpected findings: %s\n", end.why.c_str());
  }
  return took.count() / static_cast<double>(deliveries);
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [argc, argv](int i, std::size_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  const std::size_t clients = argument(1, 1000), senders = argument(2, 100);
  const std::size_t messages = argument(3, 20'000) / 64 * 64;  // whole bursts
  for (const std::size_t burst : {1U, 8U, 64U}) {
    std::printf("%zu clients, %zu senders, bursts of %zu: %.0f ns a delivery\n", clients, senders,
                burst, nanoseconds_per_delivery(clients, senders, messages, burst));
  }
  return 0;
}
