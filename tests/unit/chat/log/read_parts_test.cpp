// Goal: however large what a read brings, it is handed over in order and in bounded parts.
#include "reference-server/log/read_parts.h"

#include <gtest/gtest.h>

namespace ordeal::chat {
namespace {

read_answer answer_of(const std::vector<std::size_t>& sizes) {
  read_answer heard;
  heard.log_id = "log";
  heard.state = "open";
  heard.incarnation = "here";
  heard.top = 100;
  heard.floor = 1;
  for (const std::size_t size : sizes) {
    auto each = std::make_shared<entry>();
    each->at = position{1, heard.entries.size() + 1};
    each->text = std::string(size, 'x');
    heard.entries.push_back(each);
  }
  heard.beats.emplace_back();
  return heard;
}

std::vector<std::vector<std::uint64_t>> parts_of(read_answer heard, std::size_t bytes_max) {
  std::vector<std::vector<std::uint64_t>> indexes;
  read_parts parts(std::move(heard), bytes_max);
  do {
    const read_answer part = parts.take();
    EXPECT_EQ(part.log_id + part.state + part.incarnation, "logopenhere");
    EXPECT_EQ(part.top, 100U);
    EXPECT_EQ(part.floor, 1U);
    EXPECT_EQ(part.beats.empty(), !parts.is_empty()) << "beats speak of all that was read";
    std::vector<std::uint64_t>& there = indexes.emplace_back();
    for (const entry_ptr& each : part.entries) there.push_back(each->at.index);
  } while (!parts.is_empty());
  return indexes;
}

using indexes = std::vector<std::vector<std::uint64_t>>;

TEST(ReadParts, SmallEntriesAreOnePart) {
  EXPECT_EQ(parts_of(answer_of({10, 10, 10}), 10'000), (indexes{{1, 2, 3}}));
}

TEST(ReadParts, NothingIsOnePartToo) {
  EXPECT_EQ(parts_of(answer_of({}), 10'000), (indexes{{}}));
}

TEST(ReadParts, LargeEntriesAreManyParts) {
  EXPECT_EQ(parts_of(answer_of({4'000, 4'000, 4'000, 4'000, 4'000}), 10'000),
            (indexes{{1, 2}, {3, 4}, {5}}));
}

TEST(ReadParts, AnEntryThatFitsNowhereIsAPartOfItsOwn) {
  EXPECT_EQ(parts_of(answer_of({10, 20'000, 10}), 10'000), (indexes{{1}, {2}, {3}}));
}

}  // namespace
}  // namespace ordeal::chat
