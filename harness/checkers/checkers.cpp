#include "harness/checkers/checkers.h"

#include <array>
#include <cstdio>

namespace ordeal::harness {
namespace {

std::string with_unit(double value, int digits, const char* unit) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f%s", digits, value, unit);
  return text.data();
}

}  // namespace

finding about(finding_kind kind, const delivered& what) {
  finding found;
  found.kind = kind;
  found.at = what.at;
  found.client = what.client;
  found.node = what.node;
  if (what.is_known_room) found.room = what.room;
  if (what.payload == payload_state::intact) found.message = what.id;
  return found;
}

finding about(finding_kind kind, const bench& at, seat_index sender, std::uint32_t seq,
              const open_message& message, seat_index member) {
  const seat& from = at.book.seats()[sender];
  const seat& to = at.book.seats()[member];
  finding found;
  found.kind = kind;
  found.at = message.invoked_at;
  found.client = to.client;
  found.node = at.book.node_of(to.client);
  found.room = to.room;
  found.message = message_id{from.client, from.room, seq};
  found.fault = at.book.lost_during(sender, seq, message.invoked_at);
  found.messages = message.ordinal;
  return found;
}

std::optional<std::size_t> outage_of(const bench& at, const reception& what) {
  return what.sent_during ? what.sent_during : at.book.faults().current();
}

bool is_allowed(const contract& promises, bool is_in_outage) {
  switch (promises.delivery) {
    case delivery_promise::every_message:
      return false;
    case delivery_promise::best_effort_in_outage:
      return is_in_outage;
    case delivery_promise::best_effort:
      return true;
  }
  return false;
}

bool is_lost(const bench& at, seat_index member, seat_index sender, std::uint32_t seq) {
  if (!at.end.is_torn) return true;
  return at.of.promises.order != order_promise::none && at.book.is_overtaken(member, sender, seq);
}

bool is_doubtful(const bench& at, const open_message& message) {
  return at.book.faults().is_doubtful(message.invoked_at, in_flight_max);
}

std::string doubt(const bench& at) {
  std::string names;
  const auto& courses = at.book.faults().courses();
  for (std::size_t f = 0; f < courses.size(); ++f) {
    if (courses[f].state != fault::fault_state::failed) continue;
    names += (names.empty() ? "" : ", ") + at.of.faults[f].name;
  }
  return "fault " + names + " failed, and what is missing since it began may be its doing";
}

std::string text_of(run_time at) {
  const double seconds = std::chrono::duration<double>(at).count();
  return (seconds < 0 ? "" : "+") + with_unit(seconds, 3, "s");
}

std::string text_of_duration(std::chrono::nanoseconds value) {
  const auto ns = static_cast<double>(value.count());
  if (ns >= 1e10) return with_unit(ns / 1e9, 1, "s");
  if (ns >= 1e9) return with_unit(ns / 1e9, 2, "s");
  if (ns >= 1e7) return with_unit(ns / 1e6, 0, "ms");
  if (ns >= 1e6) return with_unit(ns / 1e6, 1, "ms");
  return with_unit(ns / 1e3, 0, "us");
}

const char* reason_of(cut_cause cause) {
  switch (cause) {
    case cut_cause::none:
      return "it did not";
    case cut_cause::silent:
      return "the server was silent";
    case cut_cause::unanswered:
      return "the handshake or a join was not answered";
    case cut_cause::refused:
      return "a join was refused";
    case cut_cause::unread:
      return "the server did not read";
    case cut_cause::protocol:
      return "the server broke the protocol";
  }
  return "?";
}

std::string text_of_cut(const bench& at, client_id client) {
  const cut_cause cause = at.book.last_cut(client);
  if (cause == cut_cause::none) return {};
  return std::string("; its last connection was cut by us: ") + reason_of(cause);
}

std::string counted(std::uint64_t count, const char* singular, const char* plural) {
  return std::to_string(count) + " " + (count == 1 ? singular : plural);
}

std::string whereabouts(const bench& at, finding_kind kind) {
  std::uint64_t outside = at.found.count(kind);
  std::string text;
  std::size_t faults = 0;
  for (std::size_t f = 0; f < at.of.faults.size(); ++f) {
    const std::uint64_t inside = at.found.count_in_fault(kind, f);
    if (inside == 0) continue;
    outside -= inside;
    ++faults;
    text += (text.empty() ? "" : ", ") + std::to_string(inside) + " inside " + at.of.faults[f].name;
  }
  if (faults == 0) return "outside of any outage";
  if (outside > 0) return text + ", " + std::to_string(outside) + " outside of any outage";
  if (faults == 1) return text.substr(text.find("inside"));
  return text;
}

std::string first_example(const bench& at, finding_kind kind) {
  const finding* first = at.found.first(kind);
  return first == nullptr ? "" : "; first: " + first->detail;
}

}  // namespace ordeal::harness
