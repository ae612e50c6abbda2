#include "harness/history/event_codec.h"

#include <algorithm>

namespace ordeal::harness {
namespace wire {

static_assert(std::variant_size_v<event> == 21,
              "a new event needs a kind, a put, a take and docs/formats.md");

void byte_writer::text(std::string_view value) {
  value = value.substr(0, text_bytes_max);
  reserve(value.size() + 16);
  number(value.size());
  value.copy(bytes_.data() + used_, value.size());
  used_ += value.size();
}

std::size_t message_index::slot_of(const message_id& id) {
  std::uint64_t hash = (std::uint64_t{index_of(id.sender)} << 32 | id.seq) * 0x9e3779b97f4a7c15U;
  hash ^= std::uint64_t{index_of(id.room)} * 0xc2b2ae3d27d4eb4fU;
  return static_cast<std::size_t>(hash >> 40) % slot_count;
}

std::optional<std::size_t> message_index::find(const message_id& id) const {
  const slot& found = slots_[slot_of(id)];
  if (found.generation != generation_ || found.id != id) return std::nullopt;
  return found.index;
}

void message_index::set(const message_id& id, std::size_t index) {
  slots_[slot_of(id)] = {id, static_cast<std::uint32_t>(index), generation_};
}

namespace {

constexpr std::size_t event_bytes_max = 128;  // without texts: a tag and at most ten numbers

template <class Id>
void put_id(byte_writer& out, Id id) {
  out.number(index_of(id));
}

// The tag and the time since the event before.
void open(encoder_state& to, unsigned tag, run_time at) {
  const std::int64_t step = difference(at, to.memory.at);
  to.memory.at = at;
  auto distance = static_cast<std::uint64_t>(step);
  if (step < 0) {
    tag |= goes_back_bit;
    distance = 0 - distance;
  }
  to.out.byte(tag);
  to.out.number(distance);
}

void open(encoder_state& to, kind what, run_time at) {
  open(to, static_cast<unsigned>(what), at);
}

std::size_t put_new_message(encoder_state& to, const message_id& id, run_time intended) {
  put_id(to.out, id.sender);
  put_id(to.out, id.room);
  to.out.number(id.seq);
  const std::size_t index = to.memory.messages.size();
  to.memory.messages.push_back({id, intended});
  to.index.set(id, index);
  return index;
}

void put_intended(encoder_state& to, run_time intended) {
  to.out.signed_number(difference(to.memory.at, intended));
}

// How far back in the chunk's messages, from 1.
void put_distance(encoder_state& to, std::size_t index) {
  to.out.number(to.memory.messages.size() - index);
}

void put_message(encoder_state& to, const message_id& id) {
  if (const auto index = to.index.find(id)) return put_distance(to, *index);
  to.out.number(0);
  put_new_message(to, id, run_time{});
}

void put(encoder_state& to, const send_invoked& what) {
  open(to, kind::send_invoked, what.at);
  put_new_message(to, what.id, what.intended);
  put_intended(to, what.intended);
  put_id(to.out, what.node);
}

void put(encoder_state& to, const send_settled& what) {
  open(to, kind::send_settled, what.at);
  put_message(to, what.id);
  put_id(to.out, what.node);
  const auto result = what.was_unanswered ? unanswered_outcome : static_cast<unsigned>(what.result);
  to.out.number(std::uint64_t{what.attempts} << 2 | result);
}

// Which of the chunk's messages it is, if it was named.
std::optional<std::size_t> index_of_delivered(const encoder_state& in, const message_id& id) {
  const auto& last = in.memory.last_delivery;
  if (last && in.memory.messages[last->message].id == id) return last->message;
  return in.index.find(id);
}

unsigned exceptions_of(const encoder_state& in, const delivered& what,
                       std::optional<std::size_t> index) {
  auto exceptions = static_cast<unsigned>(what.payload);
  if (!what.is_known_room) exceptions |= unknown_room_bit;
  if (in.memory.node_of(what.client) != what.node) exceptions |= node_follows_bit;
  if (what.room != what.id.room) exceptions |= room_follows_bit;
  const bool is_foretold = !index || in.memory.messages[*index].intended == what.intended;
  if (!is_foretold) exceptions |= intended_follows_bit;
  return exceptions;
}

void put(encoder_state& to, const delivered& what) {
  auto index = index_of_delivered(to, what.id);
  const auto& last = to.memory.last_delivery;
  const bool is_same_client = last && last->client == what.client;
  const bool is_same_message = last && index == last->message;
  const unsigned exceptions = exceptions_of(to, what, index);

  unsigned tag = is_delivered_bit;
  if (!is_same_client) tag |= client_follows_bit;
  if (!is_same_message) tag |= message_follows_bit;
  if (exceptions != 0) tag |= exceptions_follow_bit;
  open(to, tag, what.at);
  if (!is_same_client) put_id(to.out, what.client);
  if (!is_same_message && index) put_distance(to, *index);
  if (!index) {
    to.out.number(0);
    index = put_new_message(to, what.id, what.intended);
    put_intended(to, what.intended);
  }
  to.memory.last_delivery = {what.client, *index};
  if (exceptions == 0) return;

  to.out.byte(exceptions);
  if ((exceptions & node_follows_bit) != 0) put_id(to.out, what.node);
  if ((exceptions & room_follows_bit) != 0) put_id(to.out, what.room);
  if ((exceptions & intended_follows_bit) != 0) put_intended(to, what.intended);
  to.memory.set_node(what.client, what.node);
  to.memory.messages[*index].intended = what.intended;
}

template <class Join>
void put_join(encoder_state& to, kind which, const Join& what) {
  open(to, which, what.at);
  put_id(to.out, what.client);
  put_id(to.out, what.room);
  to.out.number(index_of(what.node) << 1 | (what.is_resume ? 1U : 0U));
}
void put(encoder_state& to, const join_invoked& what) {
  put_join(to, kind::join_invoked, what);
}
void put(encoder_state& to, const join_confirmed& what) {
  put_join(to, kind::join_confirmed, what);
}

template <class InRoom>
void put_in_room(encoder_state& to, kind which, const InRoom& what) {
  open(to, which, what.at);
  put_id(to.out, what.client);
  put_id(to.out, what.room);
}
void put(encoder_state& to, const room_left& what) {
  put_in_room(to, kind::room_left, what);
}
void put(encoder_state& to, const reset_received& what) {
  put_in_room(to, kind::reset_received, what);
}

void put(encoder_state& to, const client_connected& what) {
  open(to, kind::client_connected, what.at);
  put_id(to.out, what.client);
  put_id(to.out, what.node);
}

void put(encoder_state& to, const client_disconnected& what) {
  const bool was_cut = what.cut != cut_cause::none;
  open(to, was_cut ? kind::client_cut : kind::client_disconnected, what.at);
  put_id(to.out, what.client);
  to.out.number(index_of(what.node) << 1 | (what.was_planned ? 1U : 0U));
  if (was_cut) to.out.byte(static_cast<unsigned>(what.cut));
}

void put(encoder_state& to, const fault_changed& what) {
  open(to, kind::fault_changed, what.at);
  to.out.number(what.fault);
  to.out.byte(static_cast<unsigned>(what.state));
  to.out.text(what.evidence);
}

void put(encoder_state& to, const node_changed& what) {
  open(to, kind::node_changed, what.at);
  put_id(to.out, what.node);
  to.out.byte(static_cast<unsigned>(what.state) << 1 | (what.was_planned ? 1U : 0U));
  to.out.text(what.detail);
}

void put(encoder_state& to, const phase_changed& what) {
  open(to, kind::phase_changed, what.at);
  to.out.byte(static_cast<unsigned>(what.kind));
  to.out.text(what.name);
}

void put(encoder_state& to, const generator_lag& what) {
  open(to, kind::generator_lag, what.at);
  const auto& messages = to.memory.messages;
  const bool is_foretold = !messages.empty() && difference(what.at, messages.back().intended) ==
                                                    std::int64_t{what.lag.count()};
  const unsigned reason = static_cast<unsigned>(what.reason) << skip_reason_shift;
  to.out.byte((what.was_skipped ? was_skipped_bit | reason : 0U) |
              (is_foretold ? 0U : lag_follows_bit));
  if (!is_foretold) to.out.signed_number(what.lag.count());
}

void put(encoder_state& to, const tapped& what) {
  open(to, kind::tapped, what.at);
  to.out.number(index_of(what.node) << 2 | static_cast<std::size_t>(what.where));
  put_message(to, what.id);
}

void put(encoder_state& to, const node_usage& what) {
  open(to, kind::node_usage, what.at);
  put_id(to.out, what.node);
  to.out.number(what.resident_bytes);
  to.out.number(what.descriptors);
  to.out.signed_number(what.cpu.count());
  to.out.number(what.incarnation);
  to.out.signed_number(what.waited.count());
}

void put(encoder_state& to, const redis_usage& what) {
  open(to, kind::redis_usage, what.at);
  to.out.number(what.connections);
}

void put(encoder_state& to, const observer_usage& what) {
  open(to, kind::observer_usage, what.at);
  to.out.number(what.busy_permille);
  to.out.signed_number(what.stall.count());
  to.out.number(what.overflowed);
}

void put(encoder_state& to, const clock_jumped& what) {
  open(to, kind::clock_jumped, what.at);
  to.out.byte(what.was_suspended ? 1U : 0U);
  to.out.signed_number(what.step.count());
}

void put(encoder_state& to, const run_ended& what) {
  open(to, kind::run_ended, what.at);
  to.out.byte(what.was_cut_short ? 1U : 0U);
  to.out.signed_number(what.signal);
  to.out.text(what.problem);
}

void put(encoder_state& to, const reason_heard& what) {
  open(to, kind::reason_heard, what.at);
  to.out.number(index_of(what.node) << 3 | static_cast<std::size_t>(what.kind));
  to.out.number(what.count);
  const std::string_view text = std::string_view(what.text).substr(0, reason_bytes_max);
  auto& known = to.memory.reasons;
  const auto found = std::find(known.rbegin(), known.rend(), text);
  if (found != known.rend()) {
    to.out.number(static_cast<std::uint64_t>(found - known.rbegin()) + 1);
    return;
  }
  to.out.number(0);
  to.out.text(text);
  known.emplace_back(text);
}

void put(encoder_state& to, const backplane_seen& what) {
  open(to, kind::backplane_seen, what.at);
  to.out.number(index_of(what.node));
  to.out.number(what.connections);
  to.out.number(what.bytes);
}

}  // namespace
}  // namespace wire

run_time time_of(const event& what) {
  return std::visit([](const auto& one) { return one.at; }, what);
}

void event_encoder::begin(run_time first) {
  state_.out.clear();
  state_.memory.forget(first);
  state_.index.forget();
}

void event_encoder::add(const event& what) {
  state_.out.reserve(wire::event_bytes_max);
  std::visit([this](const auto& one) { wire::put(state_, one); }, what);
}

}  // namespace ordeal::harness
