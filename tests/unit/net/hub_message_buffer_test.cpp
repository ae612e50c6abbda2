// One side of stateful reconnect: numbers, acknowledgements, what a new socket is sent again, and what of the peer's
// records is new.
#include "net/hub/message_buffer.h"

#include <gtest/gtest.h>

namespace ordeal::net::hub {
namespace {

using verdict = message_buffer::verdict;

message_buffer::record_ptr record(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// Everything that has to be sent again, in frames of at most `frame_bytes_max`: "a+b|c".
std::string rewrites_of(message_buffer& buffer, std::size_t frame_bytes_max = 1'000) {
  std::string text;
  std::vector<message_buffer::record_ptr> frame;
  while (buffer.has_rewrites()) {
    buffer.take_rewrites(frame, frame_bytes_max);
    if (!text.empty()) text += '|';
    for (std::size_t i = 0; i < frame.size(); ++i) text += (i == 0 ? "" : "+") + *frame[i];
  }
  return text;
}

verdict receive(message_buffer& buffer) {
  return buffer.on_record(message_type::invocation, 10);
}

TEST(MessageBuffer, KeepsWhatIsNotAcknowledged) {
  message_buffer buffer(100);
  EXPECT_EQ(buffer.first_unacked(), 1U);
  for (const char* text : {"a", "b", "c"}) buffer.track(record(text));
  EXPECT_FALSE(buffer.has_rewrites()) << "on their way on the present socket";
  EXPECT_EQ(buffer.first_unacked(), 1U);
  EXPECT_TRUE(buffer.on_ack(2));
  EXPECT_EQ(buffer.first_unacked(), 3U);
  EXPECT_EQ(buffer.bytes(), 1U);
  EXPECT_TRUE(buffer.on_ack(1)) << "an old ack says nothing new";
  EXPECT_EQ(buffer.first_unacked(), 3U);
  EXPECT_TRUE(buffer.on_ack(3));
  EXPECT_EQ(buffer.first_unacked(), 4U) << "the next one to come";
}

TEST(MessageBuffer, RefusesAnAckOfWhatWasNeverSent) {
  message_buffer buffer(100);
  EXPECT_TRUE(buffer.on_ack(0));
  EXPECT_FALSE(buffer.on_ack(1));
  buffer.track(record("a"));
  EXPECT_TRUE(buffer.on_ack(1));
  EXPECT_FALSE(buffer.on_ack(2));
}

TEST(MessageBuffer, ANewSocketGetsTheUnacknowledgedOnesAgain) {
  message_buffer buffer(100);
  for (const char* text : {"a", "b", "c", "d"}) buffer.track(record(text));
  buffer.on_ack(1);
  buffer.reconnect();
  EXPECT_EQ(buffer.first_unacked(), 2U);
  EXPECT_EQ(rewrites_of(buffer, 2), "b+c|d");
  buffer.track(record("e"));
  buffer.reconnect();
  EXPECT_EQ(rewrites_of(buffer), "b+c+d+e") << "a socket may be lost again and again";
}

TEST(MessageBuffer, AnAckOvertakesARewrite) {
  message_buffer buffer(100);
  for (const char* text : {"a", "b", "c"}) buffer.track(record(text));
  buffer.reconnect();
  EXPECT_TRUE(buffer.on_ack(3)) << "ignored, as everything before the Sequence";
  EXPECT_EQ(buffer.first_unacked(), 1U);
  EXPECT_TRUE(buffer.on_sequence(1));
  EXPECT_TRUE(buffer.on_ack(2));
  EXPECT_EQ(rewrites_of(buffer), "c");
}

TEST(MessageBuffer, RewritesALongRecordAlone) {
  message_buffer buffer(100);
  buffer.track(record("a"));
  buffer.track(record("a long one"));
  buffer.reconnect();
  EXPECT_EQ(rewrites_of(buffer, 4), "a|a long one");
}

TEST(MessageBuffer, HasNoRoomUntilAnAck) {
  message_buffer buffer(10);
  EXPECT_EQ(buffer.room_bytes(), 10U);
  buffer.track(record("12345678"));
  EXPECT_EQ(buffer.room_bytes(), 2U);
  buffer.track(record("12345678"));
  EXPECT_EQ(buffer.room_bytes(), 0U);
  buffer.on_ack(1);
  EXPECT_EQ(buffer.room_bytes(), 2U);
}

TEST(MessageBuffer, CountsTrackedRecordsOnly) {
  message_buffer buffer(100);
  EXPECT_EQ(buffer.take_ack(), std::nullopt);
  EXPECT_EQ(buffer.on_record(message_type::ping, 10), verdict::process);
  EXPECT_EQ(buffer.on_record(message_type::close, 10), verdict::process);
  EXPECT_EQ(buffer.take_ack(), std::nullopt);
  EXPECT_EQ(receive(buffer), verdict::process);
  EXPECT_EQ(buffer.on_record(message_type::completion, 10), verdict::process);
  EXPECT_EQ(buffer.take_ack(), 2U);
  EXPECT_EQ(buffer.take_ack(), std::nullopt) << "once";
}

TEST(MessageBuffer, AnAckIsUrgentWhenThePeersBufferFills) {
  message_buffer buffer(100);
  receive(buffer);
  receive(buffer);
  EXPECT_FALSE(buffer.is_ack_urgent());
  receive(buffer);
  EXPECT_TRUE(buffer.is_ack_urgent());
  EXPECT_EQ(buffer.take_ack(), 3U);
  EXPECT_FALSE(buffer.is_ack_urgent());
}

TEST(MessageBuffer, IgnoresWhatItHasAndEverythingBeforeTheSequence) {
  message_buffer buffer(100);
  for (int i = 0; i < 3; ++i) receive(buffer);
  EXPECT_EQ(buffer.take_ack(), 3U);
  buffer.reconnect();
  EXPECT_TRUE(buffer.is_waiting_for_sequence());
  EXPECT_EQ(receive(buffer), verdict::ignore);
  EXPECT_EQ(buffer.on_record(message_type::close, 10), verdict::ignore);
  EXPECT_EQ(buffer.take_ack(), std::nullopt);
  EXPECT_TRUE(buffer.on_sequence(2));
  EXPECT_EQ(receive(buffer), verdict::ignore) << "the second";
  EXPECT_EQ(buffer.take_ack(), 3U) << "the peer did not get the first ack";
  EXPECT_EQ(receive(buffer), verdict::ignore) << "the third";
  EXPECT_EQ(receive(buffer), verdict::process) << "the fourth";
  EXPECT_EQ(buffer.take_ack(), 4U);
}

// Lost again before the peer has sent what it had: the next Sequence may go back as far as the first one.
TEST(MessageBuffer, LosesItsPlaceNeverItsCount) {
  message_buffer buffer(100);
  for (int i = 0; i < 5; ++i) receive(buffer);
  buffer.reconnect();
  EXPECT_TRUE(buffer.on_sequence(3));
  EXPECT_EQ(receive(buffer), verdict::ignore);
  buffer.reconnect();
  EXPECT_TRUE(buffer.on_sequence(6)) << "all five were acknowledged meanwhile";
  EXPECT_EQ(receive(buffer), verdict::process);
}

TEST(MessageBuffer, RefusesASequenceFromTheFuture) {
  message_buffer buffer(100);
  EXPECT_FALSE(buffer.on_sequence(1)) << "none was due";
  receive(buffer);
  buffer.reconnect();
  EXPECT_FALSE(buffer.on_sequence(3));
  EXPECT_FALSE(buffer.on_sequence(0));
  EXPECT_TRUE(buffer.on_sequence(2));
  EXPECT_FALSE(buffer.on_sequence(2)) << "once a socket";
}

}  // namespace
}  // namespace ordeal::net::hub
