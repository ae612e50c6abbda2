// Goal: no message leaves before it is stable, none is forgotten, and every sender gets one answer,
// whatever the order of replies, read-backs, losses and attaches.
#include "reference-server/log/outbox.h"

#include <gtest/gtest.h>

namespace ordeal::chat {
namespace {

using namespace std::chrono_literals;
using seqs = std::vector<std::uint64_t>;

class Outbox : public testing::Test {
 protected:
  void add(int count) {
    for (int i = 0; i < count; ++i) outbox_.add("room", "id", "text", start_);
  }
  seqs take(std::size_t count_max = 100) {
    seqs result;
    for (const outbox_message* each : outbox_.take_batch(count_max)) result.push_back(each->seq);
    return result;
  }
  static entry_reply appended(std::uint64_t index) {
    entry_reply reply;
    reply.at = position{1, index};
    return reply;
  }
  static entry_reply known(entry_result result, std::optional<position> at) {
    entry_reply reply;
    reply.result = result;
    reply.at = at;
    return reply;
  }
  static entry_reply gap(std::uint64_t last_seq) {
    entry_reply reply;
    reply.result = entry_result::gap;
    reply.last_seq = last_seq;
    return reply;
  }
  bool reply(std::vector<entry_reply> replies) {
    return outbox_.on_replies(replies, {1, 2}, settled_);
  }
  // Answers so far, as "seq@index", "seq later".
  std::vector<std::string> answers() {
    std::vector<std::string> result;
    for (const settlement& each : settled_) {
      const bool is_in = each.outcome.status == append_status::appended;
      result.push_back(std::to_string(each.seq) +
                       (is_in ? "@" + std::to_string(each.outcome.at.index) : " later"));
    }
    settled_.clear();
    return result;
  }
  using texts = std::vector<std::string>;

  const outbox::time_point start_{1'000s};
  outbox outbox_{10, 1U << 20};
  std::vector<settlement> settled_;
};

TEST_F(Outbox, SendsInOrderInBatches) {
  add(5);
  EXPECT_EQ(take(2), (seqs{1, 2}));
  EXPECT_EQ(take(2), (seqs{3, 4}));
  EXPECT_EQ(take(2), (seqs{5}));
  EXPECT_FALSE(outbox_.has_unsent());
}

TEST_F(Outbox, RepliesAnswerSendersOnce) {
  add(2);
  take();
  EXPECT_TRUE(reply({appended(11), appended(12)}));
  EXPECT_EQ(answers(), (texts{"1@11", "2@12"}));
  outbox_.on_read(1, {1, 11}, settled_);
  EXPECT_EQ(answers(), texts{});
  EXPECT_FALSE(outbox_.has_undecided());
}

TEST_F(Outbox, ReadBackAnswersBeforeTheReply) {
  add(2);
  take();
  outbox_.on_read(1, {1, 11}, settled_);
  EXPECT_EQ(answers(), (texts{"1@11"}));
  EXPECT_TRUE(reply({appended(11), appended(12)}));
  EXPECT_EQ(answers(), (texts{"2@12"}));
}

TEST_F(Outbox, InTheLogIsNotStable) {
  add(3);
  take();
  reply({appended(11), appended(12), appended(13)});
  EXPECT_EQ(outbox_.size(), 3U);
  outbox_.on_stable(12);
  EXPECT_EQ(outbox_.size(), 1U);
  outbox_.on_stable(13);
  EXPECT_EQ(outbox_.size(), 0U);
  EXPECT_EQ(outbox_.bytes(), 0U);
}

TEST_F(Outbox, StableMessagesMayLeaveBeforeTheirReply) {
  add(2);
  take();
  outbox_.on_read(1, {1, 11}, settled_);
  outbox_.on_stable(11);
  EXPECT_EQ(outbox_.size(), 1U);
  EXPECT_TRUE(reply({appended(11), appended(12)}));
  EXPECT_EQ(answers(), (texts{"1@11", "2@12"}));
}

TEST_F(Outbox, ALostBatchIsSentAgainFromTheFirstWithoutOutcome) {
  add(4);
  take();
  outbox_.on_read(1, {1, 11}, settled_);
  outbox_.on_batch_lost();
  EXPECT_EQ(take(), (seqs{2, 3, 4}));
  EXPECT_TRUE(
      reply({known(entry_result::used_before, position{1, 12}), appended(13), appended(14)}));
  EXPECT_EQ(answers(), (texts{"1@11", "2@12", "3@13", "4@14"}));
}

TEST_F(Outbox, AKnownClientIdIsAnsweredWithItsPlace) {
  add(2);
  take();
  EXPECT_TRUE(reply({known(entry_result::known_client_id, position{1, 5}), appended(12)}));
  EXPECT_EQ(answers(), (texts{"1@5", "2@12"}));
}

TEST_F(Outbox, AClientIdOfAnotherMessageIsRefusedAndTakesNoRoom) {
  add(2);
  take();
  EXPECT_TRUE(reply({known(entry_result::conflict, std::nullopt), appended(12)}));
  ASSERT_EQ(settled_.size(), 2U);
  EXPECT_EQ(settled_[0].outcome.status, append_status::refused);
  EXPECT_EQ(settled_[1].outcome.status, append_status::appended);
  EXPECT_FALSE(outbox_.has_undecided());
}

TEST_F(Outbox, AUsedSeqWhoseEntryIsTrimmedCountsAsAppended) {
  add(1);
  take();
  EXPECT_TRUE(reply({known(entry_result::used_before, std::nullopt)}));
  EXPECT_EQ(answers(), (texts{"1@2"}));
}

TEST_F(Outbox, AGapRestartsBehindTheLastKnown) {
  add(4);
  take();
  EXPECT_TRUE(reply({gap(0)}));
  EXPECT_EQ(take(), (seqs{1, 2, 3, 4}));
  EXPECT_TRUE(reply({appended(11), gap(1)}));
  EXPECT_EQ(take(), (seqs{2, 3, 4}));
}

TEST_F(Outbox, AGapBelowWhatHasLeftIsNotOurLog) {
  add(3);
  take();
  reply({appended(11), appended(12), appended(13)});
  outbox_.on_stable(12);
  add(1);
  take();
  EXPECT_FALSE(reply({gap(1)}));
  EXPECT_FALSE(outbox_.on_watermark(1));
  EXPECT_TRUE(outbox_.on_watermark(2));
}

TEST_F(Outbox, AWatermarkThatWasNeverReachedIsNotOurLog) {
  add(1);
  EXPECT_FALSE(outbox_.on_watermark(2));
}

TEST_F(Outbox, WhatRedisForgotIsSentAgainWithoutASecondAnswer) {
  add(3);
  take();
  reply({appended(11), appended(12), appended(13)});
  EXPECT_EQ(answers().size(), 3U);
  EXPECT_TRUE(outbox_.on_watermark(1));
  EXPECT_TRUE(outbox_.has_undecided());
  outbox_.on_stable(50);
  EXPECT_EQ(outbox_.size(), 2U) << "what is not in the log is not stable";
  EXPECT_EQ(take(), (seqs{2, 3}));
  reply({appended(31), appended(32)});
  EXPECT_EQ(answers(), texts{});
  outbox_.on_stable(32);
  EXPECT_EQ(outbox_.size(), 0U);
}

TEST_F(Outbox, WatermarkOfAnUndisturbedLogChangesNothing) {
  add(2);
  take();
  reply({appended(11), appended(12)});
  add(2);
  EXPECT_TRUE(outbox_.on_watermark(2));
  EXPECT_EQ(take(), (seqs{3, 4}));
}

TEST_F(Outbox, SendersGiveUpButMessagesStay) {
  outbox_.add("room", "old", "text", start_);
  outbox_.add("room", "new", "text", start_ + 5s);
  outbox_.give_up_before(start_ + 1s, "late", settled_);
  ASSERT_EQ(settled_.size(), 1U);
  EXPECT_EQ(settled_[0].outcome.reason, "late");
  EXPECT_EQ(answers(), (texts{"1 later"}));
  outbox_.give_up_before(start_ + 1s, "late", settled_);
  EXPECT_EQ(answers(), texts{});
  EXPECT_EQ(take(), (seqs{1, 2}));
  reply({appended(11), appended(12)});
  EXPECT_EQ(answers(), (texts{"2@12"}));
}

TEST_F(Outbox, IsBoundedByCountAndBytes) {
  add(9);
  EXPECT_TRUE(outbox_.has_room());
  add(1);
  EXPECT_FALSE(outbox_.has_room());
  outbox small(1'000, 2'000);
  while (small.has_room()) small.add("room", "id", std::string(500, 'x'), start_);
  EXPECT_LT(small.size(), 5U);
  EXPECT_GE(small.bytes(), 2'000U);
}

}  // namespace
}  // namespace ordeal::chat
