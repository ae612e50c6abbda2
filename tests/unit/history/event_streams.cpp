#include "tests/unit/history/event_streams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "harness/history/event_codec.h"
#include "harness/history/event_order.h"

namespace ordeal::harness {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Mostly small, sometimes at the ends of what the type holds.
template <class Number>
Number any(net::random_stream& random) {
  const std::uint64_t bits = random.next();
  switch (random.below(6)) {
    case 0:
      return std::numeric_limits<Number>::max();
    case 1:
      return std::numeric_limits<Number>::min();
    case 2:
      return static_cast<Number>(bits);
    case 3:
      return static_cast<Number>(bits % 1'000'000);
    default:
      return static_cast<Number>(bits % 100);
  }
}

template <class Id>
Id any_id(net::random_stream& random) {
  const std::uint64_t bits = random.below(8) == 0 ? random.below(1 << 24) : random.below(20);
  return Id{static_cast<std::uint32_t>(random.below(50) == 0 ? (1 << 24) - 1 : bits)};
}

template <class Enum>
Enum any_of_up_to(net::random_stream& random, Enum last) {
  return static_cast<Enum>(random.below(static_cast<std::uint64_t>(last) + 1));
}

bool any_bool(net::random_stream& random) {
  return random.below(2) == 1;
}

std::string any_text(net::random_stream& random) {
  std::string text(random.below(10) == 0 ? random.below(5000) : random.below(20), ' ');
  for (char& each : text) each = static_cast<char>(random.below(256));
  return text;
}

nanoseconds any_duration(net::random_stream& random) {
  return nanoseconds(any<std::int64_t>(random));
}

message_id own_message(net::random_stream& random) {
  message_id id;
  id.sender = any_id<client_id>(random);
  id.room = any_id<room_id>(random);
  id.seq = random.below(2) == 0 ? any<std::uint32_t>(random)
                                : static_cast<std::uint32_t>(random.below(5));
  return id;
}

message_id any_message(net::random_stream& random) {
  message_id id = own_message(random);
  if (random.below(20) == 0) id.sender = client_id{any<std::uint32_t>(random)};
  if (random.below(20) == 0) id.room = room_id{any<std::uint32_t>(random)};
  return id;
}

delivered any_delivery(net::random_stream& random, run_time at) {
  delivered what;
  what.at = at;
  what.client = any_id<client_id>(random);
  what.node = any_id<node_id>(random);
  what.id = any_message(random);
  const bool is_elsewhere = random.below(4) == 0 || index_of(what.id.room) >= 1 << 24;
  what.room = is_elsewhere ? any_id<room_id>(random) : what.id.room;
  what.is_known_room = random.below(5) != 0;
  what.payload = any_of_up_to(random, payload_state::not_an_envelope);
  what.intended =
      random.below(2) == 0 ? nanoseconds(random.below(3)) : nanoseconds(any_duration(random));
  return what;
}

event any_client_event(net::random_stream& random, run_time at, std::uint64_t kind) {
  const auto client = any_id<client_id>(random);
  const auto room = any_id<room_id>(random);
  const auto where = any_id<node_id>(random);
  const bool is_set = any_bool(random);
  switch (kind) {
    case 3:
      return join_invoked{at, client, room, where, is_set};
    case 4:
      return join_confirmed{at, client, room, where, is_set};
    case 5:
      return room_left{at, client, room};
    case 6:
      return reset_received{at, client, room};
    case 7:
      return client_connected{at, client, where};
    default:
      return client_disconnected{at, client, where, is_set,
                                 any_of_up_to(random, cut_cause::protocol)};
  }
}

event any_run_event(net::random_stream& random, run_time at, std::uint64_t kind) {
  const auto where = any_id<node_id>(random);
  const bool is_set = any_bool(random);
  switch (kind) {
    case 9: {
      const auto fault = static_cast<std::size_t>(random.below(1 << 24));
      return fault_changed{at, fault, any_of_up_to(random, fault::fault_state::failed),
                           any_text(random)};
    }
    case 10:
      return node_changed{at, where, any_of_up_to(random, node_state::stopped), is_set,
                          any_text(random)};
    case 11:
      return phase_changed{at, any_of_up_to(random, phase_kind::finished), any_text(random)};
    case 12:
      return generator_lag{at, any_duration(random), is_set,
                           is_set ? any_of_up_to(random, skip_reason::away) : skip_reason{}};
    case 13:
      return tapped{at, where, any_of_up_to(random, tap_point::from_redis), any_message(random)};
    case 14:
      return node_usage{at,
                        where,
                        any<std::uint64_t>(random),
                        any<std::uint32_t>(random),
                        microseconds(any<std::int64_t>(random)),
                        any<std::uint32_t>(random),
                        microseconds(any<std::int64_t>(random))};
    case 15:
      return redis_usage{at, any<std::uint32_t>(random)};
    case 16:
      return observer_usage{at, any<std::uint32_t>(random), any_duration(random),
                            any<std::uint64_t>(random)};
    case 17:
      return clock_jumped{at, any_duration(random), is_set};
    case 20:
      return backplane_seen{at, where, any<std::uint32_t>(random), any<std::uint64_t>(random)};
    case 19: {
      // Few texts, often: they are told once a chunk.
      std::string text =
          any_bool(random) ? std::string(1 + random.below(4), 'a') : any_text(random);
      text.resize(std::min<std::size_t>(text.size(), 1024));
      return reason_heard{at, where, any_of_up_to(random, reason_kind::send_unanswered),
                          any<std::uint32_t>(random), std::move(text)};
    }
    default:
      return run_ended{at, is_set, any<int>(random), any_text(random)};
  }
}

}  // namespace

event random_event(net::random_stream& random, run_time& at) {
  const bool is_far = random.below(50) == 0;
  at = is_far ? any_duration(random) : wire::moved(at, random.below(50'000));
  if (random.below(20) == 0) at = wire::moved(at, 0 - random.below(1000));
  if (random.below(3) == 0) return any_delivery(random, at);
  const std::uint64_t kind = random.below(21);
  if (kind == 0) {
    return send_invoked{at, own_message(random), any_id<node_id>(random), any_duration(random)};
  }
  if (kind == 1) {
    send_settled what{at, own_message(random), any_id<node_id>(random),
                      any_of_up_to(random, outcome::info), any<std::uint32_t>(random)};
    what.was_unanswered = what.result == outcome::info && any_bool(random);
    return what;
  }
  if (kind == 2) return any_delivery(random, at);
  return kind < 9 ? any_client_event(random, at, kind) : any_run_event(random, at, kind);
}

std::vector<event> random_events(net::random_stream& random, std::size_t count) {
  std::vector<event> events;
  run_time at{};
  for (std::size_t i = 0; i < count; ++i) events.push_back(random_event(random, at));
  return events;
}

namespace {

// What one message causes.
void add_message(std::vector<event>& to, const traffic& of, const message_id& id, run_time intended,
                 net::random_stream& random) {
  const auto within = [&random](microseconds least, microseconds spread) {
    return nanoseconds(least) +
           nanoseconds(random.below(std::uint64_t(nanoseconds(spread).count())));
  };
  const auto node_of = [&of](std::size_t client) {
    return node_id{static_cast<std::uint32_t>(client % of.nodes)};
  };
  const node_id home = node_of(index_of(id.sender));
  const run_time sent = intended + within(microseconds(20), microseconds(300));
  to.push_back(send_invoked{sent, id, home, intended});
  to.push_back(generator_lag{sent, sent - intended, false});
  const run_time appended = sent + within(microseconds(100), microseconds(200));
  to.push_back(tapped{appended, home, tap_point::to_redis, id});
  to.push_back(tapped{appended + microseconds(90), home, tap_point::accepted_by_redis, id});
  to.push_back(send_settled{appended + microseconds(250), id, home, outcome::ok, 1});
  for (std::size_t n = 0; n < of.nodes; ++n) {
    const node_id where{static_cast<std::uint32_t>(n)};
    to.push_back(tapped{appended + microseconds(60 + 20 * n), where, tap_point::from_redis, id});
  }
  for (std::size_t c = index_of(id.room); c < of.clients; c += of.rooms) {
    const run_time at = appended + within(microseconds(200), microseconds(4000));
    to.push_back(delivered{at, client_id{static_cast<std::uint32_t>(c)}, node_of(c), id.room, true,
                           payload_state::intact, id, intended});
  }
}

}  // namespace

std::vector<event> events_of(const traffic& what) {
  net::random_stream random(7, "traffic");
  std::vector<event> events;
  for (std::size_t c = 0; c < what.clients; ++c) {
    const client_id client{static_cast<std::uint32_t>(c)};
    const node_id home{static_cast<std::uint32_t>(c % what.nodes)};
    const room_id room{static_cast<std::uint32_t>(c % what.rooms)};
    const run_time at = milliseconds(-500) + microseconds(c * 37);
    events.push_back(client_connected{at, client, home});
    events.push_back(join_invoked{at + microseconds(2), client, room, home, false});
    events.push_back(join_confirmed{at + microseconds(900), client, room, home, false});
  }
  std::vector<std::uint32_t> seqs(what.clients, 0);
  for (std::size_t m = 0; m < what.messages; ++m) {
    const std::size_t sender = random.below(what.clients);
    message_id id;
    id.sender = client_id{static_cast<std::uint32_t>(sender)};
    id.room = room_id{static_cast<std::uint32_t>(sender % what.rooms)};
    id.seq = ++seqs[sender];
    const run_time intended = what.send_period * static_cast<std::int64_t>(m);
    add_message(events, what, id, intended, random);
    const auto per_second = static_cast<std::size_t>(std::chrono::seconds(1) / what.send_period);
    if (m % per_second != 0) continue;
    for (std::size_t n = 0; n < what.nodes; ++n) {
      events.push_back(node_usage{intended, node_id{static_cast<std::uint32_t>(n)}, 48'000'000 + m,
                                  90, microseconds(m * 300), 1});
    }
    events.push_back(redis_usage{intended, 7});
    events.push_back(observer_usage{intended, 350, milliseconds(3), 0});
  }
  const auto by_time = [](const event& a, const event& b) { return time_of(a) < time_of(b); };
  std::stable_sort(events.begin(), events.end(), by_time);
  events.push_back(run_ended{time_of(events.back()), false, 0, {}});
  return events;
}

std::size_t deliveries_in(const std::vector<event>& events) {
  const auto is_delivery = [](const event& each) {
    return std::holds_alternative<delivered>(each);
  };
  return static_cast<std::size_t>(std::count_if(events.begin(), events.end(), is_delivery));
}

void expect_same(const std::vector<event>& actual, const std::vector<event>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_TRUE(is_same(actual[i], expected[i]))
        << "event " << i << " of kind " << actual[i].index() << ", was " << expected[i].index();
  }
}

std::vector<event> read_all(event_source& from) {
  std::vector<event> events;
  while (auto next = from.next()) events.push_back(*std::move(next));
  return events;
}

scratch_directory::scratch_directory()
    : path_(std::filesystem::temp_directory_path() / ("ordeal-history-" + net::random_id(12))) {
  std::filesystem::create_directory(path_);
}

scratch_directory::~scratch_directory() {
  std::error_code ec;
  std::filesystem::remove_all(path_, ec);
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void write_bytes(const std::filesystem::path& file, std::string_view bytes) {
  std::filesystem::remove(file);  // some file systems sync a file that is cut to nothing
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace ordeal::harness
