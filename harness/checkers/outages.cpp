#include "harness/checkers/outages.h"

#include <algorithm>

namespace ordeal::harness {

using fault::fault_state;

outages::outages(std::size_t fault_count, std::size_t node_count, std::size_t room_count)
    : node_count_(node_count),
      seats_(room_count, std::vector<std::uint32_t>(node_count, 0)),
      planned_(room_count, std::vector<bool>(node_count, false)),
      is_down_(node_count, false),
      courses_(fault_count) {
  for (fault_course& course : courses_) course.nodes.resize(node_count);
}

void outages::on(const fault_changed& what) {
  fault_course& course = courses_.at(what.fault);
  note_effect(course, what);
  course.state = what.state;
  switch (what.state) {
    case fault_state::planned:
      break;
    case fault_state::injecting:
      course.is_window_open = true;
      course.injecting_at = what.at;
      break;
    case fault_state::active:
      course.is_window_open = true;
      course.active_at = what.at;
      break;
    case fault_state::healing:
      break;
    case fault_state::healed:
      course.healed_at = what.at;
      begin_recovery(what.fault, what.at);
      break;
    case fault_state::failed:
      course.evidence = what.evidence;
      if (course.is_window_open) begin_recovery(what.fault, what.at);
      break;
  }
  refresh_current();
}

void outages::on(const node_changed& what) {
  is_down_.at(index_of(what.node)) = what.state != node_state::ready;
  look_for_recovered(what.at);
}

void outages::note_effect(const fault_course& before, const fault_changed& what) {
  const auto is_in_effect = [](fault_state state) {
    return state == fault_state::injecting || state == fault_state::active ||
           state == fault_state::healing;
  };
  if (is_in_effect(what.state) && !is_in_effect(before.state)) ++in_effect_;
  if (!is_in_effect(what.state) && is_in_effect(before.state)) {
    --in_effect_;
    last_heal_at_ = what.at;
  }
  if (what.state != fault_state::failed) return;
  const run_time begun = before.injecting_at.value_or(what.at);
  if (!first_failed_at_ || begun < *first_failed_at_) first_failed_at_ = begun;
}

std::optional<run_time> outages::calm_since() const {
  if (in_effect_ > 0 || first_failed_at_) return std::nullopt;
  return last_heal_at_.value_or(run_time::min());
}

void outages::begin_recovery(std::size_t fault, run_time at) {
  fault_course& course = courses_[fault];
  course.is_window_open = true;
  if (!course.is_recovering) {
    course.is_recovering = true;
    recovering_.push_back(fault);
  }
  for (const std::size_t each : recovering_) {
    for (node_course& node : courses_[each].nodes) {
      if (node.took && each != fault) continue;
      node.from = at;
      node.heard.assign(node_count_, false);
      node.took.reset();
    }
  }
}

void outages::seat(room_id room, node_id node, run_time at) {
  ++seats_[index_of(room)].at(index_of(node));
  look_for_recovered(at);
}

void outages::move(room_id room, node_id from, node_id to) {
  --seats_[index_of(room)].at(index_of(from));
  ++seats_[index_of(room)].at(index_of(to));
}

void outages::sent() {
  for (const std::size_t fault : recovering_) courses_[fault].had_traffic = true;
}

bool outages::expects(std::size_t origin, std::size_t node) const {
  if (is_down_[origin] && origin != node) return false;
  for (std::size_t room = 0; room < seats_.size(); ++room) {
    const auto has = [&](std::size_t n) { return planned_[room][n] || seats_[room][n] > 0; };
    if (has(origin) && has(node)) return true;
  }
  return false;
}

bool outages::is_node_used(std::size_t node) const {
  return std::any_of(seats_.begin(), seats_.end(),
                     [node](const auto& room) { return room[node] > 0; });
}

void outages::note_arrival(node_id origin, node_id node, run_time invoked_at, run_time at) {
  bool is_new = false;
  for (const std::size_t fault : recovering_) {
    node_course& there = courses_[fault].nodes.at(index_of(node));
    if (there.took || invoked_at < there.from || there.heard.at(index_of(origin))) continue;
    there.heard[index_of(origin)] = true;
    is_new = true;
  }
  if (is_new) look_for_recovered(at);
}

void outages::look_for_recovered(run_time at) {
  const auto is_complete = [this, at](std::size_t fault) {
    fault_course& course = courses_[fault];
    bool are_all_back = true;
    for (std::size_t b = 0; b < node_count_; ++b) {
      node_course& node = course.nodes[b];
      if (node.took) continue;
      bool has_heard_all = is_node_used(b);
      for (std::size_t a = 0; a < node_count_ && has_heard_all; ++a) {
        has_heard_all = node.heard[a] || !expects(a, b);
      }
      if (has_heard_all) {
        node.took = at - node.from;
      } else {
        are_all_back = false;
      }
    }
    if (are_all_back) {
      course.is_recovering = course.is_window_open = false;
      course.window_ended_at = at;
    }
    return are_all_back;
  };
  const auto rest = std::remove_if(recovering_.begin(), recovering_.end(), is_complete);
  if (rest == recovering_.end()) return;
  recovering_.erase(rest, recovering_.end());
  refresh_current();
}

std::optional<std::size_t> outages::first_around(run_time at, run_time within) const {
  std::optional<std::size_t> first;
  for (std::size_t fault = 0; fault < courses_.size(); ++fault) {
    const auto begun = courses_[fault].injecting_at, ended = courses_[fault].window_ended_at;
    if (!begun || *begun > at + within) continue;
    if (*begun < at && ended && *ended <= at) continue;
    if (!first || *begun < *courses_[*first].injecting_at) first = fault;
  }
  return first;
}

void outages::refresh_current() {
  const auto it = std::find_if(courses_.begin(), courses_.end(),
                               [](const fault_course& c) { return c.is_window_open; });
  current_.reset();
  if (it != courses_.end()) current_ = static_cast<std::size_t>(it - courses_.begin());
}

}  // namespace ordeal::harness
