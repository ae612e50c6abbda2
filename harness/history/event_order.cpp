#include "harness/history/event_order.h"

#include <tuple>

namespace ordeal::harness {
namespace {

// Every field but the time.
auto fields(const send_invoked& of) {
  return std::tie(of.id, of.node, of.intended);
}
auto fields(const send_settled& of) {
  return std::tie(of.id, of.node, of.result, of.attempts, of.was_unanswered);
}
auto fields(const delivered& of) {
  return std::tie(of.client, of.node, of.room, of.is_known_room, of.payload, of.id, of.intended);
}
auto fields(const join_invoked& of) {
  return std::tie(of.client, of.room, of.node, of.is_resume);
}
auto fields(const join_confirmed& of) {
  return std::tie(of.client, of.room, of.node, of.is_resume);
}
auto fields(const room_left& of) {
  return std::tie(of.client, of.room);
}
auto fields(const reset_received& of) {
  return std::tie(of.client, of.room);
}
auto fields(const client_connected& of) {
  return std::tie(of.client, of.node);
}
auto fields(const client_disconnected& of) {
  return std::tie(of.client, of.node, of.was_planned, of.cut);
}
auto fields(const fault_changed& of) {
  return std::tie(of.fault, of.state, of.evidence);
}
auto fields(const node_changed& of) {
  return std::tie(of.node, of.state, of.was_planned, of.detail);
}
auto fields(const phase_changed& of) {
  return std::tie(of.kind, of.name);
}
auto fields(const generator_lag& of) {
  return std::tie(of.lag, of.was_skipped, of.reason);
}
auto fields(const tapped& of) {
  return std::tie(of.node, of.where, of.id);
}
auto fields(const node_usage& of) {
  return std::tie(of.node, of.resident_bytes, of.descriptors, of.cpu, of.incarnation, of.waited);
}
auto fields(const redis_usage& of) {
  return std::tie(of.connections);
}
auto fields(const observer_usage& of) {
  return std::tie(of.busy_permille, of.stall, of.overflowed);
}
auto fields(const clock_jumped& of) {
  return std::tie(of.step, of.was_suspended);
}
auto fields(const run_ended& of) {
  return std::tie(of.was_cut_short, of.signal, of.problem);
}
auto fields(const reason_heard& of) {
  return std::tie(of.node, of.kind, of.count, of.text);
}
auto fields(const backplane_seen& of) {
  return std::tie(of.node, of.connections, of.bytes);
}

std::strong_ordering compare_times(const event& a, const event& b) {
  const auto time = [](const auto& one) { return one.at; };
  return std::visit(time, a) <=> std::visit(time, b);
}

// What every shard of a run hears, and not one client.
bool is_about_run(const event& what) {
  const auto* reason = std::get_if<reason_heard>(&what);
  return reason != nullptr &&
         (reason->kind == reason_kind::log || reason->kind == reason_kind::redis_error);
}

}  // namespace

std::strong_ordering compare(const event& a, const event& b) {
  if (const auto order = compare_times(a, b); order != 0) return order;
  if (const auto order = a.index() <=> b.index(); order != 0) return order;
  return std::visit(
      [&b]<class One>(const One& one) -> std::strong_ordering {
        return fields(one) <=> fields(std::get<One>(b));
      },
      a);
}

bool is_shared(const event& what) {
  return std::holds_alternative<fault_changed>(what) ||
         std::holds_alternative<node_changed>(what) ||
         std::holds_alternative<phase_changed>(what) || std::holds_alternative<node_usage>(what) ||
         std::holds_alternative<redis_usage>(what) ||
         std::holds_alternative<backplane_seen>(what) || is_about_run(what);
}

}  // namespace ordeal::harness
