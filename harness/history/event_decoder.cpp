#include <limits>

#include "harness/history/event_codec.h"

namespace ordeal::harness {
namespace wire {
namespace {

// Takes numbers off bytes. After the first problem everything is 0, and nothing more is taken.
class byte_cursor {
 public:
  explicit byte_cursor(std::string_view bytes) : rest_(bytes) {}

  std::size_t left() const { return rest_.size(); }
  const std::string& problem() const { return problem_; }
  void fail(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
    rest_ = {};
  }

  unsigned byte() {
    if (rest_.empty()) {
      fail("an event is cut off");
      return 0;
    }
    const auto value = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const unsigned next = byte();
      const std::uint64_t bits = next & 0x7fU;
      if (shift == 63 && bits > 1) break;
      value |= bits << shift;
      if (next < 0x80) return value;
    }
    fail("a number has more than 64 bits");
    return 0;
  }
  std::int64_t signed_number() { return unzigzag(number()); }

  std::uint64_t number_to(std::uint64_t max, const char* what) {
    const std::uint64_t value = number();
    if (value <= max) return value;
    fail(std::string(what) + " is " + std::to_string(value) + ", above " + std::to_string(max));
    return 0;
  }
  std::uint32_t small(const char* what) {
    constexpr auto max = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(number_to(max, what));
  }
  std::uint32_t index(const char* what) {
    return static_cast<std::uint32_t>(number_to(id_bound - 1, what));
  }
  client_id client() { return client_id{index("a client")}; }
  node_id node() { return node_id{index("a node")}; }
  room_id room() { return room_id{index("a room")}; }

  // An id and flags below it.
  std::uint64_t index_with(unsigned flag_bits, const char* what) {
    return number_to((std::uint64_t{id_bound} << flag_bits) - 1, what);
  }

  template <class Enum>
  Enum choice(std::uint64_t value, Enum max, const char* what) {
    if (value <= static_cast<std::uint64_t>(max)) return static_cast<Enum>(value);
    fail("there is no " + std::string(what) + " " + std::to_string(value));
    return Enum{};
  }
  bool flag(const char* what) {
    const unsigned value = byte();
    if (value > 1) fail(std::string(what) + " is neither 0 nor 1");
    return value == 1;
  }

  std::string text() {
    const auto size = static_cast<std::size_t>(number_to(text_bytes_max, "the length of a text"));
    if (size > rest_.size()) {
      fail("a text is cut off");
      return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }

 private:
  std::string_view rest_;
  std::string problem_;
};

message_id take_id(byte_cursor& from) {
  message_id id;
  id.sender = client_id{from.small("a sender")};
  id.room = room_id{from.small("a message's room")};
  id.seq = from.small("a sequence number");
  return id;
}

run_time take_intended(byte_cursor& from, const chunk_memory& in) {
  return moved(in.at, 0 - static_cast<std::uint64_t>(from.signed_number()));
}

// Index of a message that the chunk named before; nullopt: a new one follows.
std::optional<std::size_t> take_distance(byte_cursor& from, const chunk_memory& in) {
  const std::uint64_t distance = from.number_to(in.messages.size(), "the way back to a message");
  if (distance == 0) return std::nullopt;
  return in.messages.size() - static_cast<std::size_t>(distance);
}

message_id take_message(byte_cursor& from, chunk_memory& in) {
  if (const auto known = take_distance(from, in)) return in.messages[*known].id;
  in.messages.push_back({take_id(from), run_time{}});
  return in.messages.back().id;
}

void check_own(byte_cursor& from, const message_id& id) {
  if (index_of(id.sender) >= id_bound) from.fail("a sender is out of range");
  if (index_of(id.room) >= id_bound) from.fail("a room is out of range");
}

event take_send_invoked(byte_cursor& from, chunk_memory& in) {
  send_invoked what;
  what.at = in.at;
  what.id = take_id(from);
  check_own(from, what.id);
  what.intended = take_intended(from, in);
  what.node = from.node();
  in.messages.push_back({what.id, what.intended});
  return what;
}

event take_send_settled(byte_cursor& from, chunk_memory& in) {
  send_settled what;
  what.at = in.at;
  what.id = take_message(from, in);
  check_own(from, what.id);
  what.node = from.node();
  const std::uint64_t mixed = from.number_to((std::uint64_t{1} << 34) - 1, "attempts and outcome");
  what.attempts = static_cast<std::uint32_t>(mixed >> 2);
  what.was_unanswered = (mixed & 3) == unanswered_outcome;
  if (!what.was_unanswered) what.result = from.choice(mixed & 3, outcome::info, "outcome");
  return what;
}

// Which message of the chunk a delivery is about.
std::size_t take_delivered_message(byte_cursor& from, chunk_memory& in, unsigned tag) {
  if ((tag & message_follows_bit) == 0) return in.last_delivery->message;
  if (const auto known = take_distance(from, in)) return *known;
  const message_id id = take_id(from);
  in.messages.push_back({id, take_intended(from, in)});
  return in.messages.size() - 1;
}

void take_exceptions(byte_cursor& from, const chunk_memory& in, delivered& what) {
  const unsigned exceptions = from.byte();
  if ((exceptions & unused_exception_bits) != 0) from.fail("a delivery has unknown exceptions");
  what.payload = static_cast<payload_state>(exceptions & payload_mask);
  what.is_known_room = (exceptions & unknown_room_bit) == 0;
  if ((exceptions & node_follows_bit) != 0) what.node = from.node();
  if ((exceptions & room_follows_bit) != 0) what.room = from.room();
  if ((exceptions & intended_follows_bit) != 0) what.intended = take_intended(from, in);
}

event take_delivered(byte_cursor& from, chunk_memory& in, unsigned tag) {
  delivered what;
  what.at = in.at;
  constexpr unsigned is_whole = client_follows_bit | message_follows_bit;
  if ((tag & is_whole) != is_whole && !in.last_delivery) {
    from.fail("a delivery refers to the one before, and there is none");
    return what;
  }
  const bool names_client = (tag & client_follows_bit) != 0;
  what.client = names_client ? from.client() : in.last_delivery->client;
  const std::size_t index = take_delivered_message(from, in, tag);
  what.id = in.messages[index].id;
  what.room = what.id.room;
  what.intended = in.messages[index].intended;
  const auto seat = in.node_of(what.client);
  what.node = seat.value_or(node_id{});
  if ((tag & exceptions_follow_bit) != 0) take_exceptions(from, in, what);
  if ((tag & exceptions_follow_bit) == 0 && !seat) from.fail("a delivery is to an unknown node");

  in.last_delivery = {what.client, index};
  in.set_node(what.client, what.node);
  in.messages[index].intended = what.intended;
  return what;
}

template <class Join>
event take_join(byte_cursor& from, const chunk_memory& in) {
  Join what;
  what.at = in.at;
  what.client = from.client();
  what.room = from.room();
  const std::uint64_t mixed = from.index_with(1, "a node and whether it is a resume");
  what.node = node_id{static_cast<std::uint32_t>(mixed >> 1)};
  what.is_resume = (mixed & 1) != 0;
  return what;
}

template <class InRoom>
event take_in_room(byte_cursor& from, const chunk_memory& in) {
  InRoom what;
  what.at = in.at;
  what.client = from.client();
  what.room = from.room();
  return what;
}

event take_client_connected(byte_cursor& from, const chunk_memory& in) {
  client_connected what;
  what.at = in.at;
  what.client = from.client();
  what.node = from.node();
  return what;
}

event take_client_disconnected(byte_cursor& from, const chunk_memory& in) {
  client_disconnected what;
  what.at = in.at;
  what.client = from.client();
  const std::uint64_t mixed = from.index_with(1, "a node and whether it was planned");
  what.node = node_id{static_cast<std::uint32_t>(mixed >> 1)};
  what.was_planned = (mixed & 1) != 0;
  return what;
}

event take_client_cut(byte_cursor& from, const chunk_memory& in) {
  auto what = std::get<client_disconnected>(take_client_disconnected(from, in));
  what.cut = from.choice(from.byte(), cut_cause::protocol, "cause of a cut");
  if (what.cut == cut_cause::none) from.fail("a client was cut without a cause");
  return what;
}

event take_fault_changed(byte_cursor& from, const chunk_memory& in) {
  fault_changed what;
  what.at = in.at;
  what.fault = from.index("a fault");
  what.state = from.choice(from.byte(), fault::fault_state::failed, "state of a fault");
  what.evidence = from.text();
  return what;
}

event take_node_changed(byte_cursor& from, const chunk_memory& in) {
  node_changed what;
  what.at = in.at;
  what.node = from.node();
  const unsigned mixed = from.byte();
  what.state = from.choice(mixed >> 1, node_state::stopped, "state of a node");
  what.was_planned = (mixed & 1) != 0;
  what.detail = from.text();
  return what;
}

event take_phase_changed(byte_cursor& from, const chunk_memory& in) {
  phase_changed what;
  what.at = in.at;
  what.kind = from.choice(from.byte(), phase_kind::finished, "kind of phase");
  what.name = from.text();
  return what;
}

event take_generator_lag(byte_cursor& from, const chunk_memory& in) {
  generator_lag what;
  what.at = in.at;
  const unsigned flags = from.byte();
  what.was_skipped = (flags & was_skipped_bit) != 0;
  what.reason =
      from.choice(flags >> skip_reason_shift, skip_reason::away, "reason of a skipped send");
  if (!what.was_skipped && what.reason != skip_reason{})
    from.fail("a generator lag has unknown flags");
  if ((flags & lag_follows_bit) != 0) {
    what.lag = std::chrono::nanoseconds(from.signed_number());
  } else if (in.messages.empty()) {
    from.fail("a generator lag refers to a send, and there is none");
  } else {
    what.lag = std::chrono::nanoseconds(difference(in.at, in.messages.back().intended));
  }
  return what;
}

event take_tapped(byte_cursor& from, chunk_memory& in) {
  tapped what;
  what.at = in.at;
  const std::uint64_t mixed = from.index_with(2, "a node and where it was tapped");
  what.node = node_id{static_cast<std::uint32_t>(mixed >> 2)};
  what.where = static_cast<tap_point>(mixed & 3);
  what.id = take_message(from, in);
  return what;
}

event take_node_usage(byte_cursor& from, const chunk_memory& in) {
  node_usage what;
  what.at = in.at;
  what.node = from.node();
  what.resident_bytes = from.number();
  what.descriptors = from.small("a number of descriptors");
  what.cpu = std::chrono::microseconds(from.signed_number());
  what.incarnation = from.small("an incarnation");
  what.waited = std::chrono::microseconds(from.signed_number());
  return what;
}

event take_redis_usage(byte_cursor& from, const chunk_memory& in) {
  redis_usage what;
  what.at = in.at;
  what.connections = from.small("a number of connections");
  return what;
}

event take_observer_usage(byte_cursor& from, const chunk_memory& in) {
  observer_usage what;
  what.at = in.at;
  what.busy_permille = from.small("a share of a core");
  what.stall = std::chrono::nanoseconds(from.signed_number());
  what.overflowed = from.number();
  return what;
}

event take_clock_jumped(byte_cursor& from, const chunk_memory& in) {
  clock_jumped what;
  what.at = in.at;
  what.was_suspended = from.flag("whether the machine was suspended");
  what.step = std::chrono::nanoseconds(from.signed_number());
  return what;
}

event take_run_ended(byte_cursor& from, const chunk_memory& in) {
  run_ended what;
  what.at = in.at;
  what.was_cut_short = from.flag("whether the run was cut short");
  const std::int64_t number = from.signed_number();
  what.signal = static_cast<int>(number);
  if (what.signal != number) from.fail("a signal is out of range");
  what.problem = from.text();
  return what;
}

event take_reason_heard(byte_cursor& from, chunk_memory& in) {
  reason_heard what;
  what.at = in.at;
  const std::uint64_t mixed = from.index_with(3, "a node and a kind of reason");
  what.node = node_id{static_cast<std::uint32_t>(mixed >> 3)};
  what.kind = from.choice(mixed & 7, reason_kind::send_unanswered, "kind of reason");
  what.count = from.small("a count of reasons");
  const std::uint64_t distance = from.number_to(in.reasons.size(), "the way back to a reason");
  if (distance > 0) {
    what.text = in.reasons[in.reasons.size() - static_cast<std::size_t>(distance)];
    return what;
  }
  what.text = from.text();
  if (what.text.size() > reason_bytes_max) from.fail("a reason is too long");
  in.reasons.push_back(what.text);
  return what;
}

event take_backplane_seen(byte_cursor& from, const chunk_memory& in) {
  backplane_seen what;
  what.at = in.at;
  what.node = from.node();
  what.connections = from.small("a number of connections");
  what.bytes = from.number();
  return what;
}

event take_kind(byte_cursor& from, chunk_memory& in, unsigned number) {
  switch (static_cast<kind>(number)) {
    case kind::send_invoked:
      return take_send_invoked(from, in);
    case kind::send_settled:
      return take_send_settled(from, in);
    case kind::delivered:
      break;
    case kind::join_invoked:
      return take_join<join_invoked>(from, in);
    case kind::join_confirmed:
      return take_join<join_confirmed>(from, in);
    case kind::room_left:
      return take_in_room<room_left>(from, in);
    case kind::reset_received:
      return take_in_room<reset_received>(from, in);
    case kind::client_connected:
      return take_client_connected(from, in);
    case kind::client_disconnected:
      return take_client_disconnected(from, in);
    case kind::client_cut:
      return take_client_cut(from, in);
    case kind::fault_changed:
      return take_fault_changed(from, in);
    case kind::node_changed:
      return take_node_changed(from, in);
    case kind::phase_changed:
      return take_phase_changed(from, in);
    case kind::generator_lag:
      return take_generator_lag(from, in);
    case kind::tapped:
      return take_tapped(from, in);
    case kind::node_usage:
      return take_node_usage(from, in);
    case kind::redis_usage:
      return take_redis_usage(from, in);
    case kind::observer_usage:
      return take_observer_usage(from, in);
    case kind::clock_jumped:
      return take_clock_jumped(from, in);
    case kind::run_ended:
      return take_run_ended(from, in);
    case kind::reason_heard:
      return take_reason_heard(from, in);
    case kind::backplane_seen:
      return take_backplane_seen(from, in);
  }
  from.fail("there is no event of kind " + std::to_string(number));
  return run_ended{};
}

event take_event(byte_cursor& from, chunk_memory& in) {
  const unsigned tag = from.byte();
  const std::uint64_t distance = from.number();
  in.at = moved(in.at, (tag & goes_back_bit) != 0 ? 0 - distance : distance);
  if ((tag & is_delivered_bit) == 0) return take_kind(from, in, tag & kind_mask);
  if ((tag & unused_delivery_bits) != 0) from.fail("a delivery has unknown flags");
  return take_delivered(from, in, tag);
}

}  // namespace
}  // namespace wire

void event_decoder::begin(std::string_view bytes, run_time first) {
  bytes_ = bytes;
  position_ = following_ = 0;
  problem_.clear();
  memory_.forget(first);
}

std::optional<event> event_decoder::next() {
  if (!problem_.empty()) return std::nullopt;
  position_ = following_;
  if (position_ == bytes_.size()) return std::nullopt;
  wire::byte_cursor from(bytes_.substr(position_));
  std::optional<event> what = wire::take_event(from, memory_);
  if (!from.problem().empty()) {
    problem_ = from.problem();
    return std::nullopt;
  }
  following_ = bytes_.size() - from.left();
  return what;
}

}  // namespace ordeal::harness
