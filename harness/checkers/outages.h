// When was something broken, and when did the nodes work again? Follows every fault through its states,
// opens its outage window at `injecting`, and closes it once every node has heard every other one after
// the heal - for which somebody has to be there:
//
//   injecting ──▶ active ──▶ healing ──▶ healed ──▶ each node hears each other ──▶ closed
//
// A fault that failed is treated as one that healed then: what it did is unknown, so its window stays open
// until the nodes are seen to work. A node that has not recovered when another fault heals is measured
// anew from there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/history/event.h"

namespace ordeal::harness {

// What was sent so shortly before a fault may have been hit by it.
inline constexpr std::chrono::seconds in_flight_max{1};

struct node_course {
  run_time from{};          // its recovery is measured from here
  std::vector<bool> heard;  // by origin
  std::optional<run_time> took;
};

struct fault_course {
  fault::fault_state state = fault::fault_state::planned;
  std::optional<run_time> injecting_at, active_at, healed_at;
  std::optional<run_time> window_ended_at;
  bool is_window_open = false;
  bool is_recovering = false;
  std::string evidence;      // of a failure
  bool had_traffic = false;  // something was sent while it recovered
  std::vector<node_course> nodes;
};

class outages {
 public:
  outages(std::size_t fault_count, std::size_t node_count, std::size_t room_count);

  void on(const fault_changed& what);
  void on(const node_changed& what);

  // The plan has a member of `room` at `node`; then: there is one, who may move.
  void plan(room_id room, node_id node) { planned_[index_of(room)].at(index_of(node)) = true; }
  void seat(room_id room, node_id node, run_time at);
  void move(room_id room, node_id from, node_id to);
  void moved(run_time at) { look_for_recovered(at); }

  void sent();
  // A message of `origin`, first sent at `invoked_at`, reached a client at `node`.
  void arrived(node_id origin, node_id node, run_time invoked_at, run_time at) {
    if (!recovering_.empty()) note_arrival(origin, node, invoked_at, at);
  }

  // The (first) fault whose window is open.
  std::optional<std::size_t> current() const { return current_; }
  // The first fault whose window was open at `at`, or that was injected no later than `within`
  // after it. By the clock: faults are written by another thread than messages, so an event may
  // stand behind one that came a moment later.
  std::optional<std::size_t> first_around(run_time at, run_time within) const;
  // Since when no fault has been in effect; nothing while one is, and once one failed, as nobody knows what it left.
  std::optional<run_time> calm_since() const;
  // Nothing that is missing can be blamed on the target from here on: the first fault that failed began, or hit what
  // was under way then.
  bool is_doubtful(run_time sent_at, run_time within) const {
    return first_failed_at_ && sent_at + within >= *first_failed_at_;
  }
  bool has_failed() const { return first_failed_at_.has_value(); }
  bool has_recovered() const { return recovering_.empty(); }
  const std::vector<fault_course>& courses() const { return courses_; }
  // A node is expected to hear those that it shares a room with, by the plan or as things are: itself, and the
  // others unless they are down.
  bool expects(std::size_t origin, std::size_t node) const;
  bool is_node_used(std::size_t node) const;  // there is somebody
  std::size_t node_count() const { return node_count_; }

 private:
  void note_effect(const fault_course& before, const fault_changed& what);
  void note_arrival(node_id origin, node_id node, run_time invoked_at, run_time at);
  void begin_recovery(std::size_t fault, run_time at);
  void look_for_recovered(run_time at);
  void refresh_current();

  std::size_t node_count_;
  std::vector<std::vector<std::uint32_t>> seats_;  // by room, by node
  std::vector<std::vector<bool>> planned_;         // by room, by node
  std::vector<bool> is_down_;                      // by node; until told otherwise, none is
  std::vector<fault_course> courses_;
  std::vector<std::size_t> recovering_;
  std::optional<std::size_t> current_;
  std::size_t in_effect_ = 0;  // faults between injecting and healed
  std::optional<run_time> last_heal_at_, first_failed_at_;
};

}  // namespace ordeal::harness
