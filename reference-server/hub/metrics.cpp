#include "reference-server/hub/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "reference-server/hub/chat_hub.h"
#include "reference-server/hub/version.h"

namespace ordeal::chat {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;

Counter& make_counter(Registry& registry, const std::string& name, const std::string& help,
                      const Labels& labels = {}) {
  return prometheus::BuildCounter()
      .Name("ordeal_chat_" + name)
      .Help(help)
      .Register(registry)
      .Add(labels);
}

Gauge& make_gauge(Registry& registry, const std::string& name, const std::string& help,
                  const Labels& labels = {}) {
  return prometheus::BuildGauge()
      .Name("ordeal_chat_" + name)
      .Help(help)
      .Register(registry)
      .Add(labels);
}

void advance_to(Counter& counter, std::uint64_t value) {
  counter.Increment(static_cast<double>(value) - counter.Value());
}

void advance_to(Counter& counter, std::chrono::nanoseconds value) {
  counter.Increment(std::chrono::duration<double>(value).count() - counter.Value());
}

void set(Gauge& gauge, std::uint64_t value) {
  gauge.Set(static_cast<double>(value));
}

template <std::size_t Count>
std::array<Counter*, Count> make_counters(Registry& registry, const std::string& name,
                                          const std::string& help, const std::string& label,
                                          const std::array<const char*, Count>& values) {
  std::array<Counter*, Count> children{};
  for (std::size_t i = 0; i < Count; ++i) {
    children[i] = &make_counter(registry, name, help, {{label, values[i]}});
  }
  return children;
}

template <std::size_t Count>
void advance_to(const std::array<Counter*, Count>& children,
                const std::array<std::uint64_t, Count>& values) {
  for (std::size_t i = 0; i < Count; ++i) advance_to(*children[i], values[i]);
}

constexpr std::array<const char*, send_failure_count> send_failure_names{
    "retry_log", "retry_congested", "refused_log", "refused_arguments"};
constexpr std::array<const char*, reset_cause_count> reset_cause_names{
    "gap", "trimmed", "unknown_log", "future", "fork"};
constexpr std::array<const char*, end_cause_count> end_cause_names{
    "peer",  "slow", "silent",  "handshake", "protocol", "log_unavailable",
    "drain", "lost", "stalled", "memory"};
constexpr std::array<const char*, 5> log_state_names{"connecting", "open", "recovering", "refusing",
                                                     "stopped"};

Histogram::BucketBoundaries frame_boundaries() {
  Histogram::BucketBoundaries boundaries;
  for (std::size_t i = 0; i + 1 < frame_sizes::bucket_count; ++i) {
    boundaries.push_back(static_cast<double>(std::size_t{1} << i));
  }
  return boundaries;
}

}  // namespace

struct metrics::families {
  Registry registry;

  Gauge& connections = make_gauge(registry, "connections", "Open hub connections.");
  Gauge& rooms = make_gauge(registry, "rooms", "Rooms with at least one member on this node.");
  Gauge& connections_max =
      make_gauge(registry, "connections_max",
                 "Hub connections that this node may have: --connections-max, or what its limit of "
                 "open files leaves room for.");
  Counter& connections_refused =
      make_counter(registry, "connections_refused_total",
                   "Clients answered with 503 because there was no room.");
  Counter& foreign_origins =
      make_counter(registry, "foreign_origins_total",
                   "Requests of browsers whose page is of an origin that may not use the hub.");
  Counter& large_headers = make_counter(registry, "large_headers_total",
                                        "Requests with headers above --header-bytes-max.");
  Gauge& out_of_descriptors =
      make_gauge(registry, "out_of_descriptors",
                 "1 when the limit of open files is why no further client is taken.");
  Counter& connections_opened =
      make_counter(registry, "connections_opened_total", "Hub connections accepted.");
  std::array<Counter*, end_cause_count> connections_closed = make_counters(
      registry, "connections_closed_total",
      "Hub connections that ended, by who or what ended them.", "cause", end_cause_names);
  Gauge& sessions_waiting =
      make_gauge(registry, "sessions_waiting",
                 "Sessions with stateful reconnect that wait for the client's next connection.");
  Counter& connections_resumed =
      make_counter(registry, "connections_resumed_total",
                   "Connections that took over the session of a broken one.");
  Counter& sends = make_counter(registry, "sends_total", "Send invocations received from clients.");
  std::array<Counter*, send_failure_count> send_failures = make_counters(
      registry, "call_failures_total", "Calls answered with an error, by answer and origin.",
      "reason", send_failure_names);
  Counter& entries =
      make_counter(registry, "messages_read_total", "Messages read back from the log.");
  Counter& deliveries = make_counter(registry, "deliveries_total", "Messages queued for a client.");
  Counter& replayed = make_counter(registry, "deliveries_replayed_total",
                                   "Deliveries of missed messages after a Join with a cursor.");
  Gauge& out_bytes = make_gauge(registry, "out_bytes",
                                "Memory of what waits for clients, shared records once; "
                                "--out-total-bytes-max bounds it.");
  Counter& replay_work = make_counter(registry, "replay_work_seconds_total",
                                      "Time spent on deliveries of missed messages.");
  Counter& catch_up_wait =
      make_counter(registry, "catch_up_wait_seconds_total",
                   "Time that reading a backlog of the log waited for clients to take it.");
  Counter& received_bytes =
      make_counter(registry, "received_bytes_total", "WebSocket payload received.");
  Counter& sent_bytes = make_counter(registry, "sent_bytes_total", "WebSocket payload sent.");
  std::array<Counter*, reset_cause_count> resets = make_counters(
      registry, "resets_total", "Resets sent to clients, by cause.", "cause", reset_cause_names);
  Counter& flushes = make_counter(registry, "flushes_total", "Rounds of writing to clients.");
  Histogram& frame_records = prometheus::BuildHistogram()
                                 .Name("ordeal_chat_frame_records")
                                 .Help("Records written together in one WebSocket frame.")
                                 .Register(registry)
                                 .Add({}, frame_boundaries());

  std::array<Gauge*, log_state_names.size()> log_state{};
  Gauge& log_ready = make_gauge(registry, "log_ready", "1 when this node appends and reads.");
  Gauge& log_epoch = make_gauge(registry, "log_epoch", "Epoch of the log, as last attached to.");
  Gauge& log_index = make_gauge(registry, "log_index", "Index of the last entry read.");
  Gauge& log_top_index =
      make_gauge(registry, "log_top_index", "Index of the last known entry of the log.");
  Gauge& log_lag = make_gauge(registry, "log_lag_entries",
                              "Entries of the log that this node knows of and has not read.");
  Gauge& log_known_nodes =
      make_gauge(registry, "log_known_nodes", "Other nodes that have written to the log lately.");
  Gauge& log_undelivered =
      make_gauge(registry, "log_undelivered_entries",
                 "Entries read that wait for another holder (--delivery stable).");
  Counter& log_appended =
      make_counter(registry, "log_appended_total", "Messages appended by this node.");
  Counter& log_duplicates =
      make_counter(registry, "log_duplicates_total",
                   "Messages that were in the log, or on their way to it, when sent again.");
  Counter& log_batches = make_counter(registry, "log_batches_total", "Append scripts run.");
  Counter& log_recoveries = make_counter(registry, "log_recoveries_total",
                                         "New epochs of the log that this node has seen begin.");
  Counter& log_repairs = make_counter(registry, "log_repairs_total",
                                      "Recoveries in which this node put the log in order.");
  Counter& log_renamings =
      make_counter(registry, "log_renamings_total",
                   "Times that this node began anew under another name, because the log counted "
                   "messages of it as known that it did not hold.");
  Counter& log_restored = make_counter(registry, "log_restored_entries_total",
                                       "Entries that this node put back into Redis.");
  Counter& log_history_reads =
      make_counter(registry, "log_history_reads_total",
                   "Reads of Redis for clients that resume, because this node holds no longer in "
                   "memory what they have missed.");
  Counter& log_forks = make_counter(
      registry, "log_forks_total", "Times that the log went on without entries read by this node.");
  Counter& log_gaps = make_counter(registry, "log_gaps_total",
                                   "Times that entries were trimmed before this node read them.");
  Counter& log_reconnects =
      make_counter(registry, "log_reconnects_total", "Connections to Redis made anew.");
  Gauge& log_entries = make_gauge(registry, "log_entries", "Entries that the log holds in Redis.");
  Gauge& log_bytes = make_gauge(registry, "log_bytes",
                                "Size of the log in Redis, as counted for --retained-bytes.");
  Gauge& log_retained_bytes =
      make_gauge(registry, "log_retained_bytes", "Size above which the log is trimmed.");
  Counter& log_trimmed_early =
      make_counter(registry, "log_trimmed_early_total",
                   "Entries trimmed by this node because Redis was out of memory.");
  Gauge& outbox_entries =
      make_gauge(registry, "outbox_entries", "Messages accepted and not yet stable.");
  Gauge& outbox_bytes =
      make_gauge(registry, "outbox_bytes", "Size of the messages accepted and not yet stable.");
  Gauge& outbox_undecided =
      make_gauge(registry, "outbox_undecided_entries",
                 "Messages accepted and not known to be in the log: lost if this node dies now.");
  Gauge& replay_entries =
      make_gauge(registry, "replay_entries", "Entries of the log in this node's memory.");
  Gauge& replay_bytes =
      make_gauge(registry, "replay_bytes", "Size of the entries in this node's memory.");
  Gauge& replay_oldest_index = make_gauge(
      registry, "replay_oldest_index",
      "Index of the oldest entry in this node's memory: what a recovery could restore from here.");
  Gauge& echo_age = make_gauge(
      registry, "heartbeat_echo_age_seconds",
      "Since this node's last heartbeat came back through the log, +Inf before the first.");

  families() {
    for (std::size_t i = 0; i < log_state.size(); ++i) {
      log_state[i] = &make_gauge(registry, "log_state", "1 for the state that the log is in.",
                                 {{"state", log_state_names[i]}});
    }
    make_gauge(registry, "build_info", "Always 1; the version is in the label.",
               {{"version", version}})
        .Set(1);
  }

  void read_hub(const chat_hub& hub);
  void read_log(const log_health& health);

  frame_sizes observed;
};

void metrics::families::read_hub(const chat_hub& hub) {
  const hub_counters& count = hub.counters();
  set(connections, hub.session_count() - hub.waiting_count());
  set(sessions_waiting, hub.waiting_count());
  set(rooms, hub.room_count());
  set(out_bytes, hub.out_bytes());
  set(connections_max, hub.connections_max());
  advance_to(connections_refused, count.refused);
  advance_to(foreign_origins, count.foreign_origins);
  advance_to(large_headers, count.large_headers);
  out_of_descriptors.Set(hub.descriptor_trouble().empty() ? 0 : 1);
  advance_to(connections_opened, count.connections_opened);
  advance_to(connections_resumed, count.resumed);
  advance_to(connections_closed, count.ends.values);
  advance_to(sends, count.sends);
  advance_to(send_failures, count.send_failures.values);
  advance_to(entries, count.entries);
  advance_to(deliveries, count.deliveries);
  advance_to(replayed, count.replayed);
  advance_to(replay_work, hub.replay_work());
  advance_to(catch_up_wait, count.catch_up_wait);
  advance_to(received_bytes, count.received_bytes);
  advance_to(sent_bytes, count.sent_bytes);
  advance_to(resets, count.resets.values);
  advance_to(flushes, hub.flush_count());

  std::vector<double> new_frames;
  for (std::size_t i = 0; i < frame_sizes::bucket_count; ++i) {
    new_frames.push_back(static_cast<double>(count.frames.buckets[i] - observed.buckets[i]));
  }
  frame_records.ObserveMultiple(new_frames,
                                static_cast<double>(count.frames.records - observed.records));
  observed = count.frames;
}

void metrics::families::read_log(const log_health& health) {
  for (std::size_t i = 0; i < log_state.size(); ++i) {
    log_state[i]->Set(static_cast<std::size_t>(health.state) == i ? 1 : 0);
  }
  log_ready.Set(health.is_ready ? 1 : 0);
  set(log_epoch, health.epoch);
  set(log_index, health.last_read.index);
  set(log_top_index, health.top_index);
  advance_to(log_appended, health.appended);
  advance_to(log_duplicates, health.duplicates);
  advance_to(log_batches, health.batches);
  advance_to(log_recoveries, health.recoveries);
  advance_to(log_repairs, health.repairs);
  advance_to(log_renamings, health.renamings);
  advance_to(log_restored, health.restored);
  advance_to(log_history_reads, health.history_reads);
  advance_to(log_forks, health.forks);
  advance_to(log_gaps, health.gaps);
  advance_to(log_reconnects, health.reconnects);
  set(log_entries, health.log_entries);
  set(log_bytes, health.log_bytes);
  set(log_retained_bytes, health.retained_bytes);
  advance_to(log_trimmed_early, health.trimmed_early);
  set(outbox_entries, health.outbox_entries);
  set(outbox_bytes, health.outbox_bytes);
  set(outbox_undecided, health.outbox_undecided);
  set(log_lag, health.top_index - std::min(health.top_index, health.last_read.index));
  set(log_known_nodes, health.known_nodes);
  set(log_undelivered, health.undelivered);
  set(replay_entries, health.replay_entries);
  set(replay_bytes, health.replay_bytes);
  set(replay_oldest_index, health.replay_low);
  double age_seconds = std::numeric_limits<double>::infinity();
  if (health.echo_age) age_seconds = std::chrono::duration<double>(*health.echo_age).count();
  echo_age.Set(age_seconds);
}

metrics::metrics(const chat_hub& hub, const chat_log& log)
    : hub_(hub), log_(log), families_(std::make_unique<families>()) {}

metrics::~metrics() = default;

std::string metrics::scrape() {
  families_->read_hub(hub_);
  families_->read_log(log_.health());
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace ordeal::chat
