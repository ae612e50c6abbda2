// Goal: no message leaves before others hold it, none is forgotten, and every sender gets one
// answer, in whatever order replies and read-backs come.
#include "tests/unit/chat/log/outbox_fixture.h"

namespace ordeal::test {
namespace {

using namespace std::chrono_literals;
using chat::append_status;
using chat::entry_result;
using chat::position;
using chat::repeats;

class Outbox : public outbox_fixture {};

TEST_F(Outbox, SendsInOrderInBatches) {
  add(5);
  EXPECT_EQ(take(2), (seqs{1, 2}));
  EXPECT_EQ(after_seq_, 0U) << "nothing comes before the first";
  EXPECT_EQ(take(2), (seqs{3, 4}));
  EXPECT_EQ(after_seq_, 2U);
  EXPECT_EQ(take(2), (seqs{5}));
  EXPECT_EQ(after_seq_, 4U);
  EXPECT_FALSE(outbox_.has_unsent());
  EXPECT_EQ(take(2), seqs{});
  EXPECT_EQ(after_seq_, 0U);
}

TEST_F(Outbox, BatchesAreBoundedInBytesButNeverEmpty) {
  for (const std::size_t size : {100U, 100U, 9'000U, 100U}) {
    outbox_.add(body(std::string(size, 'x')), start_, settled_);
  }
  EXPECT_EQ(outbox_.take_batch(100, 1'000).messages.size(), 2U);
  EXPECT_EQ(outbox_.take_batch(100, 1'000).messages.size(), 1U) << "too large alone, and goes";
  EXPECT_EQ(outbox_.take_batch(100, 1'000).messages.size(), 1U);
  EXPECT_FALSE(outbox_.has_unsent());
}

TEST_F(Outbox, SaysWhetherABatchIsFull) {
  EXPECT_FALSE(outbox_.has_full_batch(1, 1));
  add(2);
  EXPECT_FALSE(outbox_.has_full_batch(3, 1'000));
  EXPECT_TRUE(outbox_.has_full_batch(2, 1'000));
  EXPECT_TRUE(outbox_.has_full_batch(3, 100));
  take(1);
  EXPECT_FALSE(outbox_.has_full_batch(2, 1'000)) << "what is on its way does not count";
}

TEST_F(Outbox, BatchesInARowAreAnsweredInOrder) {
  add(5);
  EXPECT_EQ(take(2), (seqs{1, 2}));
  EXPECT_EQ(after_id_, "");
  EXPECT_EQ(take(2), (seqs{3, 4}));
  EXPECT_EQ(after_id_, "id2") << "nobody knows yet what became of it";
  reply({appended(11), appended(12)});
  EXPECT_EQ(take(2), (seqs{5}));
  EXPECT_EQ(after_id_, "id4");
  reply({appended(13), appended(14)});
  reply({appended(15)});
  EXPECT_EQ(answers(), (texts{"1@11", "2@12", "3@13", "4@14", "5@15"}));
  add(1);
  take();
  EXPECT_EQ(after_seq_, 5U);
  EXPECT_EQ(after_id_, "") << "it is known to be in the log";
}

TEST_F(Outbox, TheBatchBehindOneThatWasNotTakenHasItsOwnAnswers) {
  add(4);
  take(2);
  take(2);
  outbox_.on_batch_lost();
  reply({appended(13), appended(14)});
  EXPECT_EQ(answers(), (texts{"3@13", "4@14"}));
  EXPECT_EQ(take(), (seqs{1, 2, 3, 4}));
}

TEST_F(Outbox, AMessageThatIsHereIsNotTakenAgain) {
  chat::message_body again = body("text");
  EXPECT_EQ(outbox_.add(again, start_, settled_), 1U);
  EXPECT_EQ(outbox_.add(again, start_, settled_), 1U);
  EXPECT_EQ(outbox_.size(), 1U);
  take();
  reply({appended(11)});
  EXPECT_EQ(answers(), (texts{"1@11"}));
  EXPECT_EQ(outbox_.add(again, start_, settled_), 1U);
  EXPECT_EQ(answers(), (texts{"1@11"})) << "it is in the log";
  hold(11);
  EXPECT_EQ(outbox_.add(again, start_, settled_), 2U) << "only the log knows it now";
}

TEST_F(Outbox, AnIdThatIsHereIsNotGivenToAnotherMessage) {
  chat::message_body other = body("text");
  EXPECT_EQ(outbox_.add(other, start_, settled_), 1U);
  other.text = "other";
  EXPECT_EQ(outbox_.add(other, start_, settled_), std::nullopt);
  EXPECT_EQ(outbox_.size(), 1U);
}

TEST_F(Outbox, WhoGaveUpWaitsAgainForTheSameMessage) {
  chat::message_body again = body("text");
  outbox_.add(again, start_, settled_);
  outbox_.give_up_before(start_ + 1s, "slow", settled_);
  EXPECT_EQ(answers(), (texts{"1 later"}));
  EXPECT_EQ(outbox_.add(again, start_ + 2s, settled_), 1U);
  outbox_.give_up_before(start_ + 2s, "slow", settled_);
  EXPECT_EQ(answers(), texts{});
  take();
  reply({appended(11)});
  EXPECT_EQ(answers(), (texts{"1@11"}));
}

// The log has another message under its id: to take it for the one that was refused would acknowledge it.
TEST_F(Outbox, ARefusedMessageIsNotTakenForOneThatIsHere) {
  chat::message_body refused = body("text");
  outbox_.add(refused, start_, settled_);
  take();
  reply({known(entry_result::conflict, std::nullopt)});
  EXPECT_EQ(answers(), (texts{"1 refused"}));
  EXPECT_EQ(outbox_.add(refused, start_, settled_), 2U);
  EXPECT_EQ(answers(), texts{});
  take();
  reply({known(entry_result::conflict, std::nullopt)});
  EXPECT_EQ(answers(), (texts{"2 refused"}));
}

TEST_F(Outbox, WhatWaitsForTheLogIsBounded) {
  outbox_.limit_undecided(1'000);
  while (outbox_.has_room()) outbox_.add(body(std::string(300, 'x')), start_, settled_);
  EXPECT_EQ(outbox_.size(), 3U);
  take(1);
  EXPECT_FALSE(outbox_.has_room());
  reply({appended(11)});
  EXPECT_TRUE(outbox_.has_room()) << "what is in the log does not wait for it";
}

TEST_F(Outbox, RepliesAnswerSendersOnce) {
  add(2);
  take();
  reply({appended(11), appended(12)});
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
  reply({appended(11), appended(12)});
  EXPECT_EQ(answers(), (texts{"2@12"}));
}

TEST_F(Outbox, InTheLogIsNotStable) {
  add(3);
  take();
  reply({appended(11), appended(12), appended(13)});
  EXPECT_EQ(held(), (texts{"1@11", "2@12", "3@13"}));
  hold(12);
  EXPECT_EQ(held(), (texts{"3@13"}));
  hold(13);
  EXPECT_EQ(held(), texts{});
  EXPECT_EQ(outbox_.bytes(), 0U);
}

TEST_F(Outbox, WhatOthersHoldBeginsSomewhere) {
  add(2);
  take();
  reply({appended(11), appended(12)});
  outbox_.on_held(12, 40, settled_);
  EXPECT_EQ(held(), (texts{"1@11", "2@12"})) << "nobody else holds 11, and 2 goes behind 1";
  outbox_.on_held(11, 11, settled_);
  EXPECT_EQ(held(), (texts{"2@12"}));
}

TEST_F(Outbox, StableMessagesMayLeaveBeforeTheirReply) {
  add(2);
  take();
  outbox_.on_read(1, {1, 11}, settled_);
  hold(11);
  EXPECT_EQ(outbox_.size(), 1U);
  reply({appended(11), appended(12)});
  EXPECT_EQ(answers(), (texts{"1@11", "2@12"}));
}

TEST_F(Outbox, ALostBatchIsSentAgainFromTheFirstWithoutOutcome) {
  add(4);
  take();
  outbox_.on_read(1, {1, 11}, settled_);
  outbox_.on_batch_lost();
  EXPECT_EQ(take(), (seqs{2, 3, 4}));
  EXPECT_EQ(after_seq_, 1U);
  reply({known(entry_result::used_before, position{1, 12}), appended(13), appended(14)});
  EXPECT_EQ(answers(), (texts{"1@11", "2@12", "3@13", "4@14"}));
}

TEST_F(Outbox, AKnownClientIdIsAnsweredWithItsPlace) {
  add(2);
  take();
  reply({known(entry_result::known_client_id, position{1, 5}), appended(12)});
  EXPECT_EQ(answers(), (texts{"1@5", "2@12"}));
}

TEST_F(Outbox, AClientIdOfAnotherMessageIsRefusedAndTakesNoRoom) {
  add(2);
  take();
  reply({known(entry_result::conflict, std::nullopt), appended(12)});
  ASSERT_EQ(settled_.size(), 2U);
  EXPECT_EQ(settled_[0].outcome.reason, chat::other_message_reason);
  EXPECT_EQ(answers(), (texts{"1 refused", "2@12"}));
  EXPECT_FALSE(outbox_.has_undecided());
}

// Its answer was lost, and the node did not see the entry go by.
TEST_F(Outbox, AUsedSeqWhoseEntryMayBeTrimmedCountsAsAppended) {
  top_ = 5;
  add(2);
  take();
  outbox_.on_batch_lost();
  top_ = 9;
  take();
  reading_ = {{1, 8}, 9, 9, 7};
  EXPECT_EQ(reply({known(entry_result::used_before, std::nullopt), gap(1)}), repeats::true_ones);
  EXPECT_EQ(answers(), (texts{"1@8"}));
  EXPECT_EQ(take(), (seqs{2})) << "and the next goes on behind it";
  EXPECT_EQ(after_seq_, 1U);
}

TEST_F(Outbox, AUsedSeqOfAMessageThatWasNeverSentIsFalse) {
  add(2);
  take();
  EXPECT_EQ(reply({appended(11), known(entry_result::used_before, std::nullopt)}),
            repeats::false_ones);
  EXPECT_EQ(answers(), (texts{"1@11"}));
}

TEST_F(Outbox, AUsedSeqIsFalseWhenEverythingWasReadAndItIsNotThere) {
  top_ = 5;
  add(1);
  take();
  outbox_.on_batch_lost();
  take();
  reading_ = {{1, 2}, 9, 8, 5};
  EXPECT_EQ(reply({known(entry_result::used_before, std::nullopt)}), repeats::to_be_read);
  EXPECT_EQ(take(), (seqs{1})) << "asks again";
  reading_.top = 20;
  EXPECT_EQ(reply({known(entry_result::used_before, std::nullopt)}), repeats::to_be_read);
  take();
  reading_.read = 9;
  EXPECT_EQ(reply({known(entry_result::used_before, std::nullopt)}), repeats::false_ones)
      << "it was known already when the log ended at 9";
  EXPECT_EQ(answers(), texts{});
}

TEST_F(Outbox, BeginningAnewSendsEverythingAgainButWhatIsTrimmed) {
  add(4);
  take();
  reply({appended(3), appended(7)});
  EXPECT_EQ(answers(), (texts{"1@3", "2@7"}));
  outbox_.begin_anew(5, settled_);
  EXPECT_EQ(held(), (texts{"2", "3", "4"}));
  EXPECT_EQ(outbox_.undecided(), 3U);
  EXPECT_EQ(take(), (seqs{2, 3, 4}));
  EXPECT_EQ(after_seq_, 0U) << "the log knows nothing of this name";
  reply({known(entry_result::known_client_id, position{1, 7}), appended(20), appended(21)});
  EXPECT_EQ(answers(), (texts{"3@20", "4@21"})) << "2 has its answer";
}

TEST_F(Outbox, WhatIsNoLongerInTheLogGoesAgainWhateverTheWatermarkSays) {
  add(3);
  take();
  reply({appended(3), appended(4), appended(5)});
  outbox_.on_watermark(3, [](position at) { return at.index > 4; });
  EXPECT_EQ(held(), (texts{"1@3", "2@4", "3"}));
  EXPECT_EQ(take(), (seqs{3}));
  EXPECT_EQ(after_seq_, 2U);
}

TEST_F(Outbox, AGapRestartsBehindTheLastKnown) {
  add(4);
  take();
  reply({gap(0)});
  EXPECT_EQ(take(), (seqs{1, 2, 3, 4}));
  reply({appended(11), gap(1)});
  EXPECT_EQ(take(), (seqs{2, 3, 4}));
  EXPECT_EQ(after_seq_, 1U);
}

TEST_F(Outbox, SendersGiveUpButMessagesStay) {
  outbox_.add(body(), start_, settled_);
  outbox_.add(body(), start_ + 5s, settled_);
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
  chat::outbox small(1'000, 2'000);
  while (small.has_room()) small.add(body(std::string(500, 'x')), start_, settled_);
  EXPECT_LT(small.size(), 5U);
  EXPECT_GE(small.bytes(), 2'000U);
}

class OutboxAccepted : public outbox_fixture {
 protected:
  OutboxAccepted() : outbox_fixture(chat::ack_level::accepted) {}
};

TEST_F(OutboxAccepted, AnswersAtOnceAndNeverAgain) {
  add(2);
  EXPECT_EQ(answers(), (texts{"1 accepted", "2 accepted"}));
  outbox_.give_up_before(start_ + 1s, "late", settled_);
  EXPECT_EQ(take(), (seqs{1, 2}));
  reply({appended(11), known(entry_result::conflict, std::nullopt)});
  hold(50);
  EXPECT_EQ(answers(), texts{});
}

TEST_F(OutboxAccepted, KeepsWhatIsNotInTheLog) {
  add(2);
  EXPECT_TRUE(outbox_.has_undecided());
  take();
  outbox_.on_batch_lost();
  EXPECT_EQ(take(), (seqs{1, 2}));
  reply({appended(11), appended(12)});
  EXPECT_FALSE(outbox_.has_undecided());
}

class OutboxStable : public outbox_fixture {
 protected:
  OutboxStable() : outbox_fixture(chat::ack_level::stable) {}
};

TEST_F(OutboxStable, AnswersWhenAnotherNodeHoldsTheMessage) {
  add(3);
  take();
  reply({appended(11), appended(12), appended(13)});
  outbox_.on_read(1, {1, 11}, settled_);
  EXPECT_EQ(answers(), texts{});
  EXPECT_FALSE(outbox_.has_undecided()) << "in the log it is all the same";
  hold(12);
  EXPECT_EQ(answers(), (texts{"1@11", "2@12"}));
  hold(13);
  EXPECT_EQ(answers(), (texts{"3@13"}));
}

TEST_F(OutboxStable, TellsWhereItEndedUpAfterALoss) {
  add(1);
  take();
  reply({appended(11)});
  outbox_.on_watermark(0);
  hold(50);
  EXPECT_EQ(answers(), texts{}) << "it is not in the log any more";
  take();
  reply({appended(61)});
  hold(61);
  EXPECT_EQ(answers(), (texts{"1@61"}));
}

TEST_F(OutboxStable, RefusesAtOnce) {
  add(1);
  take();
  reply({known(entry_result::conflict, std::nullopt)});
  EXPECT_EQ(answers(), (texts{"1 refused"}));
}

}  // namespace
}  // namespace ordeal::test
