// Messages survive encoding unchanged, and nothing but a whole message is accepted.
#include "fault-injection/process/warden_messages.h"

#include <gtest/gtest.h>

namespace ordeal::fault {
namespace {

launch_request sample_launch() {
  launch_request what;
  what.id = 7;
  what.command = {"sh", "-c", "echo 'a b'"};
  what.environment = {"PATH=/bin", "EMPTY="};
  what.workdir = "/tmp";
  what.log_file = "/tmp/a log";
  what.stdin_text = std::string("line\n\0binary", 12);
  what.descriptors_max = 80;
  return what;
}

TEST(WardenMessages, LaunchSurvives) {
  const launch_request before = sample_launch();
  const auto decoded = decode_request(encode(warden_request(before)));
  ASSERT_TRUE(decoded);
  const auto* after = std::get_if<launch_request>(&*decoded);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->id, before.id);
  EXPECT_EQ(after->command, before.command);
  EXPECT_EQ(after->environment, before.environment);
  EXPECT_EQ(after->workdir, before.workdir);
  EXPECT_EQ(after->log_file, before.log_file);
  EXPECT_EQ(after->stdin_text, before.stdin_text);
  EXPECT_EQ(after->descriptors_max, before.descriptors_max);
}

TEST(WardenMessages, SignalSurvives) {
  const auto decoded = decode_request(encode(warden_request(signal_request{9, 15})));
  ASSERT_TRUE(decoded);
  const auto* after = std::get_if<signal_request>(&*decoded);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->id, 9U);
  EXPECT_EQ(after->number, 15);
}

TEST(WardenMessages, RemoveSurvives) {
  const auto decoded = decode_request(encode(warden_request(remove_request{"/tmp/a folder"})));
  ASSERT_TRUE(decoded && std::holds_alternative<remove_request>(*decoded));
  EXPECT_EQ(std::get<remove_request>(*decoded).directory, "/tmp/a folder");
}

TEST(WardenMessages, EventsSurvive) {
  const auto started = decode_event(encode(warden_event(started_event{1, 4711})));
  ASSERT_TRUE(started && std::holds_alternative<started_event>(*started));
  EXPECT_EQ(std::get<started_event>(*started).pid, 4711);

  const auto failed = decode_event(encode(warden_event(failed_event{2, launch_step::workdir, 13})));
  ASSERT_TRUE(failed && std::holds_alternative<failed_event>(*failed));
  EXPECT_EQ(std::get<failed_event>(*failed).step, launch_step::workdir);
  EXPECT_EQ(std::get<failed_event>(*failed).error_number, 13);

  const auto exited = decode_event(encode(warden_event(exited_event{3, true, 9})));
  ASSERT_TRUE(exited && std::holds_alternative<exited_event>(*exited));
  EXPECT_EQ(std::get<exited_event>(*exited).id, 3U);
  EXPECT_TRUE(std::get<exited_event>(*exited).by_signal);
  EXPECT_EQ(std::get<exited_event>(*exited).code, 9);
}

TEST(WardenMessages, EveryTruncationIsRefused) {
  const std::string whole = encode(warden_request(sample_launch()));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_request(std::string_view(whole).substr(0, size))) << size << " bytes";
  }
  EXPECT_FALSE(decode_request(whole + '\0'));
}

TEST(WardenMessages, UnknownKindIsRefused) {
  std::string bytes = encode(warden_event(started_event{1, 2}));
  bytes[0] = 77;
  EXPECT_FALSE(decode_event(bytes));
  EXPECT_FALSE(decode_request(bytes));
}

}  // namespace
}  // namespace ordeal::fault
