// Goal: the scripts of an undisturbed log alone, against a real Redis: every answer they can give,
// and the keys they leave behind.
#include "reference-server/log/scripts.h"

#include "tests/integration/chat/log/script_runner.h"

namespace ordeal::test {
namespace {

class LogScripts : public script_runner {};

TEST_F(LogScripts, AppendNumbersDensely) {
  make_log();
  EXPECT_EQ(append(to_append("a"), {{"1", "x"}, {"2", "y"}}), "OK,3,1,2,3");
  EXPECT_EQ(append(to_append("b"), {{"1", "z"}}), "OK,4,1,4");
  EXPECT_EQ(ids(), "1-1,1-2,1-3,1-4");
  EXPECT_EQ(ask({"HMGET", "meta", "top", "floor"}), "4,1");
  EXPECT_EQ(ask({"HGET", "seq", "a"}), "2");
  EXPECT_EQ(ask({"HGET", "req", "z"}), "1-4");
}

TEST_F(LogScripts, AppendWritesAllFields) {
  make_log();
  append(to_append("a"), {{"1", "x", "hello"}});
  EXPECT_EQ(ask({"XRANGE", "log", "1-2", "1-2"}), "[1-2,[k,m,o,a,s,1,r,room,c,x,t,hello]]");
}

TEST_F(LogScripts, AppendKnowsUsedSeqs) {
  make_log();
  append(to_append(), {{"1", "x"}, {"2", "y"}});
  EXPECT_EQ(append(to_append(), {{"1", "x"}, {"2", "y"}, {"3", "z"}}), "OK,4,1,DUP 1-2,DUP 1-3,4");
  redis({"HDEL", "req", "x"});
  EXPECT_EQ(append(to_append(), {{"1", "x"}}), "OK,4,1,DUP ");
}

// Set too high, or trimmed: the node finds out, and until then nothing goes in front of what may be missing.
TEST_F(LogScripts, AppendNamesNoPlaceForWhatIsNotThere) {
  make_log();
  append(to_append(), {{"1", "x"}});
  redis({"HSET", "seq", "a", "3"});
  EXPECT_EQ(append(to_append(), {{"1", "x"}, {"2", "y"}, {"3", "z"}, {"4", "w"}}),
            "OK,2,1,DUP 1-2,DUP ,DUP ,GAP 3");
  EXPECT_EQ(append(to_append(), {{"4", "w"}}), "OK,3,1,3");
  redis({"XDEL", "log", "1-2"});
  EXPECT_EQ(append(to_append(), {{"1", "x"}}), "OK,3,1,DUP ")
      << "its id is known, its entry is not there";
}

TEST_F(LogScripts, AppendNamesAKeyOfAnotherTypeWhateverIsAppended) {
  for (const std::string key : {"meta", "seq", "req", "log", "epochs"}) {
    redis({"FLUSHALL"});
    make_log();
    redis({"DEL", key});
    redis({"SET", key, "hello"});
    EXPECT_EQ(append(to_append(), {}).find("WRONGTYPE the key " + key + " is of another type"), 0U)
        << key;
  }
}

TEST_F(LogScripts, AppendStopsAtAGap) {
  make_log();
  append_words how = to_append();
  EXPECT_EQ(append(how, {{"1", "x"}}), "OK,2,1,2");
  how.after = "3";
  EXPECT_EQ(append(how, {{"4", "w"}, {"5", "v"}}), "OK,2,1,GAP 1") << "3 is not known";
  EXPECT_EQ(ids(), "1-1,1-2");
  EXPECT_EQ(ask({"HGET", "seq", "a"}), "1");
  how.after = "1";
  EXPECT_EQ(append(how, {{"4", "w"}, {"5", "v"}}), "OK,4,1,3,4") << "seqs may have holes";
  EXPECT_EQ(ask({"HGET", "seq", "a"}), "5");
}

// Somebody has set the seq: a call that was sent before the one before it was answered must not believe it.
TEST_F(LogScripts, AppendWantsTheEntryBeforeItWhenItIsNamed) {
  make_log();
  append_words how = to_append();
  EXPECT_EQ(append(how, {{"1", "x"}}), "OK,2,1,2");
  redis({"HSET", "seq", "a", "2"});
  how.after = "2";
  how.after_id = "y";
  EXPECT_EQ(append(how, {{"3", "z"}}), "OK,2,1,GAP 2") << "it was never there";
  how.after = "1";
  how.after_id = "x";
  EXPECT_EQ(append(how, {{"3", "z"}}), "OK,3,1,3");
  how.after = "3";
  how.after_id = "z";
  EXPECT_EQ(append(how, {{"4", "w"}}), "OK,4,1,4");
  append(to_append("b"), {{"1", "b1"}, {"2", "b2"}, {"3", "b3"}, {"4", "b4"}, {"5", "b5"}});
  redis({"HSET", "req", "lost", "1-99", "earlier", "1-2", "junk", "junk"});
  how.after = "4";
  for (const char* id : {"lost", "earlier", "junk", "b4"}) {
    how.after_id = id;
    EXPECT_EQ(append(how, {{"5", "v"}}), "OK,9,1,GAP 4") << id;
  }
}

TEST_F(LogScripts, AppendWithNothingBeforeTakesAnySeq) {
  make_log();
  EXPECT_EQ(append(to_append(), {{"7", "x"}, {"9", "y"}}), "OK,3,1,2,3");
  EXPECT_EQ(ask({"HGET", "seq", "a"}), "9");
}

TEST_F(LogScripts, AppendUsesUpTheSeqOfAKnownClientId) {
  make_log();
  append(to_append("a"), {{"1", "x"}});
  EXPECT_EQ(append(to_append("b"), {{"1", "x"}, {"2", "y"}, {"3", "y"}}),
            "OK,3,1,DUPCLIENT 1-2,3,DUPCLIENT 1-3");
  EXPECT_EQ(ask({"HGET", "seq", "b"}), "3");
  EXPECT_EQ(ids(), "1-1,1-2,1-3");
}

// Acknowledged as a repetition, the second message would be lost without a word.
TEST_F(LogScripts, AppendRefusesAnotherMessageUnderAKnownClientId) {
  make_log();
  append(to_append("a"), {{"1", "x", "one"}});
  EXPECT_EQ(append(to_append("b"), {{"1", "x", "two"}, {"2", "y", "three"}}), "OK,3,1,CONFLICT,3");
  EXPECT_EQ(append(to_append("b"), {{"1", "x", "two"}}), "OK,3,1,CONFLICT")
      << "also when the answer was lost";
  EXPECT_EQ(append(to_append("b"), {{"3", "x", "one"}}), "OK,3,1,DUPCLIENT 1-2");
  EXPECT_EQ(ids(), "1-1,1-2,1-3");
}

// The entry went with a branch of the log; the key is still there.
TEST_F(LogScripts, AppendTakesAClientIdWhoseEntryWasLostAsNew) {
  make_log();
  append(to_append("a"), {{"1", "x"}, {"2", "y"}});
  redis({"XDEL", "log", "1-2"});
  EXPECT_EQ(append(to_append("b"), {{"1", "x"}, {"2", "x"}}), "OK,4,1,4,DUPCLIENT 1-4");
  EXPECT_EQ(ask({"HGET", "req", "x"}), "1-4");
}

// A log that nobody writes to stays as it is, however many beats pass.
TEST_F(LogScripts, BeatsTakeNoIndexAndTrimNothing) {
  make_log();
  append_words how = to_append();
  how.retained = "1";
  how.beat = "5 1-1 1";
  EXPECT_EQ(append(how, {{"1", "x"}}), "OK,2,1,2");
  for (int i = 0; i < 300; ++i) ASSERT_EQ(append(how, {}), "OK,2,1");
  EXPECT_EQ(ids(), "1-1,1-2");
  EXPECT_EQ(ask({"HMGET", "meta", "top", "floor", "beats"}), "2,1,301");
  EXPECT_EQ(ask({"XLEN", "beats"}), "256") << "the newest";
  EXPECT_EQ(ask({"XREVRANGE", "beats", "+", "-", "COUNT", "1"}), "[1-301,[o,a,i,2,t,5 1-1 1]]");
  EXPECT_EQ(ask({"HKEYS", "req"}), ",x") << "the empty one says that the key was not lost";
}

// Who waits behind the newest beat hears the next one, whatever happens to the stream.
TEST_F(LogScripts, BeatsGoOnCountingWhenTheirStreamIsLost) {
  make_log();
  append_words how = to_append();
  how.beat = "1 1-1 1";
  append(how, {});
  append(how, {});
  redis({"DEL", "beats"});
  EXPECT_EQ(append(how, {}), "OK,1,1");
  EXPECT_EQ(ask({"XRANGE", "beats", "-", "+"}), "[1-3,[o,a,i,1,t,1 1-1 1]]");
  redis({"XADD", "beats", "*", "hello", "world"});
  EXPECT_EQ(append(how, {}), "OK,1,1");
  EXPECT_EQ(ask({"XRANGE", "beats", "-", "+"}), "[1-4,[o,a,i,1,t,1 1-1 1]]");
  redis({"SET", "beats", "x"});
  EXPECT_EQ(append(how, {}), "OK,1,1");
  EXPECT_EQ(ask({"XRANGE", "beats", "-", "+"}), "[1-5,[o,a,i,1,t,1 1-1 1]]");
}

// Out of memory: messages make room by trimming, beats do not.
TEST_F(LogScripts, BeatsTakeNoRoomFromMessages) {
  make_log();
  std::vector<message> batch;
  for (int i = 1; i <= 200; ++i) batch.push_back({std::to_string(i), "id" + std::to_string(i)});
  ASSERT_TRUE(append(to_append(), batch).starts_with("OK,201,1,"));
  append_words how = to_append();
  how.beat = "1 1-1 1";
  redis({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(append(how, {}), "OK,201,1");
  EXPECT_EQ(ask({"XLEN", "log"}), "201");
  EXPECT_EQ(ask({"XLEN", "beats"}), "1");
  redis({"CONFIG", "SET", "maxmemory", "0"});
  redis({"XTRIM", "log", "MAXLEN", "=", "128"});
  redis({"HSET", "meta", "floor", "74"});
  redis({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(append(how, {}).find("OOM") != std::string::npos) << "nothing is left to make room";
}

TEST_F(LogScripts, AppendIsStaleUnlessTheLogIsTheOneAttachedTo) {
  EXPECT_EQ(append(to_append(), {{"1", "x"}}), "STALE") << "there is none";
  make_log();
  append_words how = to_append();
  how.life = "0123456789";
  EXPECT_EQ(append(how, {{"1", "x"}}), "STALE");
  how = to_append();
  how.epoch = "2";
  EXPECT_EQ(append(how, {{"1", "x"}}), "STALE");
  how = to_append();
  how.log_id = "log2";
  EXPECT_EQ(append(how, {{"1", "x"}}), "STALE");
  redis({"HSET", "meta", "state", "recovering"});
  EXPECT_EQ(append(to_append(), {{"1", "x"}}), "STALE");
  EXPECT_EQ(ids(), "1-1");
  EXPECT_EQ(ask({"HKEYS", "seq"}), "") << "nothing but the sign of the key itself";
}

TEST_F(LogScripts, AppendIsStaleWhenAKeyIsMissing) {
  for (const char* key : {"seq", "req", "log", "epochs", "meta"}) {
    redis({"FLUSHALL"});
    make_log();
    ASSERT_EQ(append(to_append(), {{"1", "x"}}), "OK,2,1,2");
    redis({"DEL", key});
    EXPECT_EQ(append(to_append(), {{"2", "y"}}), "STALE") << key;
    EXPECT_EQ(ask({"EXISTS", key}), "0") << "and it was not made anew: " << key;
  }
}

// Somebody tried XADD by hand, and removed the entry again.
TEST_F(LogScripts, AppendForgetsAHigherIdThatIsGone) {
  make_log();
  for (const char* id : {"9999999999999-0", "18446744073709551615-18446744073709551615"}) {
    redis({"XADD", "log", id, "hello", "world"});
    EXPECT_EQ(append(to_append(), {{"1", "x"}}), "STALE") << "it is still there";
    EXPECT_EQ(ask({"HGET", "meta", "top"}), "1");
    redis({"XDEL", "log", id});
  }
  EXPECT_EQ(append(to_append(), {{"1", "x"}, {"2", "y"}}), "OK,3,1,2,3");
  EXPECT_EQ(ids(), "1-1,1-2,1-3");
  redis({"XDEL", "log", "1-3"});
  redis({"XADD", "log", "1-4", "hello", "world"});
  redis({"XDEL", "log", "1-4"});
  EXPECT_EQ(append(to_append(), {{"3", "z"}}), "STALE") << "an entry of ours is missing, too";
}

class LogScriptsAof : public script_runner {
 protected:
  static redis_server_options kept() {
    redis_server_options options;
    options.keep = persistence::aof_always;
    return options;
  }
  LogScriptsAof() : script_runner(kept()) {}
};

// The meta key of before the restart says what the node believes: only the live server knows better.
TEST_F(LogScriptsAof, AppendIsStaleAfterARestartThatLostNothing) {
  make_log();
  const append_words before = to_append();
  ASSERT_EQ(append(before, {{"1", "x"}}), "OK,2,1,2");
  restart();
  ASSERT_EQ(ids(), "1-1,1-2");
  ASSERT_EQ(ask({"HGET", "meta", "incarnation"}), before.life);
  EXPECT_EQ(append(before, {{"2", "y"}}), "STALE");
  EXPECT_EQ(append(to_append(), {{"2", "y"}}), "STALE")
      << "and nobody has put the log in order yet";
  EXPECT_EQ(ids(), "1-1,1-2");
}

TEST_F(LogScripts, NumbersStayWholeAboveFourteenDigits) {
  make_log();
  redis({"XADD", "log", "1-9007199254740000", "k", "b", "o", "", "s", "0", "r", "", "c", "", "t",
         ""});
  redis({"XTRIM", "log", "MAXLEN", "=", "1"});
  redis({"HSET", "meta", "top", "9007199254740000", "floor", "9007199254740000"});
  redis({"HSET", "seq", "a", "123456789012345"});
  EXPECT_EQ(append(to_append(), {{"123456789012346", "x"}}),
            "OK,9007199254740001,9007199254740000,9007199254740001");
  EXPECT_EQ(ask({"HGET", "meta", "top"}), "9007199254740001");
  EXPECT_EQ(ask({"HGET", "seq", "a"}), "123456789012346");
  EXPECT_EQ(ask({"HGET", "req", "x"}), "1-9007199254740001");
}

TEST_F(LogScripts, TrimmingForgetsClientIdsAndRaisesTheFloor) {
  make_log();
  std::vector<message> batch;
  for (int i = 1; i <= 250; ++i) batch.push_back({std::to_string(i), "id" + std::to_string(i)});
  append_words how = to_append();
  how.retained = "100";
  EXPECT_TRUE(append(how, batch).starts_with("OK,251,152,"));
  EXPECT_EQ(ask({"HGET", "meta", "floor"}), "152");
  EXPECT_EQ(ask({"XLEN", "log"}), "100");
  EXPECT_EQ(ask({"HLEN", "req"}), "101");
  EXPECT_TRUE(ids().starts_with("1-152,"));
  // Entry 152 is message 151: remembered; message 150 is forgotten, so its id is new again.
  how.origin = "b";
  EXPECT_EQ(append(how, {{"1", "id151"}, {"2", "id150"}}), "OK,252,152,DUPCLIENT 1-152,252");
}

TEST_F(LogScripts, AttachTellsAllAndChangesNothing) {
  const words keys{"meta", "epochs", "seq", "req", "log", "recovery"};
  const auto attach = [&](std::string origin, std::string last) {
    return line(run(chat::scripts::attach, keys, {origin, last}).view());
  };
  EXPECT_EQ(attach("a", ""), "[-,-,-,-,-,-],0,0,[],[],[],[],");
  EXPECT_EQ(ask({"DBSIZE"}), "0");
  make_log();
  append(to_append(), {{"1", "x"}, {"2", "y"}});
  const std::string first = "[[1-1,[k,b,o,a,s,0,r,,c,,t,why]]]";
  const std::string tail = "[[1-3,[k,m,o,a,s,2,r,room,c,y,t,text]]]";
  EXPECT_EQ(attach("a", "1-2"), "[log1,1,open," + life() + ",3,1],4,2," + first + "," + tail +
                                    ",[[1-2,[k,m,o,a,s,1,r,room,c,x,t,text]]],[1,1,0,0],");
  EXPECT_EQ(attach("b", "1-9"),
            "[log1,1,open," + life() + ",3,1],4,0," + first + "," + tail + ",[],[1,1,0,0],");
  make_round();
  redis({"DEL", "req"});
  EXPECT_EQ(attach("b", ""), "[log1,1,recovering," + life() + ",3,1],3,0," + first + "," + tail +
                                 ",[],[1,1,0,0],a.1");
}

}  // namespace
}  // namespace ordeal::test
