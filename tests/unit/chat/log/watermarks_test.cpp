// Goal: what a node remembers of origins is bounded, and nobody is forgotten who may still repeat something.
#include "reference-server/log/watermarks.h"

#include <gtest/gtest.h>

namespace ordeal::test {
namespace {

using chat::watermarks;
using seqs = std::map<std::string, std::uint64_t>;

TEST(Watermarks, KeepTheLargestSeq) {
  watermarks marks;
  marks.on_message("a", 3, 10, 1);
  marks.on_message("a", 2, 11, 1);
  marks.on_message("b", 1, 12, 1);
  EXPECT_EQ(marks.seqs(), (seqs{{"a", 3}, {"b", 1}}));
  marks.on_word("c", 13);
  EXPECT_EQ(marks.seqs().size(), 2U) << "who has sent nothing has no mark";
  marks.on_lost("a", 2);
  EXPECT_EQ(marks.seqs(), (seqs{{"a", 1}, {"b", 1}}));
}

// As after as many restarts of a node, each with a message.
TEST(Watermarks, AreBoundedByWhatTheLogKeeps) {
  watermarks marks;
  for (std::uint64_t i = 1; i <= 1'000; ++i)
    marks.on_message("origin" + std::to_string(i), 1, i, i > 100 ? i - 100 : 1);
  EXPECT_EQ(marks.all().size(), 101U) << "all with an entry in the log";
  for (std::uint64_t i = 1'001; i <= 2'000; ++i)
    marks.on_message("origin" + std::to_string(i), 1, i, i);
  EXPECT_EQ(marks.all().size(), watermarks::origins_kept) << "the newest stay";
  EXPECT_TRUE(marks.all().contains("origin1969"));
  EXPECT_FALSE(marks.all().contains("origin1968"));
}

TEST(Watermarks, KeepWhoIsHeardOf) {
  watermarks marks;
  marks.on_message("idle", 7, 1, 1);
  for (std::uint64_t i = 2; i <= 1'000; ++i) {
    marks.on_word("idle", i);
    marks.on_message("origin" + std::to_string(i), 1, i, i);
  }
  EXPECT_EQ(marks.seqs().at("idle"), 7U);
}

}  // namespace
}  // namespace ordeal::test
