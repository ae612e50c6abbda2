// Literal histories for checker tests: each call is one event, a millisecond after the one before.
// The judge reads them as they are written, so a test may ask it at any point.
//
//   history h;                    // two nodes, clients 0 and 2 on node 0, 1 and 3 on node 1, all
//   in room 0 h.everybody_joins(); const auto m = h.sends(0); h.acknowledges(m);
//   h.everybody_gets(m);
//   EXPECT_EQ(h.verdict_of("delivery"), verdict::pass);
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/checkers/judge.h"

namespace ordeal::harness {

// A plan by hand: `clients[i]` lists the rooms of client i, whose home is node i mod `nodes`.
plan make_test_plan(std::size_t nodes, const std::vector<std::vector<std::size_t>>& clients);
plan make_test_plan();
void add_fault(plan& to, const std::string& name);
// Of this client; its own number follows on.
std::size_t add_deputy(plan& to, std::size_t client);

class history {
 public:
  history() : history(make_test_plan()) {}
  explicit history(plan of);

  // --- clients
  history& connects(std::size_t client);
  history& connects(std::size_t client, std::size_t node);
  history& asks(std::size_t client, std::size_t room = 0, bool is_resume = false);
  history& is_joined(std::size_t client, std::size_t room = 0, bool is_resume = false);
  history& joins(std::size_t client, std::size_t room = 0) {
    return asks(client, room).is_joined(client, room);
  }
  history& resumes(std::size_t client, std::size_t room = 0) {
    return asks(client, room, true).is_joined(client, room, true);
  }
  history& everybody_joins();
  history& leaves(std::size_t client, std::size_t room = 0);
  history& is_reset(std::size_t client, std::size_t room = 0);
  history& disconnects(std::size_t client, cut_cause cut = cut_cause::none);
  history& everybody_says_goodbye();  // the planned end

  // --- messages
  message_id sends(std::size_t client, std::size_t room = 0);
  history& settles(const message_id& what, outcome result);
  history& acknowledges(const message_id& what) { return settles(what, outcome::ok); }
  history& refuses(const message_id& what) { return settles(what, outcome::fail); }
  history& gives_up(const message_id& what) { return settles(what, outcome::info); }
  history& gets_no_answer(const message_id& what);
  message_id says(std::size_t client, std::size_t room = 0);  // sends and acknowledges
  history& gets(std::size_t client, const message_id& what);
  history& everybody_gets(const message_id& what);
  history& gets_raw(delivered what);  // `at` and the client's node are filled in
  message_id exchanges(std::size_t client, std::size_t room = 0);  // said, and everybody gets it

  // --- the rest
  history& fault_is(std::size_t fault, fault::fault_state state);
  history& breaks(std::size_t fault = 0);  // injecting, active
  history& heals(std::size_t fault = 0);   // healing, healed
  history& node_is(std::size_t node, node_state state, bool was_planned = true);
  history& phase(phase_kind kind, const std::string& name = "");
  history& lags(std::chrono::nanoseconds lag, bool was_skipped = false,
                skip_reason reason = skip_reason::late);
  history& later(std::chrono::nanoseconds by);
  // A declared phase is over; recovery, drain and a complete probe follow.
  history& ends_well();

  // --- the verdict
  judge& now() { return *judge_; }
  const judgement& end(bool was_cut_short = false);  // the first call ends the history
  const judgement& is_torn();                        // the history stops here, without an end
  verdict verdict_of(const std::string& check);
  std::string detail_of(const std::string& check);
  std::uint64_t count(finding_kind kind) { return end().findings[std::size_t(kind)]; }
  // "lost=1 duplicate=2", zeros left out; empty: nothing was found.
  std::string findings();
  const std::vector<finding>& found() const { return found_; }
  std::size_t suspicions() const { return suspicions_; }
  run_time time() const { return at_; }
  const plan& of() const { return plan_; }

 private:
  run_time tick() { return at_ += std::chrono::milliseconds(1); }
  const check_result& check(const std::string& id);

  plan plan_;
  run_time at_{};
  std::vector<finding> found_;
  std::size_t suspicions_ = 0;
  std::unique_ptr<judge> judge_;
  std::vector<node_id> nodes_;                    // where each client is
  std::vector<std::vector<std::uint32_t>> sent_;  // by client, by room
  std::optional<judgement> end_;
};

}  // namespace ordeal::harness
