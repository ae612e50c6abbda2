// Goal: what leaves the fleet's thread when, in every mode, and what happens when the disk is slow or refuses.
// Waiting for the writer's thread is waiting for what it wrote, with a deadline.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>
#include <thread>

#include "harness/history/event_codec.h"
#include "harness/history/event_order.h"
#include "harness/history/frame.h"
#include "harness/history/history_file.h"
#include "tests/unit/history/event_streams.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Events that are told apart by their connections, `apart` from each other.
event numbered(std::size_t number, std::chrono::nanoseconds apart = milliseconds(1)) {
  return redis_usage{apart * static_cast<std::int64_t>(number), static_cast<std::uint32_t>(number)};
}

std::vector<std::size_t> numbers_read(event_source& from) {
  std::vector<std::size_t> numbers;
  while (const auto next = from.next()) numbers.push_back(std::get<redis_usage>(*next).connections);
  return numbers;
}

// Until so many events are on disk; what is being written at this moment may look torn.
std::size_t wait_for_events(const fs::path& history, std::size_t count) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  std::size_t found = 0;
  while (found < count && std::chrono::steady_clock::now() < deadline) {
    found = read_all(*history_reader::open(history)).size();
    std::this_thread::yield();
  }
  return found;
}

TEST(HistoryWriter, WhatIsFlushedCanBeReadWhileTheRunGoesOn) {
  const scratch_directory in;
  history_options options;
  options.flush_interval = seconds(3600);
  options.flush_bytes = 100;
  const auto writer = history_writer::make(in.history(), "{}", options);
  // Three bytes each, the first of a chunk, too: chunks of 34 events.
  for (std::size_t i = 0; i < 90; ++i) writer->on(numbered(i, std::chrono::nanoseconds(1)));
  EXPECT_EQ(wait_for_events(in.history(), 68), 68U);
  writer->tick();  // young
  writer->finish();
  EXPECT_EQ(numbers_read(*history_reader::open(in.history())).size(), 90U);
}

TEST(HistoryWriter, OldChunksAreFlushedByTick) {
  const scratch_directory in;
  history_options options;
  options.flush_interval = milliseconds(0);
  const auto writer = history_writer::make(in.history(), "{}", options);
  writer->on(numbered(0));
  writer->tick();
  EXPECT_EQ(wait_for_events(in.history(), 1), 1U);
  writer->tick();  // nothing to flush
  writer->finish();
  const std::string bytes = bytes_of(in.history() / "000001.history");
  EXPECT_EQ(bytes.size(), frame_head_bytes + 3 + frame_head_bytes + 3);
}

TEST(HistoryWriter, AChunkSpansLessThanTheInterval) {
  const scratch_directory in;
  history_options options;
  options.flush_interval = milliseconds(200);
  const auto writer = history_writer::make(in.history(), "{}", options);
  for (std::size_t i = 0; i < 1000; ++i) writer->on(numbered(i));
  EXPECT_EQ(wait_for_events(in.history(), 800), 800U);
  writer->finish();
  std::istringstream stream(bytes_of(in.history() / "000001.history"));
  frame_reader frames(stream);
  ASSERT_TRUE(frames.next());
  for (std::uint64_t chunk = 0; chunk < 5; ++chunk) {
    ASSERT_TRUE(frames.next());
    EXPECT_EQ(frames.head().first_event, 200 * chunk);
    EXPECT_EQ(frames.head().event_count, 200U);
    EXPECT_EQ(frames.head().first, run_time(milliseconds(200 * chunk)));
    EXPECT_EQ(frames.head().last, run_time(milliseconds(200 * chunk + 199)));
  }
  EXPECT_FALSE(frames.next());
}

TEST(HistoryWriter, NoneMakesNothing) {
  const scratch_directory in;
  history_options options;
  options.mode = history_mode::none;
  const auto writer = history_writer::make(in.history(), "{}", options);
  writer->on(numbered(1));
  writer->tick();
  writer->keep_surroundings();
  writer->finish();
  EXPECT_FALSE(fs::exists(in.history()));
  EXPECT_EQ(writer->error(), "");
}

// ---- violations mode

history_options ring_of(std::size_t bytes) {
  history_options options;
  options.mode = history_mode::violations;
  options.ring_bytes = bytes;
  options.flush_interval = milliseconds(100);  // 100 events
  return options;
}

TEST(HistoryWriter, WithoutAFindingTheRingLeavesOnlyTheEnd) {
  const scratch_directory in;
  const auto writer = history_writer::make(in.history(), "{}", ring_of(1 << 20));
  for (std::size_t i = 0; i < 10'050; ++i) writer->on(numbered(i));
  writer->finish();
  const auto reader = history_reader::open(in.history());
  EXPECT_EQ(reader->mode(), history_mode::violations);
  const auto numbers = numbers_read(*reader);
  ASSERT_EQ(numbers.size(), 50U);
  EXPECT_EQ(numbers.front(), 10'000U);
  ASSERT_EQ(reader->holes().size(), 1U);
  EXPECT_EQ(reader->holes()[0].first_event, 0U);
  EXPECT_EQ(reader->holes()[0].events, 10'000U);
  EXPECT_EQ(reader->holes()[0].until, run_time(seconds(10)));
  EXPECT_FALSE(reader->damage().has_value());
}

TEST(HistoryWriter, TheSurroundingsOfAFindingAreKept) {
  const scratch_directory in;
  // Chunks are of 44 + 100 * (1 + 3 or 4 + 2) bytes: the ring has room for four.
  const auto writer = history_writer::make(in.history(), "{}", ring_of(4 * 750));
  for (std::size_t i = 0; i < 20'000; ++i) {
    writer->on(numbered(i));
    if (i == 5'050) writer->keep_surroundings();
    if (i == 5'060) writer->keep_surroundings();  // the same surroundings, found twice
    if (i == 12'050) writer->keep_surroundings();
  }
  writer->finish();
  const auto reader = history_reader::open(in.history());
  const auto numbers = numbers_read(*reader);
  // Around each: what the ring held, the chunk of the finding, and those that begin in the second after it.
  std::vector<std::size_t> expected;
  const auto expect = [&expected](std::size_t from, std::size_t until) {
    for (std::size_t i = from; i < until; ++i) expected.push_back(i);
  };
  expect(4'600, 6'100);
  expect(11'600, 13'100);
  expect(19'900, 20'000);
  EXPECT_EQ(numbers, expected);
  ASSERT_EQ(reader->holes().size(), 3U);
  EXPECT_EQ(reader->holes()[1].first_event, 6'100U);
  EXPECT_EQ(reader->holes()[1].events, 5'500U);
  EXPECT_EQ(reader->holes()[1].from, run_time(milliseconds(6'099)));
  EXPECT_EQ(reader->holes()[1].until, run_time(milliseconds(11'600)));
}

// ---- a slow disk

TEST(HistoryWriter, WithoutRoomChunksAreDroppedAndCounted) {
  const scratch_directory in;
  history_options options;
  options.queued_bytes_max = 100;  // less than any chunk
  options.flush_bytes = 300;
  const auto writer = history_writer::make(in.history(), "{}", options);
  for (std::size_t i = 0; i < 1010; ++i) writer->on(numbered(i));
  writer->finish();
  EXPECT_EQ(writer->error(), "");
  // But the last chunk, which finish() waits for, comes through: a reader sees how much is missing.
  const auto reader = history_reader::open(in.history());
  const auto numbers = numbers_read(*reader);
  ASSERT_FALSE(numbers.empty());
  EXPECT_EQ(numbers.back(), 1009U);
  EXPECT_EQ(writer->dropped_events(), 1010 - numbers.size());
  ASSERT_EQ(reader->holes().size(), 1U);
  EXPECT_EQ(reader->holes()[0].events, writer->dropped_events());
}

// That this thread has worked: what others do on the same core does not count.
double thread_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

TEST(HistoryWriter, CostsTheFleetLittle) {
  const scratch_directory in;
  const auto events = events_of({milliseconds(5), 200, 2, 3, 4000});
  const auto writer = history_writer::make(in.history(), "{}", {});
  const double begun = thread_nanoseconds();
  for (const event& each : events) writer->on(each);
  const double took = thread_nanoseconds() - begun;
  writer->finish();
  const double each = took / static_cast<double>(deliveries_in(events));
  std::printf("%.1f ns a delivery on the fleet's thread (all other events included)\n", each);
  // The fleet spends some 10 us on a delivery; sanitizers are allowed for.
  EXPECT_LT(each, 5'000.0);
  EXPECT_EQ(writer->error(), "");
  EXPECT_EQ(writer->dropped_events(), 0U);
}

// The file is a pipe that nobody reads for a while.
TEST(HistoryWriter, ASlowDiskCostsChunksAndLeavesHoles) {
  const scratch_directory in;
  fs::create_directory(in.history());
  const fs::path file = in.history() / "000001.history";
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  const int pipe = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(pipe, 0);

  history_options options;
  options.flush_bytes = 1000;
  options.queued_bytes_max = 100'000;
  auto writer = history_writer::make(in.history(), "{}", options);
  constexpr std::size_t count =
      200'000;  // 1 MB, of which the pipe takes 64 KiB and the queue 100 kB
  for (std::size_t i = 0; i < count; ++i) writer->on(numbered(i));
  EXPECT_GT(writer->dropped_events(), count / 2);

  std::string written;
  std::thread drain([&written, pipe] {
    std::string part(4096, '\0');
    for (ssize_t got = 0; (got = ::read(pipe, part.data(), part.size())) > 0;) {
      written.append(part, 0, static_cast<std::size_t>(got));
      if (written.size() >= 3 && written.compare(written.size() - 3, 3, "END") == 0) break;
    }
  });
  writer->finish();
  const std::uint64_t dropped = writer->dropped_events();
  EXPECT_EQ(writer->error(), "");
  EXPECT_EQ(::write(pipe, "END", 3), 3);
  drain.join();
  ::close(pipe);

  fs::remove(file);
  write_bytes(file, written.substr(0, written.size() - 3));
  const auto reader = history_reader::open(in.history());
  const auto numbers = numbers_read(*reader);
  EXPECT_FALSE(reader->damage().has_value());
  EXPECT_EQ(numbers.size() + dropped, count);
  EXPECT_EQ(numbers.back(), count - 1);
  std::uint64_t missing = 0;
  for (const history_hole& each : reader->holes()) missing += each.events;
  EXPECT_EQ(missing, dropped);
}

// ---- a disk that refuses

TEST(HistoryWriter, AFullDiskIsKeptAsText) {
  const scratch_directory in;
  fs::create_directory(in.history());
  const fs::path file = in.history() / "000001.history";
  fs::create_symlink("/dev/full", file);
  const auto writer = history_writer::make(in.history(), "{}", {});
  for (std::size_t i = 0; i < 1000; ++i) writer->on(numbered(i));
  writer->finish();
  EXPECT_EQ(writer->error(), "cannot write " + file.string() + ": No space left on device");
}

TEST(HistoryWriter, AFullDiskInTheMiddleKeepsWhatWasWritten) {
  const scratch_directory in;
  fs::create_directory(in.history());
  fs::create_symlink("/dev/full", in.history() / "000002.history");
  history_options options;
  options.flush_bytes = 1000;
  options.file_bytes_max = 10'000;
  const auto writer = history_writer::make(in.history(), "{}", options);
  for (std::size_t i = 0; i < 100'000; ++i) writer->on(numbered(i));
  writer->keep_surroundings();
  writer->finish();
  EXPECT_EQ(writer->error(), "cannot write " + (in.history() / "000002.history").string() +
                                 ": No space left on device");
  const auto reader = history_reader::open(in.history());
  const auto numbers = numbers_read(*reader);
  EXPECT_GT(numbers.size(), 1000U);
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], i);
  ASSERT_TRUE(reader->damage().has_value());
  EXPECT_EQ(reader->damage()->what, "the file is empty");
}

TEST(HistoryWriter, AFileWhereTheDirectoryShouldBeIsKeptAsText) {
  const scratch_directory in;
  write_bytes(in.history(), "in the way");
  const auto writer = history_writer::make(in.history(), "{}", {});
  writer->on(numbered(1));
  writer->tick();
  writer->finish();
  EXPECT_EQ(writer->error().find("cannot "), 0U);
  EXPECT_NE(writer->error().find(in.history().string()), std::string::npos) << writer->error();
}

TEST(HistoryWriter, ADirectoryThatVanishesIsKeptAsText) {
  const scratch_directory in;
  history_options options;
  options.flush_bytes = 1000;
  options.file_bytes_max = 10'000;
  const auto writer = history_writer::make(in.history(), "{}", options);
  fs::remove_all(in.history());
  for (std::size_t i = 0; i < 100'000; ++i) writer->on(numbered(i));
  writer->finish();
  EXPECT_EQ(writer->error(), "cannot open " + (in.history() / "000002.history").string() +
                                 ": No such file or directory");
}

TEST(HistoryWriter, AnotherHistoryIsNotAppendedTo) {
  const scratch_directory in;
  const fs::path file = in.history() / "000001.history";
  history_writer::make(in.history(), "{}", {})->finish();
  const std::string before = bytes_of(file);
  const auto writer = history_writer::make(in.history(), "{}", {});
  writer->on(numbered(1));
  writer->finish();
  EXPECT_EQ(writer->error(), file.string() + " is already there; a history is never appended to");
  EXPECT_EQ(bytes_of(file), before);
}

}  // namespace
}  // namespace ordeal::harness
