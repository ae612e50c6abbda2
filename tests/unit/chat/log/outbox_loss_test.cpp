// Goal: messages that the log had and has no more go in again, once, in their order, and nobody is
// answered twice for them.
#include "tests/unit/chat/log/outbox_fixture.h"

namespace ordeal::test {
namespace {

using chat::append_status;
using chat::entry_result;
using chat::position;

class OutboxLoss : public outbox_fixture {
 protected:
  // `count` messages that the log has at 11 and above.
  void add_appended(int count) {
    add(count);
    take();
    std::vector<chat::entry_reply> replies;
    for (int i = 0; i < count; ++i) replies.push_back(appended(11 + static_cast<unsigned>(i)));
    reply(replies);
    answers();
  }
};

TEST_F(OutboxLoss, WhatRedisForgotIsSentAgainWithoutASecondAnswer) {
  add_appended(3);
  outbox_.on_watermark(1);
  EXPECT_TRUE(outbox_.has_undecided());
  EXPECT_EQ(held(), (texts{"1@11", "2", "3"}));
  hold(50);
  EXPECT_EQ(held(), (texts{"2", "3"})) << "what is not in the log is not stable";
  EXPECT_EQ(take(), (seqs{2, 3}));
  reply({appended(31), appended(32)});
  EXPECT_EQ(answers(), texts{});
  hold(32);
  EXPECT_EQ(outbox_.size(), 0U);
}

TEST_F(OutboxLoss, TheOneBeforeIsNamedWhileItIsHere) {
  add_appended(3);
  outbox_.on_watermark(1);
  take();
  EXPECT_EQ(after_seq_, 1U);
  outbox_.on_watermark(1);
  hold(11);
  take();
  EXPECT_EQ(after_seq_, 0U) << "1 has left: whether the log knows it does not matter";
}

TEST_F(OutboxLoss, WatermarkOfAnUndisturbedLogChangesNothing) {
  add_appended(2);
  add(2);
  outbox_.on_watermark(2);
  EXPECT_EQ(held(), (texts{"1@11", "2@12", "3", "4"}));
  EXPECT_EQ(take(), (seqs{3, 4}));
}

TEST_F(OutboxLoss, AWatermarkAheadLeavesTheRestToTheAnswers) {
  add(2);
  take();  // and the answer was lost, but not what it was about
  outbox_.on_watermark(2);
  EXPECT_EQ(take(), (seqs{1, 2}));
  reply({known(entry_result::used_before, position{1, 11}),
         known(entry_result::used_before, position{1, 12})});
  EXPECT_EQ(answers(), (texts{"1@11", "2@12"}));
}

TEST_F(OutboxLoss, AGapBelowWhatHasLeftStartsAtTheFront) {
  add_appended(3);
  hold(12);
  add(1);
  EXPECT_EQ(take(), (seqs{4}));
  EXPECT_EQ(after_seq_, 3U);
  reply({gap(1)});
  EXPECT_EQ(take(), (seqs{3, 4}));
  EXPECT_EQ(after_seq_, 0U);
}

TEST_F(OutboxLoss, MessagesThatHadLeftComeBackInTheirOrder) {
  add_appended(5);
  hold(15);
  add(1);
  put_back({2, 4});
  EXPECT_EQ(held(), (texts{"2", "4", "6"})) << "seqs may have holes";
  EXPECT_TRUE(outbox_.has_undecided());
  EXPECT_EQ(take(2), (seqs{2, 4}));
  EXPECT_EQ(after_seq_, 0U);
  EXPECT_EQ(take(2), (seqs{6}));
  EXPECT_EQ(after_seq_, 4U);
}

TEST_F(OutboxLoss, NobodyWaitsForWhatComesBack) {
  add_appended(2);
  hold(12);
  put_back({1, 2});
  take();
  reply({appended(31), known(entry_result::known_client_id, position{1, 5})});
  outbox_.on_read(1, {1, 31}, settled_);
  hold(31);
  EXPECT_EQ(answers(), texts{});
  EXPECT_EQ(outbox_.size(), 0U);
  EXPECT_EQ(outbox_.bytes(), 0U);
}

TEST_F(OutboxLoss, PutBackKeepsTheWordsOfTheMessage) {
  put_back({7});
  const chat::outbox::batch taken = outbox_.take_batch(10);
  ASSERT_EQ(taken.messages.size(), 1U);
  EXPECT_EQ(taken.messages[0].body->room, "room");
  EXPECT_EQ(taken.messages[0].body->client_message_id, "me7");
  EXPECT_EQ(taken.messages[0].body->text, "text");
}

TEST_F(OutboxLoss, WhatIsStillHereIsNotDoubled) {
  add_appended(3);
  hold(11);
  put_back({1, 2, 3});
  EXPECT_EQ(held(), (texts{"1", "2", "3"}));
  put_back({1, 2, 3});
  EXPECT_EQ(held(), (texts{"1", "2", "3"}));
  take();
  reply({appended(31), appended(32), appended(33)});
  EXPECT_FALSE(outbox_.has_undecided());
}

TEST_F(OutboxLoss, ASenderThatStillWaitsGetsItsAnswer) {
  add(1);
  take();
  put_back({1});  // it was read, on the lost branch, before the answer came
  outbox_.on_batch_lost();
  EXPECT_EQ(take(), (seqs{1}));
  reply({appended(31)});
  EXPECT_EQ(answers(), (texts{"1@31"}));
}

TEST_F(OutboxLoss, NewMessagesGoBehindWhatComesBack) {
  add_appended(3);
  hold(13);
  put_back({3});
  add(1);
  EXPECT_EQ(outbox_.last_seq(), 4U);
  EXPECT_EQ(take(), (seqs{3, 4}));
}

TEST_F(OutboxLoss, AGapBetweenSparseSeqsRestartsBehindIt) {
  add_appended(6);
  hold(16);
  put_back({2, 4, 6});
  take();
  reply({appended(31), gap(2)});
  EXPECT_EQ(held(), (texts{"2@31", "4", "6"}));
  EXPECT_EQ(take(), (seqs{4, 6}));
  EXPECT_EQ(after_seq_, 2U);
  outbox_.on_batch_lost();
  outbox_.on_watermark(3);
  EXPECT_EQ(take(), (seqs{4, 6})) << "3 is not here; what is behind it is";
}

TEST_F(OutboxLoss, RepliesAreMatchedBySeqEvenWhenTheFrontHasLeft) {
  add(3);
  take();
  outbox_.on_read(1, {1, 11}, settled_);
  outbox_.on_read(2, {1, 12}, settled_);
  hold(12);
  reply({appended(11), appended(12), appended(13)});
  EXPECT_EQ(answers(), (texts{"1@11", "2@12", "3@13"}));
}

}  // namespace
}  // namespace ordeal::test
