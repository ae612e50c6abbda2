// What judging costs: all checkers together on one core, with many clients in one room, as the
// fleet has to judge while it measures. Three bounds: nanoseconds a delivery, bytes of state a
// (client, sender) pair, and that state does not grow with the length of the run. Histories are
// generated in batches outside of the measured time.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>

#include "harness/checkers/judge.h"
#include "net/async/random.h"

namespace {

std::size_t live_bytes = 0;  // one thread

void* counted(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  live_bytes += malloc_usable_size(block);
  return block;
}

void release(void* block) {
  if (block != nullptr) live_bytes -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(std::malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(step, (size + step - 1) / step * step));
}
void operator delete(void* block) noexcept {
  release(block);
}
void operator delete(void* block, std::size_t) noexcept {
  release(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  release(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  release(block);
}

namespace {

using namespace ordeal;
using namespace ordeal::harness;

constexpr double nanoseconds_max = 150;  // a delivery
constexpr double bytes_max = 64;         // a (client, sender) pair
constexpr double growth_max = 1.01;      // of the state, from a tenth of the run to its end
constexpr double degradation_max =
    1.5;  // of the time a delivery, when the run is four times as long
// The judge keeps the last few thousand messages of a room, whatever the length of the run.
constexpr std::size_t messages_to_fill = 10'000;
constexpr std::size_t batch_events = 100'000;

struct room_size {
  std::size_t clients = 1000, senders = 100;
};

// One in so many deliveries; 0: none.
struct disorder {
  std::uint64_t loss = 0, repetition = 0, swap = 0;
  bool is_one_deaf = false;  // a member that gets nothing at all
};

terms make_terms(const room_size& size) {
  terms of;
  of.nodes = 3;
  of.has_resume_protocol = true;
  of.rooms = {"room"};
  of.send_period = std::chrono::microseconds(100);
  for (std::size_t c = 0; c < size.clients; ++c)
    of.clients.push_back({node_id(c % of.nodes), {room_id(0)}});
  return of;
}

double processor_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// A judge and the history that it is fed.
class judged_room {
 public:
  judged_room(room_size size, std::size_t burst, disorder with)
      : size_(size), burst_(burst), disorder_(with), random_(1, "bench"), next_(size.senders, 0) {
    batch_.reserve(batch_events + 2 * burst * (size.clients + 1));
    under_way_.reserve(burst);
    line_.reserve(2 * burst);
    const std::size_t before = live_bytes;
    judge_ = judge::make(make_terms(size_), [](const finding&) {});
    own_bytes_before_ = before;
    join_all();
  }

  void play(std::uint64_t deliveries) {
    const std::uint64_t until = deliveries_ + deliveries;
    while (deliveries_ < until) {
      batch_.clear();
      while (batch_.size() < batch_events && deliveries_ < until) add_burst();
      const double begun = processor_nanoseconds();
      for (const event& each : batch_) judge_->on(each);
      took_ += processor_nanoseconds() - begun;
    }
  }

  double nanoseconds_per_delivery() const { return took_ / static_cast<double>(deliveries_); }
  std::size_t state_bytes() const { return live_bytes - own_bytes_before_; }
  double bytes_per_pair() const {
    return static_cast<double>(state_bytes()) / static_cast<double>(size_.clients * size_.senders);
  }
  std::uint64_t deliveries() const { return deliveries_; }

 private:
  void join_all() {
    for (std::size_t c = 0; c < size_.clients; ++c) {
      const node_id at = node_of(c);
      judge_->on(client_connected{{}, client_id(c), at});
      judge_->on(join_invoked{{}, client_id(c), room_id(0), at});
      judge_->on(join_confirmed{{}, client_id(c), room_id(0), at});
    }
  }

  static node_id node_of(std::size_t client) { return node_id(client % 3); }
  bool happens(std::uint64_t one_in) { return one_in > 0 && random_.below(one_in) == 0; }

  // Messages reach the clients in bursts, one client after the other, as reads from sockets do.
  void add_burst() {
    under_way_.clear();
    for (std::size_t m = 0; m < burst_; ++m) {
      const std::size_t sender = random_.below(size_.senders);
      const message_id id{client_id(sender), room_id(0), ++next_[sender]};
      at_ += std::chrono::microseconds(100);
      batch_.emplace_back(send_invoked{at_, id, node_of(sender), at_});
      batch_.emplace_back(send_settled{at_, id, node_of(sender), outcome::ok});
      under_way_.push_back(id);
    }
    for (std::size_t c = 0; c < size_.clients; ++c) add_deliveries(c);
  }

  void add_deliveries(std::size_t client) {
    line_.clear();
    if (disorder_.is_one_deaf && client == size_.clients - 1) return;
    for (const message_id& id : under_way_) {
      if (happens(disorder_.loss)) continue;
      line_.push_back(id);
      if (happens(disorder_.repetition)) line_.push_back(id);
      if (line_.size() > 1 && happens(disorder_.swap)) std::swap(line_.back(), *(line_.end() - 2));
    }
    for (const message_id& id : line_) {
      batch_.emplace_back(delivered{at_ + std::chrono::milliseconds(2), client_id(client),
                                    node_of(client), room_id(0), true, payload_state::intact, id,
                                    at_});
    }
    deliveries_ += line_.size();
  }

  room_size size_;
  std::size_t burst_;
  disorder disorder_;
  net::random_stream random_;
  std::vector<std::uint32_t> next_;  // by sender
  std::vector<event> batch_;
  std::vector<message_id> under_way_, line_;
  std::size_t own_bytes_before_ = 0;
  std::unique_ptr<judge> judge_;
  run_time at_{};
  std::uint64_t deliveries_ = 0;
  double took_ = 0;
};

class table {
 public:
  void row(const std::string& what, double value, const char* unit, double bound) {
    const bool is_kept = value <= bound;
    are_all_kept_ = are_all_kept_ && is_kept;
    std::printf("%-58s %10.2f %-6s at most %7.2f   %s\n", what.c_str(), value, unit, bound,
                is_kept ? "ok" : "BROKEN");
    std::fflush(stdout);
  }
  bool are_all_kept() const { return are_all_kept_; }

 private:
  bool are_all_kept_ = true;
};

std::string count_of(std::uint64_t value) {
  return value >= 1'000'000 ? std::to_string(value / 1'000'000) + "M"
                            : std::to_string(value / 1'000) + "k";
}

void measure_cost(table& into, const room_size& size, std::uint64_t deliveries) {
  for (const std::size_t burst : {1U, 8U, 64U}) {
    judged_room room(size, burst, {});
    room.play(deliveries);
    into.row("in order, bursts of " + std::to_string(burst), room.nanoseconds_per_delivery(), "ns",
             nanoseconds_max);
    if (burst == 64)
      into.row("state a (client, sender) pair", room.bytes_per_pair(), "bytes", bytes_max);
  }
}

// What is missing must not make every further delivery dearer.
void measure_disorder(table& into, const room_size& size, std::uint64_t deliveries,
                      const std::string& name, const disorder& with) {
  judged_room room(size, 64, with);
  room.play(deliveries);
  const double at_first = room.nanoseconds_per_delivery();
  into.row(name, at_first, "ns", nanoseconds_max);
  room.play(deliveries * 3);
  into.row("  four times as long: slower by the factor", room.nanoseconds_per_delivery() / at_first,
           "", degradation_max);
}

void measure_growth(table& into, const room_size& size, std::uint64_t deliveries) {
  judged_room room(size, 64, {});
  room.play(deliveries / 10);
  const std::size_t at_a_tenth = room.state_bytes();
  room.play(deliveries - deliveries / 10);
  const std::size_t at_the_end = room.state_bytes();
  std::printf("state after %s deliveries %zu bytes, after %s %zu bytes\n",
              count_of(deliveries / 10).c_str(), at_a_tenth, count_of(room.deliveries()).c_str(),
              at_the_end);
  into.row("growth of the state by the factor",
           static_cast<double>(at_the_end) / static_cast<double>(at_a_tenth), "", growth_max);
  into.row("in order, the whole of it", room.nanoseconds_per_delivery(), "ns", nanoseconds_max);
  into.row("state a (client, sender) pair", room.bytes_per_pair(), "bytes", bytes_max);
}

}  // namespace

int main(int argc, char** argv) {
  room_size size;
  std::uint64_t deliveries = 100'000'000;
  bool is_state_only = false;
  CLI::App app("What all checkers together cost; exit 1 when a bound is broken.");
  app.add_option("--clients", size.clients, "clients in the room")->check(CLI::PositiveNumber);
  app.add_option("--senders", size.senders, "of them, those who publish")
      ->check(CLI::PositiveNumber);
  app.add_option("--deliveries", deliveries, "of the run in which state must not grow")
      ->check(CLI::PositiveNumber);
  app.add_flag("--state-only", is_state_only, "only the run in which state must not grow");
  CLI11_PARSE(app, argc, argv);
  if (size.senders > size.clients) {
    std::fprintf(stderr, "error: --senders %zu: there are only %zu clients\n", size.senders,
                 size.clients);
    return 2;
  }
  if (deliveries / 10 < size.clients * messages_to_fill) {
    std::fprintf(stderr,
                 "error: --deliveries %s: a tenth of it must fill what is kept of the last few "
                 "thousand messages; use at least %s, or fewer clients\n",
                 count_of(deliveries).c_str(),
                 count_of(10 * size.clients * messages_to_fill).c_str());
    return 2;
  }
  std::printf("%zu clients and %zu senders in one room\n", size.clients, size.senders);
  table results;
  if (!is_state_only) {
    measure_cost(results, size, 5'000'000);
    measure_disorder(results, size, 5'000'000,
                     "1 in 10,000 lost, 1 in 1,000 repeated, 1 in 1,000 swapped",
                     {10'000, 1'000, 1'000, false});
    measure_disorder(results, size, 5'000'000, "1 in 200 lost", {200, 0, 0, false});
    measure_disorder(results, size, 5'000'000, "one client gets nothing", {0, 0, 0, true});
  }
  measure_growth(results, size, deliveries);
  return results.are_all_kept() ? 0 : 1;
}
