// Coming to rest, and what must hold there.
#include <algorithm>
#include <map>
#include <utility>

#include "reference-server/log/entry_codec.h"
#include "tests/model/world.h"

namespace ordeal::chat::model {
namespace {

// Enough for several recoveries one after the other, each with all its patience.
constexpr int turns_max = 120;
// A turn ends when a node wants to pause, or has nothing to say.
constexpr int exchanges_max = 40;

}  // namespace

void world::finish_what_is_under_way() {
  while (!server_->in_network.empty()) take(step{action::run_zombie, 0, 0});
  for (int which = 0; which < node_count; ++which) {
    if (node(which).is_cut) change(which).is_cut = false;
    const auto number = static_cast<std::uint8_t>(which);
    for (const action what : {action::execute, action::receive}) {
      while (can(step{what, number, 0})) take(step{what, number, 0});
    }
    for (const action what : {action::read_facts, action::read_receive}) {
      if (can(step{what, number, 0})) take(step{what, number, 0});
    }
  }
}

void world::run_in_turn(int first) {
  for (int i = 0; i < node_count && violation_.empty(); ++i) {
    const auto which = static_cast<std::uint8_t>((first + i) % node_count);
    if (!node(which).machine) continue;
    change(which).machine->beat_due();
    for (int exchanges = 0; exchanges < exchanges_max; ++exchanges) {
      const step next{action::exchange, which, 0};
      if (!can(next) || !violation_.empty()) break;
      take(next);
      if (node(which).machine->must_pause()) break;
    }
    for (int other = 0; other < node_count; ++other) {
      const step next{action::read, static_cast<std::uint8_t>(other), 0};
      if (can(next)) take(next);
    }
  }
}

// Empty: everybody is open, has read everything, and has nothing left to send.
std::string world::unrest() const {
  const auto& log = server_->redis.keys().log;
  const position tail = log && !log->entries.empty() ? log->entries.back()->at : position();
  for (const auto& node : nodes_) {
    if (!node->machine) continue;
    const log_machine& machine = *node->machine;
    if (machine.state() != log_state::open)
      return machine.origin() + " is not open: " + machine.reason();
    if (!log || machine.last_read() != tail)
      return machine.origin() + " has read to " + format_position(machine.last_read()) +
             ", the log ends at " + format_position(tail);
    if (machine.own_messages().size() > 0)
      return "the outbox of " + machine.origin() + " has " +
             std::to_string(machine.own_messages().size()) + " messages";
    // In stable mode the newest heartbeat always waits for the next.
    const auto waits = [&machine](const entry_ptr& each) {
      return each->kind == entry_kind::message && each->at > machine.last_delivered();
    };
    if (std::ranges::any_of(log->entries, waits))
      return machine.origin() + " has delivered to " + format_position(machine.last_delivered()) +
             ", and there are messages behind it";
  }
  return {};
}

void world::settle() {
  must_lose_nothing_ = is_calm_;
  is_calm_ = false;
  finish_what_is_under_way();
  std::string before = "nothing was tried";
  for (int turn = 0; turn < turns_max && violation_.empty(); ++turn) {
    run_in_turn(turn % node_count);
    std::string now = unrest();
    // Twice: a rest that the next beats disturb is none.
    if (now.empty() && before.empty()) {
      check_rest();
      must_lose_nothing_ = false;
      is_calm_ = true;
      return;
    }
    before = std::move(now);
  }
  fail("liveness: no rest after " + std::to_string(turns_max) + " turns: " + before);
}

void world::check_rest() {
  ++counts_.rests;
  check_log_at_rest();
  for (int which = 0; which < node_count; ++which) {
    if (node(which).machine) check_audience_at_rest(which);
  }
}

void world::check_log_at_rest() {
  const auto& log = server_->redis.keys().log;
  if (!log) return;  // nobody lives who would have made one
  std::map<std::string, int> counts;
  for (const entry_ptr& each : log->entries) {
    if (each->kind == entry_kind::message) ++counts[each->client_message_id];
  }
  for (const auto& [id, count] : counts) {
    if (count > 1) fail("at rest: " + id + " is in the log " + std::to_string(count) + " times");
  }
  if (options_->may_forget) return;
  for (const sent_message& sent : record_->sent) {
    const auto is_origin = [&sent](const std::shared_ptr<model_node>& node) {
      return node->machine && node->life == sent.life;
    };
    if (sent.is == sent_message::fate::refused || std::ranges::none_of(nodes_, is_origin) ||
        record_->is_trimmed(sent.identity) ||
        record_->passed_over.contains({record_->lives[sent.life], sent.seq}))
      continue;
    const std::string id = "m" + std::to_string(sent.identity);
    if (!counts.contains(id))
      fail("at rest: " + id + ", which " + record_->lives[sent.life] +
           " accepted, is not in the log");
  }
}

void world::check_audience_at_rest(int which) {
  const audience& clients = node(which).clients;
  const std::string who = node(which).machine->origin();
  const auto& log = *server_->redis.keys().log;
  for (const entry_ptr& each : log.entries) {
    if (each->kind != entry_kind::message || each->at.index <= clients.joined_behind.value_or(0))
      continue;
    const std::uint64_t index = each->at.index;
    const auto covers = [index](const auto& gap) {
      return gap.first <= index && index <= gap.second;
    };
    const auto is_it = [&each](const audience::delivery& other) {
      return "m" + std::to_string(other.identity) == each->client_message_id;
    };
    if (std::ranges::any_of(clients.gaps, covers) || std::ranges::any_of(clients.got, is_it))
      continue;
    fail("at rest: " + who + " never delivered " + describe(*each) + " and reported no gap");
  }
  for (const audience::delivery& each : clients.branch) {
    if (each.at.index < log.entries.front()->at.index) continue;
    const auto is_it = [&each](const entry_ptr& other) { return other->at == each.at; };
    if (std::ranges::any_of(log.entries, is_it)) continue;
    fail("at rest: " + who + " delivered m" + std::to_string(each.identity) + " at " +
         format_position(each.at) + ", which is not in the log, and reported no fork");
  }
}

}  // namespace ordeal::chat::model
