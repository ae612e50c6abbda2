// The envelope survives the way through a target unchanged, or the damage is seen.
#include "harness/history/envelope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>
#include <set>

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
  EXPECT_EQ(text, "o2.0a1b2c3d.3.17.1.42.0.233dabfa.");
  EXPECT_EQ(make_envelope(nonce, make_id(2, 0, 17), run_time(42), 60),
            "o2.0a1b2c3d.3.17.1.42.26.26e65927.gkLH77xQ_iWPKO8MkI2BzugKML");
}

TEST(Envelope, HasTheWantedSizeAndIsNeverCut) {
  const auto id = make_id(1, 1, 1);
  const auto bare = make_envelope(nonce, id, run_time(7), 0);
  EXPECT_EQ(make_envelope(nonce, id, run_time(7), bare.size()), bare);
  for (const auto content :
       {payload_content::ascii, payload_content::unicode, payload_content::hostile}) {
    for (std::size_t bytes = bare.size(); bytes < 1'300; ++bytes) {
      const auto text = make_envelope(nonce, id, run_time(7), bytes, content);
      ASSERT_GE(text.size(), bytes);
      ASSERT_LE(text.size(), bytes + 1) << "the length gets a digit more";
      ASSERT_EQ(parse_envelope(text, nonce).state, payload_state::intact) << bytes;
    }
  }
}

TEST(Envelope, SizesLieBetweenTheBoundsAndDoNotChange) {
  const payload_recipe recipe{100, 109, payload_content::ascii};
  std::set<std::size_t> seen;
  for (std::uint32_t seq = 1; seq <= 300; ++seq) {
    const std::size_t bytes = envelope_bytes(recipe, nonce, make_id(3, 1, seq));
    EXPECT_EQ(bytes, envelope_bytes(recipe, nonce, make_id(3, 1, seq)));
    seen.insert(bytes);
  }
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_EQ(*seen.begin(), 100U);
  EXPECT_EQ(*seen.rbegin(), 109U);
}

TEST(Envelope, BodiesAreValidTextOfTheirKind) {
  const auto body = [](payload_content content) {
    return make_envelope(nonce, make_id(1, 1, 1), run_time(7), 2'000, content);
  };
  const auto has_high_bytes = [](const std::string& text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  };
  EXPECT_FALSE(has_high_bytes(body(payload_content::ascii)));
  EXPECT_TRUE(has_high_bytes(body(payload_content::unicode)));
  EXPECT_NE(body(payload_content::hostile).find('"'), std::string::npos);
  for (const auto content : {payload_content::unicode, payload_content::hostile}) {
    // JSON's text is UTF-8: what is not valid would not come back.
    const std::string text = body(content);
    const boost::json::value told =
        boost::json::parse(boost::json::serialize(boost::json::string(text)));
    EXPECT_EQ(told.as_string(), text);
  }
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

TEST(Envelope, CutOrGrownAnywhereIsCorrupt) {
  const auto whole =
      make_envelope(nonce, make_id(1, 1, 9), run_time(7), 120, payload_content::unicode);
  for (std::size_t size = 3; size < whole.size(); ++size) {
    EXPECT_EQ(parse_envelope(whole.substr(0, size), nonce).state, payload_state::corrupt) << size;
  }
  for (std::size_t place = 3; place <= whole.size(); ++place) {
    auto grown = whole;
    grown.insert(place, 1, 'x');
    EXPECT_EQ(parse_envelope(grown, nonce).state, payload_state::corrupt) << place;
  }
}

TEST(Envelope, HeadAloneTellsWhoseItIs) {
  const auto text = make_envelope(nonce, make_id(1, 2, 9), run_time(7), 120);
  std::size_t end = 0;
  for (int dots = 0; dots < 8; ++dots) end = text.find('.', end) + 1;
  EXPECT_EQ(parse_envelope_head(text.substr(0, end)), make_id(1, 2, 9));
  EXPECT_EQ(parse_envelope_head(text.substr(0, end - 1)), std::nullopt);
  EXPECT_EQ(parse_envelope_head("o2.0a1b2c3d.0.1.1.7.0.00000000."), std::nullopt) << "no sender";
}

TEST(Envelope, OfAnotherRunIsForeign) {
  const auto text = make_envelope("zzzzzzzz", make_id(1, 1, 9), run_time(7), 96);
  EXPECT_EQ(parse_envelope(text, nonce).state, payload_state::foreign_run);
  auto damaged = text;
  damaged[13] = 'q';
  EXPECT_EQ(parse_envelope(damaged, nonce).state, payload_state::corrupt);
}

TEST(Envelope, OtherTextIsNone) {
  for (const std::string_view text : {"", "o", "o2", "hello", "o1.0000", "{\"a\":1}"}) {
    EXPECT_EQ(parse_envelope(text, nonce).state, payload_state::not_an_envelope) << text;
  }
}

TEST(Crc32c, MatchesThePublishedValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);  // the check value of CRC-32C
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(Crc32c, GoesOnBehindWhatWasThere) {
  EXPECT_EQ(crc32c("56789", crc32c("1234")), crc32c("123456789"));
  EXPECT_EQ(crc32c_portable("", 7U), 7U);
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
