// Goal: what was flushed is read back, and whatever is missing or damaged is said. Real files in a scratch directory.
#include "harness/history/history_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

#include "harness/history/event_codec.h"
#include "harness/history/event_order.h"
#include "harness/history/frame.h"
#include "tests/unit/history/event_streams.h"

namespace ordeal::harness {
namespace {

namespace fs = std::filesystem;

history_options in_chunks_of(std::size_t bytes) {
  history_options options;
  options.flush_bytes = bytes;
  return options;
}

void write_history(const fs::path& directory, const std::vector<event>& events,
                   const history_options& options, const std::string& header = "{\"seed\":42}") {
  const auto writer = history_writer::make(directory, header, options);
  for (const event& each : events) writer->on(each);
  writer->finish();
  ASSERT_EQ(writer->error(), "");
  ASSERT_EQ(writer->dropped_events(), 0U);
}

std::vector<event> some_events(std::size_t count, std::uint64_t seed = 1) {
  net::random_stream random(seed, "history file");
  return random_events(random, count);
}

std::string refusal_of(const fs::path& directory) {
  try {
    (void)history_reader::open(directory);
  } catch (const std::runtime_error& refused) {
    return refused.what();
  }
  return {};
}

// Offsets of the frames in a file, and its end.
std::vector<std::size_t> frames_in(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  frame_reader reader(stream);
  std::vector<std::size_t> offsets;
  while (reader.next()) offsets.push_back(static_cast<std::size_t>(reader.offset()));
  offsets.push_back(static_cast<std::size_t>(fs::file_size(file)));
  return offsets;
}

TEST(HistoryFile, ComesBackWithHeaderAndMode) {
  const scratch_directory in;
  const auto events = some_events(5000);
  write_history(in.history(), events, in_chunks_of(1000));
  const auto reader = history_reader::open(in.history());
  EXPECT_EQ(reader->header(), "{\"seed\":42}");
  EXPECT_EQ(reader->mode(), history_mode::full);
  expect_same(read_all(*reader), events);
  EXPECT_FALSE(reader->damage().has_value());
  EXPECT_TRUE(reader->holes().empty());
  EXPECT_FALSE(reader->next().has_value());
  EXPECT_GT(frames_in(in.history() / "000001.history").size(), 50U);
}

TEST(HistoryFile, AnEmptyHistoryIsOne) {
  const scratch_directory in;
  write_history(in.history(), {}, {}, "");
  const auto reader = history_reader::open(in.history());
  EXPECT_EQ(reader->header(), "");
  EXPECT_TRUE(read_all(*reader).empty());
  EXPECT_FALSE(reader->damage().has_value());
}

TEST(HistoryFile, FilesFollowEachOther) {
  const scratch_directory in;
  const auto events = some_events(5000, 2);
  history_options options = in_chunks_of(1000);
  options.file_bytes_max = 10'000;
  write_history(in.history(), events, options);
  std::size_t files = 0;
  for (const auto& each : fs::directory_iterator(in.history())) {
    ++files;
    EXPECT_LE(each.file_size(), options.file_bytes_max);
  }
  ASSERT_GT(files, 5U);
  auto reader = history_reader::open(in.history());
  expect_same(read_all(*reader), events);
  EXPECT_FALSE(reader->damage().has_value());

  // One of them gone, or of another run: what comes before is read.
  const fs::path third = in.history() / "000003.history";
  const std::string kept = bytes_of(third);
  fs::remove(third);
  reader = history_reader::open(in.history());
  EXPECT_LT(read_all(*reader).size(), events.size());
  ASSERT_TRUE(reader->damage().has_value());
  EXPECT_EQ(reader->damage()->file, third.string());
  EXPECT_EQ(reader->damage()->what, "this file is missing, or may not be read");

  const scratch_directory other;
  write_history(other.history(), events, options, "{\"seed\":43}");
  fs::copy_file(other.history() / "000003.history", third);
  reader = history_reader::open(in.history());
  EXPECT_LT(read_all(*reader).size(), events.size());
  EXPECT_EQ(reader->damage()->what, "its header is that of another run");

  write_bytes(third, kept.substr(0, kept.size() - 1));
  reader = history_reader::open(in.history());
  EXPECT_LT(read_all(*reader).size(), events.size());
  ASSERT_TRUE(reader->damage().has_value());
  EXPECT_NE(reader->damage()->what.find(", and more files follow"), std::string::npos);
}

TEST(HistoryFile, ATornLastChunkCostsOnlyItself) {
  const scratch_directory in;
  const auto events = some_events(400, 3);
  write_history(in.history(), events, in_chunks_of(800));
  const fs::path file = in.history() / "000001.history";
  const std::string whole = bytes_of(file);
  const auto frames = frames_in(file);
  ASSERT_GT(frames.size(), 4U);
  const std::size_t last = frames[frames.size() - 2];

  write_bytes(file, whole.substr(0, last));
  auto reader = history_reader::open(in.history());
  const auto before = read_all(*reader);
  EXPECT_FALSE(reader->damage().has_value());
  ASSERT_LT(before.size(), events.size());
  expect_same(before,
              {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(before.size())});

  for (std::size_t size = last + 1; size < whole.size(); ++size) {
    write_bytes(file, whole.substr(0, size));
    reader = history_reader::open(in.history());
    expect_same(read_all(*reader), before);
    ASSERT_TRUE(reader->damage().has_value()) << size;
    EXPECT_EQ(reader->damage()->file, file.string());
    EXPECT_EQ(reader->damage()->offset, last);
    EXPECT_EQ(reader->damage()->what.substr(0, 22), "the last chunk is torn");
    if (HasFailure()) FAIL() << "size " << size;
  }
}

TEST(HistoryFile, AChangedByteAnywhereIsFound) {
  const scratch_directory in;
  const auto events = some_events(60, 4);
  write_history(in.history(), events, in_chunks_of(500));
  const fs::path file = in.history() / "000001.history";
  const std::string whole = bytes_of(file);
  const std::size_t header_end = frames_in(file)[1];
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ change);
      write_bytes(file, changed);
      if (i < header_end) {
        ASSERT_NE(refusal_of(in.history()).find(file.string()), std::string::npos) << i;
        continue;
      }
      const auto reader = history_reader::open(in.history());
      const auto read = read_all(*reader);
      ASSERT_TRUE(reader->damage().has_value()) << i;
      EXPECT_LE(reader->damage()->offset, i);
      ASSERT_LT(read.size(), events.size());
      expect_same(read,
                  {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(read.size())});
      if (HasFailure()) FAIL() << "byte " << i;
    }
  }
}

TEST(HistoryFile, DamageInTheMiddleEndsTheReadingThere) {
  const scratch_directory in;
  const auto events = some_events(1000, 5);
  write_history(in.history(), events, in_chunks_of(500));
  const fs::path file = in.history() / "000001.history";
  const auto frames = frames_in(file);
  std::string bytes = bytes_of(file);
  bytes[frames[5] + 100] ^= 4;
  write_bytes(file, bytes);
  const auto reader = history_reader::open(in.history());
  const auto read = read_all(*reader);
  EXPECT_FALSE(read.empty());
  ASSERT_TRUE(reader->damage().has_value());
  EXPECT_EQ(reader->damage()->offset, frames[5]);
  EXPECT_EQ(reader->damage()->what.substr(0, 12), "the checksum");
}

// The checksum is right, and yet the chunk lies: nothing that was not decoded is believed.
TEST(HistoryFile, AChunkThatDiffersFromItsHeadIsDamage) {
  const auto read_with = [](frame_head head, const std::string& body, std::string& problem) {
    const scratch_directory in;
    fs::create_directory(in.history());
    std::string frame(frame_head_bytes, '\0');
    frame += body;
    head.kind = frame_kind::events;
    seal(frame, head);
    write_bytes(in.history() / "000001.history", header_frame(history_mode::full, "") + frame);
    const auto reader = history_reader::open(in.history());
    const std::size_t count = read_all(*reader).size();
    problem = reader->damage() ? reader->damage()->what : "";
    return count;
  };
  using namespace std::string_literals;
  const std::string two = "\x0f\x00\x05\x0f\x09\x06"s;  // redis_usage at 0 and at 9 ns
  std::string problem;
  EXPECT_EQ(read_with({{}, 0, 2, run_time(0), run_time(9)}, two, problem), 2U);
  EXPECT_EQ(problem, "");
  EXPECT_EQ(read_with({{}, 0, 1, run_time(0), run_time(0)}, two, problem), 1U);
  EXPECT_EQ(problem, "a chunk has more events than it says");
  EXPECT_EQ(read_with({{}, 0, 3, run_time(0), run_time(9)}, two, problem), 2U);
  EXPECT_EQ(problem, "a chunk has fewer events than it says");
  EXPECT_EQ(read_with({{}, 0, 2, run_time(0), run_time(8)}, two, problem), 2U);
  EXPECT_EQ(problem, "a chunk ends at another time than it says");
  EXPECT_EQ(read_with({{}, 0, 2, run_time(0), run_time(9)}, "\x0f\x00\x05\x3f\x00"s, problem), 1U);
  EXPECT_EQ(problem, "there is no event of kind 63");
}

TEST(HistoryFile, WhatIsNoHistoryIsRefused) {
  const scratch_directory in;
  EXPECT_EQ(refusal_of(in.history()), "there is no history in " + in.history().string());
  fs::create_directory(in.history());
  write_bytes(in.history() / "notes.txt", "x");
  write_bytes(in.history() / "1.history", "x");
  EXPECT_EQ(refusal_of(in.history()), "there is no history in " + in.history().string());
  const std::string file = (in.history() / "000001.history").string();
  write_bytes(file, "");
  EXPECT_EQ(refusal_of(in.history()), "cannot read " + file + ": the file is empty");
  write_bytes(file, "something quite else");
  EXPECT_EQ(refusal_of(in.history()), "cannot read " + file + ": no chunk begins here");
  fs::remove(file);
  write_bytes(in.history() / "000002.history", "x");
  EXPECT_EQ(refusal_of(in.history()),
            "cannot read " + file + ": this file is missing, or may not be read");
}

}  // namespace
}  // namespace ordeal::harness
