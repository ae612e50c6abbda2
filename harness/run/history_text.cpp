#include "harness/run/history_text.h"

#include <array>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "harness/history/event_codec.h"
#include "harness/history/event_words.h"
#include "reports/json_text.h"

namespace ordeal::harness {
namespace {

using std::chrono::nanoseconds;

constexpr std::array<std::string_view, 21> kinds{
    "send_invoked",        "send_settled",  "delivered",      "join_invoked",
    "join_confirmed",      "room_left",     "reset_received", "client_connected",
    "client_disconnected", "fault_changed", "node_changed",   "phase_changed",
    "generator_lag",       "tapped",        "node_usage",     "redis_usage",
    "observer_usage",      "clock_jumped",  "run_ended",      "reason_heard",
    "backplane_seen"};
static_assert(kinds.size() == std::variant_size_v<event>, "every kind has a name");

// All digits of it: a double would round what is far from zero.
std::string seconds_text(nanoseconds value) {
  constexpr std::uint64_t per_second = 1'000'000'000;
  const auto count = static_cast<std::uint64_t>(value.count());
  const std::uint64_t size = value.count() < 0 ? 0 - count : count;
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), ".%09llu",
                static_cast<unsigned long long>(size % per_second));
  return (value.count() < 0 ? "-" : "") + std::to_string(size / per_second) + digits.data();
}

// One event's line as it grows. A fields_of() for each kind: one that has none does not compile.
class line {
 public:
  line(run_time at, std::string_view kind) {
    text_ = R"({"t": )" + seconds_text(at) + R"(, "event": ")" + std::string(kind) + '"';
  }
  std::string finish() && { return std::move(text_) + '}'; }

  line& seconds(std::string_view key, nanoseconds value) { return raw(key, seconds_text(value)); }
  line& count(std::string_view key, std::uint64_t value) { return raw(key, std::to_string(value)); }
  line& number(std::string_view key, int value) { return raw(key, std::to_string(value)); }
  line& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  // A word of ours: nothing in it needs an escape.
  line& word(std::string_view key, const std::string& value) { return raw(key, '"' + value + '"'); }
  line& text(std::string_view key, const std::string& value) {
    return value.empty() ? *this : raw(key, report::json_text(boost::json::string(value)));
  }
  line& null(std::string_view key) { return raw(key, "null"); }

  line& message(const message_id& id) { return word("message", name_of(id)); }
  line& client(client_id id) { return word("client", name_of(id)); }
  line& node(node_id id) { return word("node", name_of(id)); }
  line& room(room_id id) { return word("room", name_of(id)); }

 private:
  line& raw(std::string_view key, const std::string& value) {
    text_.append(", \"").append(key).append("\": ").append(value);
    return *this;
  }

  std::string text_;
};

void fields_of(const send_invoked& what, const terms&, line& to) {
  to.message(what.id).node(what.node).seconds("due", what.intended);
}

void fields_of(const send_settled& what, const terms&, line& to) {
  to.message(what.id).node(what.node).word("outcome", word_of(what.result));
  to.count("attempts", what.attempts);
  if (what.was_unanswered) to.flag("unanswered", true);
}

void fields_of(const delivered& what, const terms&, line& to) {
  const bool is_intact = what.payload == payload_state::intact;
  if (is_intact) to.message(what.id);
  to.client(what.client).node(what.node);
  if (what.is_known_room) {
    to.room(what.room);
  } else {
    to.null("room");
  }
  to.word("payload", word_of(what.payload));
  if (is_intact) to.seconds("due", what.intended);
}

void fields_of(const join_invoked& what, const terms&, line& to) {
  to.client(what.client).node(what.node).room(what.room).flag("resume", what.is_resume);
}

void fields_of(const join_confirmed& what, const terms&, line& to) {
  to.client(what.client).node(what.node).room(what.room).flag("resume", what.is_resume);
}

void fields_of(const room_left& what, const terms&, line& to) {
  to.client(what.client).room(what.room);
}

void fields_of(const reset_received& what, const terms&, line& to) {
  to.client(what.client).room(what.room);
}

void fields_of(const client_connected& what, const terms&, line& to) {
  to.client(what.client).node(what.node);
}

void fields_of(const client_disconnected& what, const terms&, line& to) {
  to.client(what.client).node(what.node).flag("planned", what.was_planned);
  if (what.cut != cut_cause::none) to.word("cut_by_us", word_of(what.cut));
}

void fields_of(const fault_changed& what, const terms& in, line& to) {
  if (what.fault < in.faults.size()) {
    const fault_terms& known = in.faults[what.fault];
    to.text("fault", known.name).text("kind", known.kind).text("target", known.target);
  } else {
    to.text("fault", "number " + std::to_string(what.fault) + ", which the run does not have");
  }
  to.word("state", fault::name_of(what.state)).text("evidence", what.evidence);
}

void fields_of(const node_changed& what, const terms&, line& to) {
  to.node(what.node).word("state", word_of(what.state)).flag("planned", what.was_planned);
  to.text("detail", what.detail);
}

void fields_of(const phase_changed& what, const terms&, line& to) {
  to.text("phase", what.name).word("kind", word_of(what.kind));
}

void fields_of(const generator_lag& what, const terms&, line& to) {
  to.seconds("lag", what.lag).flag("skipped", what.was_skipped);
  if (what.was_skipped) to.word("reason", word_of(what.reason));
}

void fields_of(const tapped& what, const terms&, line& to) {
  to.message(what.id).node(what.node).word("where", word_of(what.where));
}

void fields_of(const node_usage& what, const terms&, line& to) {
  to.node(what.node).count("resident_bytes", what.resident_bytes);
  to.count("descriptors", what.descriptors).seconds("cpu", what.cpu);
  to.seconds("waited", what.waited).count("incarnation", what.incarnation);
}

void fields_of(const redis_usage& what, const terms&, line& to) {
  to.count("connections", what.connections);
}

void fields_of(const backplane_seen& what, const terms&, line& to) {
  to.node(what.node).count("connections", what.connections).count("bytes", what.bytes);
}

void fields_of(const observer_usage& what, const terms&, line& to) {
  to.count("busy_permille", what.busy_permille).seconds("stall", what.stall);
  to.count("overflowed", what.overflowed);
}

void fields_of(const clock_jumped& what, const terms&, line& to) {
  to.seconds("step", what.step).flag("suspended", what.was_suspended);
}

void fields_of(const run_ended& what, const terms&, line& to) {
  to.flag("cut_short", what.was_cut_short);
  if (what.signal != 0) to.number("signal", what.signal);
  to.text("problem", what.problem);
}

void fields_of(const reason_heard& what, const terms&, line& to) {
  to.node(what.node).word("kind", word_of(what.kind)).count("count", what.count);
  to.text("text", what.text);
}

}  // namespace

std::string_view kind_of(const event& what) {
  return kinds.at(what.index());
}

std::span<const std::string_view> event_kinds() {
  return kinds;
}

std::string line_of(const event& what, const terms& in) {
  line to(time_of(what), kind_of(what));
  std::visit([&](const auto& of) { fields_of(of, in, to); }, what);
  return std::move(to).finish();
}

}  // namespace ordeal::harness
