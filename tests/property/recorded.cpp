#include "tests/property/recorded.h"

#include <array>
#include <cstdio>
#include <map>
#include <utility>

namespace ordeal::harness {
namespace {

const char* name_of(outcome value) {
  return value == outcome::ok ? "ok" : value == outcome::fail ? "fail" : "info";
}

std::string name_of(const delivered& what) {
  switch (what.payload) {
    case payload_state::corrupt:
      return "a damaged message";
    case payload_state::foreign_run:
      return "a message of another run";
    case payload_state::not_an_envelope:
      return "something else";
    case payload_state::intact:
      break;
  }
  return name_of(what.id);
}

const char* name_of(phase_kind kind) {
  static constexpr std::array names{"setup", "declared", "recovery", "drain", "probe", "finished"};
  return names.at(static_cast<std::size_t>(kind));
}

struct sentence {
  std::string operator()(const send_invoked& e) const {
    return name_of(e.id.sender) + " sends " + name_of(e.id) + " through " + name_of(e.node);
  }
  std::string operator()(const send_settled& e) const {
    return name_of(e.id) + " is settled: " + name_of(e.result);
  }
  std::string operator()(const delivered& e) const {
    return name_of(e.client) + " gets " + name_of(e) + " on " + name_of(e.node) + " under " +
           (e.is_known_room ? name_of(e.room) : "an unknown room");
  }
  std::string operator()(const join_invoked& e) const {
    return name_of(e.client) + (e.is_resume ? " asks to resume " : " asks for ") + name_of(e.room);
  }
  std::string operator()(const join_confirmed& e) const {
    return name_of(e.client) + (e.is_resume ? " has resumed " : " has joined ") + name_of(e.room);
  }
  std::string operator()(const room_left& e) const {
    return name_of(e.client) + " has left " + name_of(e.room);
  }
  std::string operator()(const reset_received& e) const {
    return name_of(e.client) + " is reset in " + name_of(e.room);
  }
  std::string operator()(const client_connected& e) const {
    return name_of(e.client) + " is connected to " + name_of(e.node);
  }
  std::string operator()(const client_disconnected& e) const {
    return name_of(e.client) + (e.was_planned ? " says goodbye" : " loses its connection");
  }
  std::string operator()(const fault_changed& e) const {
    return "fault " + std::to_string(e.fault) + " is " + fault::name_of(e.state);
  }
  std::string operator()(const node_changed& e) const {
    static constexpr std::array states{"starting", "ready", "exited", "stopped"};
    return name_of(e.node) + " is " + states.at(static_cast<std::size_t>(e.state)) +
           (e.was_planned ? "" : " by itself");
  }
  std::string operator()(const phase_changed& e) const {
    return std::string("phase ") + name_of(e.kind) + " " + e.name;
  }
  std::string operator()(const generator_lag& e) const {
    return e.was_skipped ? "a send is left out"
                         : "a send is late by " + std::to_string(e.lag.count()) + " ns";
  }
  std::string operator()(const run_ended& e) const {
    return e.was_cut_short ? "the run is cut short" : "the run ends";
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "an observation";
  }
};

using sender_room = std::pair<client_id, room_id>;

// Old numbers of one sender's messages in one room to new ones; 0: it is gone.
class renumbering {
 public:
  void add(bool is_kept) { now_.push_back(is_kept ? ++kept_ : 0); }
  std::uint32_t operator()(std::uint32_t seq) const {
    if (seq == 0) return 0;
    if (seq <= now_.size()) return now_[seq - 1];
    return seq - static_cast<std::uint32_t>(now_.size()) + kept_;  // was never sent: still is not
  }
  bool is_gone(std::uint32_t seq) const { return seq > 0 && (*this)(seq) == 0; }

 private:
  std::vector<std::uint32_t> now_;
  std::uint32_t kept_ = 0;
};

}  // namespace

std::string to_line(const event& what) {
  std::array<char, 48> time{};
  const double seconds = std::chrono::duration<double>(time_of(what)).count();
  std::snprintf(time.data(), time.size(), "%+15.9fs  ", seconds);
  return time.data() + std::visit(sentence{}, what);
}

std::string to_text(const recorded& what) {
  const contract& promises = what.of.promises;
  static constexpr std::array delivery{"every_message", "best_effort_in_outage", "best_effort"};
  static constexpr std::array order{"total", "per_sender", "none"};
  static constexpr std::array duplicates{"none", "in_outage", "allowed"};
  static constexpr std::array ack{"stable", "appended", "accepted", "none"};
  std::string text = std::string("promises: delivery ") +
                     delivery.at(static_cast<std::size_t>(promises.delivery)) + ", order " +
                     order.at(static_cast<std::size_t>(promises.order)) + ", duplicates " +
                     duplicates.at(static_cast<std::size_t>(promises.duplicates)) + ", ack " +
                     ack.at(static_cast<std::size_t>(promises.ack)) + ", resume " +
                     (what.of.can_resume() ? "true" : "false") + "\n";
  text += std::to_string(what.of.nodes) + " nodes; ";
  for (std::size_t c = 0; c < what.of.clients.size(); ++c) {
    text += name_of(client_id(c)) + " of " + name_of(what.of.clients[c].home) + " in";
    for (const room_id room : what.of.clients[c].rooms) text += " " + name_of(room);
    text += "; ";
  }
  text += "\n";
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    text += std::to_string(i) + "  " + to_line(what.events[i]) + "\n";
  }
  return text + (what.is_torn() ? "torn\n" : "");
}

recorded without(const recorded& from, std::size_t first, std::size_t count) {
  std::map<sender_room, renumbering> numbers;
  const auto is_removed = [&](std::size_t i) { return i >= first && i < first + count; };
  for (std::size_t i = 0; i < from.events.size(); ++i) {
    if (const auto* sent = std::get_if<send_invoked>(&from.events[i])) {
      numbers[{sent->id.sender, sent->id.room}].add(!is_removed(i));
    }
  }
  // False: the event is about a message that is gone.
  const auto renumber = [&](message_id& id) {
    const renumbering& of = numbers[{id.sender, id.room}];
    if (of.is_gone(id.seq)) return false;
    id.seq = of(id.seq);
    return true;
  };
  recorded rest{from.of, {}};
  for (std::size_t i = 0; i < from.events.size(); ++i) {
    if (is_removed(i)) continue;
    event copy = from.events[i];
    bool is_kept = true;
    if (auto* sent = std::get_if<send_invoked>(&copy)) is_kept = renumber(sent->id);
    if (auto* settled = std::get_if<send_settled>(&copy)) is_kept = renumber(settled->id);
    if (auto* got = std::get_if<delivered>(&copy)) {
      if (got->payload == payload_state::intact) is_kept = renumber(got->id);
    }
    if (is_kept) rest.events.push_back(std::move(copy));
  }
  return rest;
}

judged judge_all(const recorded& what) {
  judged result;
  const auto judge =
      judge::make(what.of, [&result](const finding& each) { result.found.push_back(each); });
  for (const event& each : what.events) judge->on(each);
  result.end = judge->finish();
  return result;
}

}  // namespace ordeal::harness
