// Goal: a frame that is whole is believed, anything else is not. Streams in memory.
#include "harness/history/frame.h"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "harness/history/envelope.h"

namespace ordeal::harness {
namespace {

std::string frame_of(const frame_head& head, const std::string& body) {
  std::string frame(frame_head_bytes, '\0');
  frame += body;
  seal(frame, head);
  return frame;
}

std::string problem_of(const std::string& bytes) {
  std::istringstream stream(bytes);
  frame_reader reader(stream);
  while (reader.next()) {
  }
  return reader.problem();
}

TEST(Frame, ComesBackAsItWas) {
  frame_head head;
  head.kind = frame_kind::events;
  head.first_event = std::numeric_limits<std::uint64_t>::max() - 7;
  head.event_count = 4'000'000'000U;
  head.first = run_time::min();
  head.last = run_time::max();
  std::istringstream stream(header_frame(history_mode::violations, "{}") + frame_of(head, "body"));
  frame_reader reader(stream);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.head().kind, frame_kind::header);
  EXPECT_EQ(reader.body(), "\x01{}");
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.offset(), frame_head_bytes + 3);
  EXPECT_EQ(reader.head().kind, frame_kind::events);
  EXPECT_EQ(reader.head().first_event, head.first_event);
  EXPECT_EQ(reader.head().event_count, head.event_count);
  EXPECT_EQ(reader.head().first, head.first);
  EXPECT_EQ(reader.head().last, head.last);
  EXPECT_EQ(reader.body(), "body");
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.problem(), "");
}

TEST(Frame, SaysWhatIsWrong) {
  const std::string frame = frame_of({}, "some bytes");
  EXPECT_EQ(problem_of(frame), "");
  EXPECT_EQ(problem_of(""), "");
  EXPECT_EQ(problem_of(frame.substr(0, 7)), "the last chunk is torn: 7 bytes of its head");
  EXPECT_EQ(problem_of(frame.substr(0, 50)), "the last chunk is torn: 50 of 54 bytes");
  EXPECT_EQ(problem_of(frame + std::string(100, '\0')), "no chunk begins here");
  std::string long_one = frame;
  long_one[15] = '\x7f';
  EXPECT_EQ(problem_of(long_one), "a chunk of 2130706442 bytes is too long");
  std::string changed = frame;
  changed.back() = '!';
  EXPECT_EQ(problem_of(changed), "the checksum of a chunk of 54 bytes is wrong");
}

// What an older program does with a newer history: magic, checksum, version and length stay where they are.
TEST(Frame, NamesAVersionThatItCannotRead) {
  std::string frame = frame_of({}, "of the future");
  frame[8] = 9;
  const std::uint32_t checksum = crc32c(std::string_view(frame).substr(8));
  for (std::size_t i = 0; i < 4; ++i)
    frame[4 + i] = static_cast<char>((checksum >> (8 * i)) & 0xffU);
  EXPECT_EQ(problem_of(frame),
            "it is of version 9 of the format; this program reads versions 1 to 2");
}

}  // namespace
}  // namespace ordeal::harness
