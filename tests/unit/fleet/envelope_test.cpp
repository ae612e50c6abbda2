// The envelope survives the way through a target unchanged, or the damage is seen.
#include "harness/history/envelope.h"

#include <gtest/gtest.h>

#include <limits>

namespace ordeal::harness {
namespace {

constexpr std::string_view nonce = "0a1b2c3d";

message_id make_id(std::uint32_t sender, std::uint32_t room, std::uint32_t seq) {
  return message_id{client_id{sender}, room_id{room}, seq};
}

TEST(Envelope, RoundTripKeepsEveryField) {
  const auto largest = std::numeric_limits<std::uint32_t>::max();
  const message_id ids[] = {make_id(0, 0, 1), make_id(23, 3, 17),
                            make_id(largest - 1, 12, largest)};
  const run_time times[] = {run_time(0), run_time(-5), run_time(1'234'567'890'123),
                            run_time::max()};
  for (const message_id& id : ids) {
    for (const run_time intended : times) {
      const auto text = make_envelope(nonce, id, intended, 128);
      const auto parsed = parse_envelope(text, nonce);
      EXPECT_EQ(parsed.state, payload_state::intact) << text;
      EXPECT_EQ(parsed.id, id);
      EXPECT_EQ(parsed.intended, intended);
    }
  }
}

TEST(Envelope, TextIsAsDocumented) {
  const auto text = make_envelope(nonce, make_id(2, 0, 17), run_time(42), 0);
  EXPECT_EQ(text.substr(0, text.size() - 9), "o1.0a1b2c3d.3.17.1.42.");
  EXPECT_EQ(text.back(), '.');
}

TEST(Envelope, IsPaddedToTheWantedSizeAndNeverCut) {
  const auto id = make_id(1, 1, 1);
  EXPECT_EQ(make_envelope(nonce, id, run_time(7), 128).size(), 128U);
  EXPECT_EQ(make_envelope(nonce, id, run_time(7), 100'000).size(), 100'000U);
  const auto bare = make_envelope(nonce, id, run_time(7), 0);
  EXPECT_EQ(make_envelope(nonce, id, run_time(7), bare.size()), bare);
  EXPECT_EQ(make_envelope(nonce, id, run_time(7), bare.size() + 1), bare + "x");
  EXPECT_EQ(parse_envelope(bare, nonce).state, payload_state::intact);
}

TEST(Envelope, EveryChangedByteIsSeenAsCorruption) {
  const auto good = make_envelope(nonce, make_id(23, 3, 17), run_time(1'234'567'890'123), 96);
  for (std::size_t place = 0; place < good.size(); ++place) {
    for (int value = 0; value < 256; ++value) {
      auto bad = good;
      bad[place] = static_cast<char>(value);
      if (bad == good) continue;
      ASSERT_EQ(parse_envelope(bad, nonce).state, payload_state::corrupt)
          << "byte " << place << " became " << value;
    }
  }
}

TEST(Envelope, CutBeforeItsPaddingIsCorrupt) {
  const auto bare = make_envelope(nonce, make_id(1, 1, 9), run_time(7), 0);
  for (std::size_t size = 3; size < bare.size(); ++size) {
    EXPECT_EQ(parse_envelope(bare.substr(0, size), nonce).state, payload_state::corrupt) << size;
  }
}

TEST(Envelope, OfAnotherRunIsForeign) {
  const auto text = make_envelope("zzzzzzzz", make_id(1, 1, 9), run_time(7), 96);
  EXPECT_EQ(parse_envelope(text, nonce).state, payload_state::foreign_run);
  auto damaged = text;
  damaged[13] = 'q';
  EXPECT_EQ(parse_envelope(damaged, nonce).state, payload_state::corrupt);
}

TEST(Envelope, OtherTextIsNone) {
  for (const std::string_view text : {"", "o", "o1", "hello", "o2.0000", "{\"a\":1}"}) {
    EXPECT_EQ(parse_envelope(text, nonce).state, payload_state::not_an_envelope) << text;
  }
}

TEST(Crc32c, MatchesThePublishedValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);  // the check value of CRC-32C
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(Crc32c, BothWaysAgreeAtEveryLength) {
  std::string text;
  for (int length = 0; length < 70; ++length) {
    EXPECT_EQ(crc32c(text), crc32c_portable(text)) << length;
    text += static_cast<char>(length * 37);
  }
}

}  // namespace
}  // namespace ordeal::harness
