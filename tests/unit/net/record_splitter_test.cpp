// Cutting frames into records: whatever the frame boundaries are, the records are the same.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/hub/codec.h"

namespace ordeal::net::hub {
namespace {

using records = std::vector<std::string>;

records take_all(record_splitter& splitter) {
  records taken;
  while (const auto record = splitter.take()) taken.emplace_back(*record);
  return taken;
}

records records_of(const std::vector<std::string>& frames, std::size_t record_bytes_max = 100) {
  record_splitter splitter(record_bytes_max);
  records all;
  for (const std::string& frame : frames) {
    splitter.feed(frame);
    for (std::string& record : take_all(splitter)) all.push_back(std::move(record));
  }
  EXPECT_FALSE(splitter.is_overflown());
  return all;
}

TEST(RecordSplitter, OneRecordInAFrame) {
  EXPECT_EQ(records_of({"{}\x1e"}), records({"{}"}));
}

TEST(RecordSplitter, SeveralRecordsInAFrame) {
  EXPECT_EQ(records_of({"{}\x1e{\"type\":6}\x1e{\"type\":7}\x1e"}),
            records({"{}", "{\"type\":6}", "{\"type\":7}"}));
}

TEST(RecordSplitter, ARecordOverSeveralFrames) {
  EXPECT_EQ(records_of({"{\"ty", "pe\"", ":6}\x1e"}), records({"{\"type\":6}"}));
}

TEST(RecordSplitter, EmptyFramesAndEmptyRecords) {
  EXPECT_EQ(records_of({"", "a", "", "b\x1e", ""}), records({"ab"}));
  EXPECT_EQ(records_of({"\x1e\x1e"}), records({"", ""}));
}

TEST(RecordSplitter, SeparatorAloneEndsACarriedRecord) {
  EXPECT_EQ(records_of({"ab", "\x1e", "c\x1e"}), records({"ab", "c"}));
}

// Three records cut at every pair of byte positions.
TEST(RecordSplitter, AnyCutGivesTheSameRecords) {
  const std::string stream = "{\"a\":1}\x1e{}\x1e{\"b\":\"xyz\"}\x1e";
  const records expected({"{\"a\":1}", "{}", "{\"b\":\"xyz\"}"});
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      EXPECT_EQ(records_of({stream.substr(0, first), stream.substr(first, second - first),
                            stream.substr(second)}),
                expected)
          << "cut at " << first << " and " << second;
    }
  }
}

TEST(RecordSplitter, RecordWithinAFrameIsNotCopied) {
  const std::string frame = "head\x1etail\x1e";
  record_splitter splitter(100);
  splitter.feed(frame);
  const auto first = splitter.take();
  const auto second = splitter.take();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->data(), frame.data());
  EXPECT_EQ(second->data(), frame.data() + 5);
}

TEST(RecordSplitter, CarriedRecordStaysValidUntilTheNextFrame) {
  const std::string start = "one";
  const std::string rest =
      " record\x1e"
      "another";
  record_splitter splitter(100);
  splitter.feed(start);
  EXPECT_FALSE(splitter.take());
  splitter.feed(rest);
  const auto first = splitter.take();
  EXPECT_FALSE(splitter.take());
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, "one record");
}

TEST(RecordSplitter, RecordOfExactlyTheLimitPasses) {
  EXPECT_EQ(records_of({"12345\x1e"}, 5), records({"12345"}));
  EXPECT_EQ(records_of({"123", "45", "\x1e"}, 5), records({"12345"}));
}

TEST(RecordSplitter, OneByteMoreOverflows) {
  for (const std::vector<std::string>& frames :
       {std::vector<std::string>{"123456\x1e"}, std::vector<std::string>{"123456"},
        std::vector<std::string>{"123", "456"}, std::vector<std::string>{"123", "456\x1e"}}) {
    record_splitter splitter(5);
    for (const std::string& frame : frames) {
      splitter.feed(frame);
      EXPECT_EQ(take_all(splitter), records());
    }
    EXPECT_TRUE(splitter.is_overflown());
  }
}

TEST(RecordSplitter, StaysOverflown) {
  record_splitter splitter(5);
  const std::string frames[] = {
      "{}\x1e"
      "1234567",
      "{}\x1e"};
  splitter.feed(frames[0]);
  EXPECT_EQ(take_all(splitter), records({"{}"}));
  splitter.feed(frames[1]);
  EXPECT_EQ(take_all(splitter), records());
  EXPECT_TRUE(splitter.is_overflown());
}

}  // namespace
}  // namespace ordeal::net::hub
