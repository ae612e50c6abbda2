// The plan: a scenario, a target and a seed with every draw made. What `ordeal plan` prints and a
// run executes; making it twice from the same inputs gives the same plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fault-injection/fault.h"
#include "harness/ids.h"
#include "harness/scenario/scenario.h"
#include "harness/target/target.h"
#include "net/async/random.h"

namespace ordeal::harness {

struct client_plan {
  client_id id{};
  node_id home{};
  std::vector<room_id> rooms;
  std::chrono::nanoseconds connect_at{};  // within the ramp
  // This one is a deputy: it comes when its home is left without a client in one of its rooms, stays, and
  // sends what is due from this client while that is elsewhere.
  std::optional<client_id> deputy_of = std::nullopt;
};

struct phase_plan {
  std::string name;
  run_time begins{};
  run_time ends{};
  std::optional<std::chrono::nanoseconds> send_period =
      std::nullopt;  // none: the load's; 0: nothing is sent

  bool is_silent() const { return send_period && send_period->count() == 0; }
};
// When the schedule's first message is due: silent phases may come before it.
run_time first_send_at(const std::vector<phase_plan>& phases);

struct plan {
  harness::scenario scenario;
  harness::target target;
  contract promises;  // the target's, or the strict one with --as strict
  std::uint64_t seed = 0;
  std::string run_nonce;                // 8 base32 characters; random, not from the seed
  std::vector<client_plan> clients;     // index = client_id
  std::vector<client_plan> deputies;    // their ids follow on
  std::vector<std::string> room_names;  // as the target sees them: "<nonce>-room-1"
  std::vector<phase_plan> phases;
  std::vector<fault::fault_spec> faults;  // sorted by time
  run_time publishing_ends{};             // of the declared phases; the recovery phase publishes on

  // The schedule of sends is generated while the run goes on (send_schedule), not stored.
};

// Never fails: the scenario and the target were checked by the loaders.
plan make_plan(scenario from, target with, std::uint64_t seed, std::string run_nonce);

// The fleet's open-loop schedule: when, who, into which room. The same for the same plan; endless. A
// phase with a rate of its own begins with a send. After the declared phases the load's rate goes on.
class send_schedule {
 public:
  explicit send_schedule(const plan& from);
  struct send {
    run_time at{};
    client_id client{};
    room_id room{};
  };
  send next();

 private:
  std::chrono::nanoseconds period() const;
  void enter_phases();

  const plan* plan_;
  net::random_stream arrivals_, senders_;
  run_time next_at_{};
  std::size_t phase_ = 0;  // of next_at_
  std::vector<std::pair<client_id, room_id>>
      order_;  // every (client, room) once, shuffled; walked round and round
  std::size_t cursor_ = 0;
};

// Messages the declared phases will send, and the deliveries they oblige, when nothing is lost or
// refused.
struct expected_totals {
  std::uint64_t messages = 0;
  std::uint64_t deliveries = 0;
};
expected_totals expect_totals(const plan& of);

// The text of `ordeal plan`.
std::string render_text(const plan& of);
std::string render_json(const plan& of);

}  // namespace ordeal::harness
