// The rehearsal against hubs made of text: what fits, each mistake in a target file, and what is left to the judge.
#include "harness/rehearsal/rehearsal_script.h"

#include <gtest/gtest.h>

#include "tests/unit/fleet/recipe.h"

namespace ordeal::harness {
namespace {

const std::string end_of_record = "\x1e";

class Rehearsal : public testing::Test {
 protected:
  Rehearsal() { target_.file = "my.yaml"; }

  // A client whose handshake is done: its join is on its way.
  rehearsal_script joining() {
    rehearsal_script script(target_, "node-1", {"abc-1", "r-1", "m-1", "o2.abc.rest", "o2.abc."});
    EXPECT_EQ(script.on_open().size(), 1U);
    sent_ = script.on_frame("{}" + end_of_record);
    return script;
  }
  rehearsal_script published() {
    rehearsal_script script = joining();
    tell(script, R"({"type":3,"invocationId":"1","result":"c"})");
    EXPECT_EQ(sent_.size(), 1U);
    return script;
  }
  void tell(rehearsal_script& script, const std::string& record) {
    sent_ = script.on_frame(record + end_of_record);
  }
  void answer_publish(rehearsal_script& script) {
    tell(script, R"({"type":3,"invocationId":"2","result":null})");
  }
  void broadcast(rehearsal_script& script, const std::string& name, const std::string& arguments) {
    tell(script, R"({"type":1,"target":")" + name + R"(","arguments":)" + arguments + "}");
  }

  static std::string text_of(const rehearsal_script& script) {
    return script.result() ? script.result()->text : "none";
  }
  static void expect_mistake(const rehearsal_script& script, const std::string& text) {
    EXPECT_TRUE(script.is_over());
    ASSERT_TRUE(script.result());
    EXPECT_EQ(script.result()->text, text);
    EXPECT_TRUE(script.result()->is_file_wrong);
    EXPECT_TRUE(script.result()->is_final);
  }

  target target_ = make_reference_target();
  std::vector<std::string> sent_;
};

TEST_F(Rehearsal, FitsWhenItsMessageComesBack) {
  rehearsal_script script = joining();
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_NE(sent_[0].find(R"("target":"Join","arguments":["r-1",null])"), std::string::npos);
  tell(script, R"({"type":3,"invocationId":"1","result":"c"})");
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_NE(sent_[0].find(R"("target":"Send","arguments":["r-1","m-1","o2.abc.rest"])"),
            std::string::npos);
  broadcast(script, "Message", R"(["r-1","c","m-1","o2.abc.rest"])");
  EXPECT_FALSE(script.is_over());
  answer_publish(script);
  EXPECT_TRUE(script.is_over());
  EXPECT_TRUE(script.is_complete());
  EXPECT_FALSE(script.result());
}

TEST_F(Rehearsal, PublishesWithoutAnswersWhereThereAreNone) {
  target_.protocol.join.has_ack = target_.protocol.publish.has_ack = false;
  rehearsal_script script = joining();
  EXPECT_EQ(sent_.size(), 2U);
  EXPECT_TRUE(script.is_answered());
  broadcast(script, "Message", R"(["r-1","c","m-1","o2.abc.rest"])");
  EXPECT_TRUE(script.is_complete());
}

TEST_F(Rehearsal, LeavesLossAndDamageToTheJudge) {
  rehearsal_script lost = published();
  answer_publish(lost);
  broadcast(lost, "Message", R"(["r-1","c","m-9","something else"])");
  EXPECT_FALSE(lost.is_over());
  lost.on_silence("6 s");
  EXPECT_TRUE(lost.is_over());
  EXPECT_EQ(text_of(lost), "none");

  rehearsal_script damaged = published();
  broadcast(damaged, "Message", R"(["r-1","c","m-1","o2.abc.re"])");
  answer_publish(damaged);
  EXPECT_TRUE(damaged.is_complete());
  EXPECT_EQ(text_of(damaged), "none");

  rehearsal_script elsewhere = published();
  broadcast(elsewhere, "Message", R"(["r-2","c","m-1","o2.abc.rest"])");
  answer_publish(elsewhere);
  EXPECT_EQ(text_of(elsewhere), "none") << "the wrong room is no mistake in the file";
}

TEST_F(Rehearsal, TellsThatItCameUnderAnotherName) {
  target_.protocol.receive.name = "Mesage";
  rehearsal_script script = published();
  broadcast(script, "Message", R"(["r-1","c","m-1","o2.abc.rest"])");
  expect_mistake(
      script,
      "node-1: sent Send(${room}, ${message_id}, ${payload}), and it came back as Message, "
      "argument 3 of 4 (counted from 0), not as Mesage, argument 3; look at "
      "protocol.receive.on and .payload in my.yaml");
}

TEST_F(Rehearsal, TellsThatItCameAsAnotherArgument) {
  target_.protocol.receive.payload = 2;
  rehearsal_script script = published();
  broadcast(script, "Message", R"(["r-1","c","m-1","o2.abc.rest"])");
  expect_mistake(
      script,
      "node-1: sent Send(${room}, ${message_id}, ${payload}), and it came back as Message, "
      "argument 3 of 4 (counted from 0), not as Message, argument 2; look at "
      "protocol.receive.on and .payload in my.yaml");

  target_.protocol.receive.payload = 7;
  rehearsal_script beyond = published();
  broadcast(beyond, "Message", R"(["r-1","c","m-1","o2.abc.rest"])");
  expect_mistake(
      beyond,
      "node-1: Message came without a string as argument 7, its payload by the target file; "
      "the payload came as Message, argument 3 of 4; look at protocol.receive in my.yaml");
}

TEST_F(Rehearsal, TellsThatTheRoomIsAnotherArgument) {
  target_.protocol.receive.room = 2;
  rehearsal_script script = published();
  broadcast(script, "Message", R"(["r-1","c","m-1","o2.abc.rest"])");
  expect_mistake(
      script,
      "node-1: published into room 'r-1', and argument 2 of Message, its room by the target "
      "file, is 'm-1'; the room came as Message, argument 0 of 4; look at "
      "protocol.receive.room in my.yaml");
}

TEST_F(Rehearsal, TellsThatThePayloadStandsBehindOtherText) {
  rehearsal_script script = published();
  broadcast(script, "Message", R"(["r-1","c","m-1","alice: o2.abc.rest"])");
  expect_mistake(
      script,
      "node-1: the payload came back behind other text, in Message, argument 3 of 4, and "
      "has to be an argument of its own; look at protocol.receive.payload in my.yaml");
}

TEST_F(Rehearsal, RepeatsTheServersWords) {
  rehearsal_script wrong_method = joining();
  tell(wrong_method, R"({"type":3,"invocationId":"1","error":"Unknown hub method 'Join'"})");
  expect_mistake(
      wrong_method,
      "node-1: sent Join(${room}, ${cursor}), and it answered with the error 'Unknown hub "
      "method 'Join''; look at protocol.join in my.yaml");

  rehearsal_script too_few = published();
  tell(
      too_few,
      R"({"type":3,"invocationId":"2","error":"Invocation provides 1 argument(s) but target expects 2."})");
  expect_mistake(too_few,
                 "node-1: sent Send(${room}, ${message_id}, ${payload}), and it answered with the "
                 "error 'Invocation provides 1 argument(s) but target expects 2.'; look at "
                 "protocol.publish in my.yaml");

  rehearsal_script refused = published();
  tell(refused, R"({"type":3,"invocationId":"2","error":"refused: too long"})");
  ASSERT_TRUE(refused.result());
  EXPECT_TRUE(refused.result()->is_file_wrong);

  rehearsal_script in_trouble = published();
  tell(in_trouble, R"({"type":3,"invocationId":"2","error":"An unexpected error occurred"})");
  EXPECT_EQ(text_of(in_trouble),
            "node-1: sent Send(${room}, ${message_id}, ${payload}), and it answered with the error "
            "'An unexpected error occurred'");
  EXPECT_FALSE(in_trouble.result()->is_file_wrong);
  EXPECT_FALSE(in_trouble.result()->is_final);
}

TEST_F(Rehearsal, TellsWhatThePathAnswers) {
  const auto answer = [this](unsigned status) {
    rehearsal_script script(target_, "node-1", {});
    script.on_no_connection(status, "declined");
    return *script.result();
  };
  EXPECT_EQ(
      answer(404).text,
      "node-1: asked for a WebSocket at /chat, and it answered HTTP 404; look at protocol.path "
      "in my.yaml");
  EXPECT_TRUE(answer(404).is_file_wrong && answer(404).is_final);
  EXPECT_TRUE(!answer(401).is_file_wrong && answer(401).is_final);
  EXPECT_TRUE(!answer(503).is_file_wrong && !answer(503).is_final);
  EXPECT_TRUE(!answer(0).is_file_wrong && !answer(0).is_final);
}

TEST_F(Rehearsal, GoesWhereTheTargetFileSaysAsAClientOfItsOwn) {
  target_.protocol.path = "/chat?sender=${client}";
  const rehearsal_script script(target_, "node-1", {"abc-1", "r-1", "m-1", "text", "text"});
  EXPECT_EQ(script.path(), "/chat?sender=abc-1");
}

TEST_F(Rehearsal, TellsThatItIsAnotherProtocol) {
  rehearsal_script script(target_, "node-1", {"abc-1", "r-1", "m-1", "o2.abc.rest", "o2.abc."});
  script.on_open();
  script.on_frame("welcome" + end_of_record);
  ASSERT_TRUE(script.result());
  EXPECT_TRUE(script.result()->is_file_wrong);
  EXPECT_NE(script.result()->text.find("look at driver and protocol.path"), std::string::npos);
}

TEST_F(Rehearsal, TellsWhereItEndedOrFellSilent) {
  rehearsal_script silent = joining();
  silent.on_silence("6 s");
  EXPECT_EQ(text_of(silent),
            "node-1: sent Join(${room}, ${cursor}), and no answer came within 6 s; look at "
            "protocol.join and its ack in my.yaml");
  EXPECT_FALSE(silent.result()->is_final);

  rehearsal_script ended = published();
  tell(ended, R"({"type":7,"error":"go away"})");
  EXPECT_EQ(
      text_of(ended),
      "node-1: the connection ended after Send(${room}, ${message_id}, ${payload}): the server "
      "closes: 'go away'");
  ended.on_end("once more");
  EXPECT_NE(text_of(ended).find("go away"), std::string::npos) << "the first word counts";
}

}  // namespace
}  // namespace ordeal::harness
