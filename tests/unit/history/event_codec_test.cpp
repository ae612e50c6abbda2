// Goal: what is encoded comes back without loss, small; what was not encoded by us is refused without harm.
#include "harness/history/event_codec.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "harness/history/event_order.h"
#include "harness/history/frame.h"
#include "tests/unit/history/event_streams.h"

namespace ordeal::harness {
namespace {

std::string encoded(const std::vector<event>& events, event_encoder& encoder) {
  encoder.begin(events.empty() ? run_time{} : time_of(events.front()));
  for (const event& each : events) encoder.add(each);
  return std::string(encoder.bytes());
}

std::vector<event> decoded(std::string_view bytes, run_time first, event_decoder& decoder) {
  std::vector<event> events;
  decoder.begin(bytes, first);
  while (auto next = decoder.next()) events.push_back(*std::move(next));
  return events;
}

// What a body of one event with these bytes is refused for; empty: it is not.
std::string problem_of(std::string_view bytes) {
  event_decoder decoder;
  (void)decoded(bytes, run_time{}, decoder);
  return decoder.problem();
}

TEST(EventCodec, RandomStreamsComeBackWithoutLoss) {
  event_encoder encoder;
  event_decoder decoder;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    net::random_stream random(seed, "round trip");
    const auto events = random_events(random, 1 + random.below(120));
    const std::string bytes = encoded(events, encoder);
    const auto back = decoded(bytes, time_of(events.front()), decoder);
    ASSERT_EQ(decoder.problem(), "") << "seed " << seed;
    ASSERT_EQ(decoder.position(), bytes.size());
    expect_same(back, events);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(EventCodec, EveryKindComesBack) {
  net::random_stream random(1, "kinds");
  const auto events = random_events(random, 5000);
  std::vector<bool> seen(std::variant_size_v<event>, false);
  for (const event& each : events) seen[each.index()] = true;
  for (std::size_t kind = 0; kind < seen.size(); ++kind) EXPECT_TRUE(seen[kind]) << kind;
}

TEST(EventCodec, MoreMessagesThanTheEncoderRemembersComeBack) {
  std::vector<event> events;
  for (std::uint32_t pass = 0; pass < 2; ++pass) {
    for (std::uint32_t seq = 0; seq < 20'000; ++seq) {
      delivered what;
      what.at = run_time(events.size());
      what.client = client_id{seq % 40'000};
      what.node = node_id{pass};
      what.id = {client_id{seq % 7}, room_id{}, seq};
      what.intended = run_time(seq);
      events.push_back(what);
    }
  }
  event_encoder encoder;
  event_decoder decoder;
  expect_same(decoded(encoded(events, encoder), run_time{}, decoder), events);
}

TEST(EventCodec, TextsAreCutAtTheirLimit) {
  event_encoder encoder;
  event_decoder decoder;
  const std::vector<event> events{
      phase_changed{{}, phase_kind::declared, std::string(3'000'000, 'x')}};
  const auto back = decoded(encoded(events, encoder), run_time{}, decoder);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(std::get<phase_changed>(back[0]).name, std::string(wire::text_bytes_max, 'x'));
}

TEST(EventCodec, EveryCutIsRefusedOrEndsBetweenEvents) {
  net::random_stream random(3, "cuts");
  event_encoder encoder;
  event_decoder decoder;
  const auto events = random_events(random, 60);
  const std::string bytes = encoded(events, encoder);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto back =
        decoded(std::string_view(bytes).substr(0, length), time_of(events.front()), decoder);
    ASSERT_LT(back.size(), events.size());
    if (decoder.problem().empty()) {
      ASSERT_EQ(decoder.position(), length);
    }
    expect_same(back, {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(back.size())});
    if (HasFailure()) FAIL() << "length " << length;
  }
}

TEST(EventCodec, AnyBytesAreReadWithoutHarm) {
  event_encoder encoder;
  event_decoder decoder;
  std::size_t refused = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    net::random_stream random(seed, "noise");
    const auto events = random_events(random, 30);
    std::string bytes = encoded(events, encoder);
    for (std::uint64_t change = random.below(6) + 1; change > 0; --change)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    for (const event& each : decoded(bytes, run_time{}, decoder)) {
      if (const auto* sent = std::get_if<send_invoked>(&each)) {
        ASSERT_LT(index_of(sent->id.sender), 1U << 24);
        ASSERT_LT(index_of(sent->node), 1U << 24);
      }
    }
    if (!decoder.problem().empty()) ++refused;
    ASSERT_LE(decoder.position(), bytes.size());
  }
  EXPECT_GT(refused, 1000U);
}

TEST(EventCodec, SaysWhatIsWrong) {
  using namespace std::string_literals;
  EXPECT_EQ(problem_of("\x3f\x00"s), "there is no event of kind 63");
  EXPECT_EQ(problem_of("\x02\x00"s), "there is no event of kind 2");
  EXPECT_EQ(problem_of("\x0f"s), "an event is cut off");
  EXPECT_EQ(problem_of("\x0f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00"s),
            "a number has more than 64 bits");
  EXPECT_EQ(problem_of("\x05\x00\x80\x80\x80\x08\x00"s), "a client is 16777216, above 16777215");
  EXPECT_EQ(problem_of("\x0b\x00\x09\x00"s), "there is no kind of phase 9");
  EXPECT_EQ(problem_of("\x0b\x00\x01\x05hel"s), "a text is cut off");
  EXPECT_EQ(problem_of("\x0b\x00\x01\xff\xff\xff\xff\x0f"s),
            "the length of a text is 4294967295, above 1048576");
  EXPECT_EQ(problem_of("\x01\x00\x01\x00\x04"s), "the way back to a message is 1, above 0");
  EXPECT_EQ(problem_of("\x80\x00"s), "a delivery refers to the one before, and there is none");
  EXPECT_EQ(problem_of("\xb0\x00\x03\x00\x01\x00\x01\x00"s), "a delivery is to an unknown node");
  EXPECT_EQ(problem_of("\xb1\x00\x03\x00\x01\x00\x01\x00"s), "a delivery has unknown flags");
  EXPECT_EQ(problem_of("\x11\x00\x02\x00"s),
            "whether the machine was suspended is neither 0 nor 1");
  EXPECT_EQ(problem_of("\x0c\x00\x00"s), "a generator lag refers to a send, and there is none");
}

// Bytes a delivery, everything counted: sends, settles, taps, joins, usage, and the frames that a flush of 64 KiB or
// 200 ms makes.
double bytes_per_delivery(const std::vector<event>& events) {
  event_encoder encoder;
  std::size_t bytes = 0;
  run_time first = time_of(events.front());
  encoder.begin(first);
  for (const event& each : events) {
    const bool is_old = time_of(each) - first >= std::chrono::milliseconds(200);
    if (is_old || encoder.bytes().size() >= 64 * 1024) {
      bytes += encoder.bytes().size() + frame_head_bytes;
      first = time_of(each);
      encoder.begin(first);
    }
    encoder.add(each);
  }
  bytes += encoder.bytes().size() + frame_head_bytes;
  return static_cast<double>(bytes) / static_cast<double>(deliveries_in(events));
}

TEST(EventCodec, ADeliveryTakesFewBytes) {
  const double busy = bytes_per_delivery(events_of(traffic{}));
  std::printf("200 clients, 2 rooms, 20,000 deliveries/s: %.2f bytes a delivery\n", busy);
  EXPECT_LT(busy, 7.0);

  const double quiet =
      bytes_per_delivery(events_of({std::chrono::milliseconds(100), 200, 2, 3, 500}));
  std::printf("200 clients, 2 rooms,  1,000 deliveries/s: %.2f bytes a delivery\n", quiet);
  EXPECT_LT(quiet, 10.0);

  const double small =
      bytes_per_delivery(events_of({std::chrono::milliseconds(6), 24, 3, 3, 3000}));
  std::printf(" 24 clients, 3 rooms,  1,300 deliveries/s: %.2f bytes a delivery\n", small);
  EXPECT_LT(small, 16.0);
}

TEST(EventCodec, EncodesAndDecodesFast) {
  const auto events = events_of({std::chrono::milliseconds(5), 200, 2, 3, 4000});
  event_encoder encoder;
  event_decoder decoder;
  double encoding_best = 1e9, decoding_best = 1e9;
  std::string bytes;
  for (int round = 0; round < 5; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    bytes = encoded(events, encoder);
    const auto turned = std::chrono::steady_clock::now();
    std::size_t count = 0;
    decoder.begin(bytes, time_of(events.front()));
    while (decoder.next()) ++count;
    const auto ended = std::chrono::steady_clock::now();
    ASSERT_EQ(count, events.size());
    const auto each = [&events](auto took) {
      return std::chrono::duration<double, std::nano>(took).count() /
             static_cast<double>(deliveries_in(events));
    };
    encoding_best = std::min(encoding_best, each(turned - begun));
    decoding_best = std::min(decoding_best, each(ended - turned));
  }
  std::printf("%.1f ns a delivery to encode, %.1f to decode (all other events included)\n",
              encoding_best, decoding_best);
  // The fleet spends some 10 us on a delivery. Sanitizers slow this down more than tenfold.
  EXPECT_LT(encoding_best, 5000.0);
}

}  // namespace
}  // namespace ordeal::harness
