// Goal: replies of Redis, given as RESP text, become answers; what is not ours is told apart from
// what is.
#include "reference-server/log/log_wire.h"

#include <gtest/gtest.h>

#include "reference-server/log/entry_codec.h"
#include "tests/unit/chat/log/entries.h"
#include "tests/unit/chat/log/resp_text.h"

namespace ordeal::test {
namespace {

using namespace chat;
using net::redis::reply_class;
using texts = std::vector<std::string>;

TEST(EntryCodec, ReadsAnEntry) {
  const auto reply = parse_reply(stream_entry("2-17", "m", "9"));
  const entry_ptr parsed = parse_entry(reply.view());
  ASSERT_NE(parsed, nullptr);
  EXPECT_EQ(parsed->at, (position{2, 17}));
  EXPECT_EQ(parsed->kind, entry_kind::message);
  EXPECT_EQ(parsed->origin, "origin");
  EXPECT_EQ(parsed->origin_seq, 9U);
  EXPECT_EQ(parsed->room, "room");
  EXPECT_EQ(parsed->client_message_id, "cid");
  EXPECT_EQ(parsed->text, "text");
}

TEST(EntryCodec, RefusesForeignEntries) {
  for (const std::string& text :
       {stream_entry("x", "m", "9"), stream_entry("1-1", "z", "9"), stream_entry("1-1", "m", "-9"),
        array({bulk("1-1"), array({bulk("field"), bulk("value")})}), bulk("1-1"),
        stream_entry("18446744073709551615-1", "m", "9"),
        stream_entry("1-18446744073709551615", "m", "9")}) {
    const auto reply = parse_reply(text);
    EXPECT_EQ(parse_entry(reply.view()), nullptr) << text;
  }
}

class LogWireReplies : public testing::Test {
 protected:
  answer parse(const command& asked, const texts& heard) {
    return wire_.parse(asked, replies(heard));
  }
  // The answer, which must be of this kind.
  template <class Answer>
  Answer understood(const command& asked, const texts& heard) {
    answer found = parse(asked, heard);
    if (const auto* error = std::get_if<wire_error>(&found))
      ADD_FAILURE() << "an error: " << error->text;
    const auto* result = std::get_if<Answer>(&found);
    EXPECT_NE(result, nullptr);
    return result != nullptr ? *result : Answer();
  }
  // What kind of error the answer is; ok: none.
  reply_class trouble(const command& asked, const texts& heard) {
    answer found = parse(asked, heard);
    const auto* error = std::get_if<wire_error>(&found);
    if (error != nullptr) {
      EXPECT_FALSE(error->text.empty());
    }
    return error != nullptr ? error->kind : reply_class::ok;
  }
  static append_command append_in_epoch(std::uint64_t epoch, std::string beat = "") {
    append_command result;
    result.log.epoch = epoch;
    result.beat = std::move(beat);
    return result;
  }
  static texts facts(const std::string& found) {
    return {bulk("run_id:run\r\n"), bulk("role:master\r\nmaster_replid:life\r\n"),
            bulk("maxmemory:0\r\n"), found};
  }
  static std::string open_log() {
    return array({bulks({"log1", "2", "open", "life", "20", "5"}), number(4), bulk("17"),
                  array({stream_entry("1-5", "m", "1")}), array({stream_entry("2-20", "m", "3")}),
                  array({}), bulks({"2", "11", "1", "1"}), bulk("")});
  }
  static std::string no_log() {
    const std::string nil = "$-1\r\n";
    return array({array({nil, nil, nil, nil, nil, nil}), number(0), bulk("0"), array({}), array({}),
                  array({}), array({}), bulk("")});
  }
  static texts with(texts heard, std::string last) {
    heard.push_back(std::move(last));
    return heard;
  }

  log_wire wire_{"chat", "me", 1'000};
};

TEST_F(LogWireReplies, AttachBecomesFacts) {
  const auto heard =
      understood<attach_answer>(attach_command(), with(facts(open_log()), bulk("sha")));
  EXPECT_EQ(heard.server.incarnation, "life");
  EXPECT_FALSE(heard.server.is_replica);
  EXPECT_TRUE(heard.log.has_meta);
  EXPECT_TRUE(heard.log.has_all_keys);
  EXPECT_EQ(heard.log.log_id, "log1");
  EXPECT_EQ(heard.log.epoch, 2U);
  EXPECT_EQ(heard.log.state, "open");
  EXPECT_EQ(heard.log.incarnation, "life");
  EXPECT_EQ(heard.log.top, 20U);
  EXPECT_EQ(heard.log.floor, 5U);
  EXPECT_EQ(heard.log.own_seq, 17U);
  ASSERT_NE(heard.log.first, nullptr);
  EXPECT_EQ(heard.log.first->at, (position{1, 5}));
  ASSERT_NE(heard.log.tail, nullptr);
  EXPECT_EQ(heard.log.tail->at, (position{2, 20}));
  EXPECT_EQ(heard.log.held, nullptr);
  EXPECT_EQ(heard.log.chain, make_chain({{1, 1}, {2, 11}}));
  EXPECT_EQ(heard.log.round, "");
}

TEST_F(LogWireReplies, AnEmptyRedisHasNoMeta) {
  const auto heard =
      understood<attach_answer>(attach_command(), with(facts(no_log()), bulk("sha")));
  EXPECT_FALSE(heard.log.has_meta);
  EXPECT_FALSE(heard.log.has_all_keys);
  EXPECT_EQ(heard.log.tail, nullptr);
  EXPECT_EQ(heard.log.first, nullptr);
  EXPECT_TRUE(heard.log.chain.empty());
  EXPECT_EQ(heard.log.own_seq, 0U);
}

TEST_F(LogWireReplies, ThreeOfFourKeysAreNotAll) {
  std::string found = open_log();
  found.replace(found.find(number(4)), 4, number(3));
  const auto heard = understood<attach_answer>(attach_command(), with(facts(found), bulk("sha")));
  EXPECT_TRUE(heard.log.has_meta);
  EXPECT_FALSE(heard.log.has_all_keys);
}

TEST_F(LogWireReplies, NumbersThatNoNodeWritesAreDamage) {
  const auto facts_of = [&](const std::string& epoch, const std::string& top,
                            const std::string& floor, const texts& epochs,
                            const std::string& seq = "17") {
    const std::string found =
        array({bulks({"log1", epoch, "open", "life", top, floor}), number(4), bulk(seq),
               array({stream_entry("1-5", "m", "1")}), array({stream_entry("2-20", "m", "3")}),
               array({}), bulks(epochs), bulk("")});
    return understood<attach_answer>(attach_command(), with(facts(found), bulk("sha"))).log;
  };
  const texts epochs{"2", "11", "1", "1", "0", "0"};
  const std::string huge = "18446744073709551615";
  EXPECT_FALSE(facts_of("2", "20", "5", epochs).is_damaged);
  for (const std::string& bad : {std::string("junk"), std::string("0"), std::string("-1"), huge}) {
    const log_facts log = facts_of(bad, "20", "5", epochs);
    EXPECT_TRUE(log.is_damaged) << bad;
    EXPECT_EQ(log.epoch, 0U);
    EXPECT_EQ(log.epoch_text, bad) << "a round is convened from what is there";
    EXPECT_TRUE(facts_of("2", bad, "5", epochs).is_damaged) << bad;
    EXPECT_TRUE(facts_of("2", "20", bad, epochs).is_damaged) << bad;
    EXPECT_TRUE(facts_of("2", "20", "5", {"2", bad, "1", "1"}).is_damaged) << bad;
  }
  EXPECT_TRUE(facts_of("2", "20", "5", {huge, "11"}).is_damaged);
  EXPECT_TRUE(facts_of("2", "20", "21", epochs).is_damaged) << "the floor is above the top";
  EXPECT_TRUE(facts_of("2", "20", "5", epochs, "junk").is_damaged);
}

TEST_F(LogWireReplies, AForeignEntryAtEitherEndIsTold) {
  const auto foreign = array({array({bulk("7-0"), bulks({"a", "b"})})});
  EXPECT_EQ(understood<attach_answer>(attach_command(), with(facts(open_log()), bulk("sha")))
                .log.foreign_id,
            "");
  for (const char* id : {"1-5", "2-20"}) {
    std::string found = open_log();
    const std::string ours = array({stream_entry(id, "m", id == std::string("1-5") ? "1" : "3")});
    found.replace(found.find(ours), ours.size(), foreign);
    const auto heard = understood<attach_answer>(attach_command(), with(facts(found), bulk("sha")));
    EXPECT_EQ(heard.log.foreign_id, "7-0") << id;
  }
}

TEST_F(LogWireReplies, AttachThatIsNotOneIsAnError) {
  for (const std::string& found : {array({}), number(1), bulk("OK"), array({number(1)}),
                                   array({bulks({"log1"}), number(4), bulk("0"), array({}),
                                          array({}), array({}), array({}), bulk("")})})
    EXPECT_EQ(trouble(attach_command(), with(facts(found), bulk("sha"))), reply_class::fatal)
        << found;
}

TEST_F(LogWireReplies, AnyErrorAmongThemIsTheAnswer) {
  for (std::size_t place = 0; place < 5; ++place) {
    texts heard = with(facts(open_log()), bulk("sha"));
    heard[place] = "-LOADING Redis is loading the dataset in memory\r\n";
    EXPECT_EQ(trouble(attach_command(), heard), reply_class::retryable) << place;
  }
}

TEST_F(LogWireReplies, AppendIsUnderstoodElementByElement) {
  const auto heard =
      understood<append_answer>(append_in_epoch(7, "beat"),
                                {array({bulk("OK"), number(30), number(4), number(7'000), number(2),
                                        number(30), bulk("DUP 1-7"), bulk("DUP "),
                                        bulk("DUPCLIENT 1-8"), bulk("CONFLICT"), bulk("GAP 12")})});
  EXPECT_FALSE(heard.is_stale);
  EXPECT_EQ(heard.top, 30U);
  EXPECT_EQ(heard.floor, 4U);
  EXPECT_EQ(heard.bytes, 7'000U);
  EXPECT_EQ(heard.trimmed_early, 2U);
  ASSERT_EQ(heard.entries.size(), 6U);
  EXPECT_EQ(heard.entries[0].at, (position{7, 30}));
  EXPECT_EQ(heard.entries[1].result, entry_result::used_before);
  EXPECT_EQ(heard.entries[1].at, (position{1, 7}));
  EXPECT_EQ(heard.entries[2].at, std::nullopt);
  EXPECT_EQ(heard.entries[3].result, entry_result::known_client_id);
  EXPECT_EQ(heard.entries[4].result, entry_result::conflict);
  EXPECT_EQ(heard.entries[5].result, entry_result::gap);
  EXPECT_EQ(heard.entries[5].last_seq, 12U);
}

TEST_F(LogWireReplies, AHeartbeatBringsWhatRedisMayUse) {
  const auto heard = understood<append_answer>(
      append_in_epoch(7, "beat"),
      {bulk("# Memory\r\nmaxmemory:7000\r\nmaxmemory_policy:allkeys-lru\r\n"),
       array({bulk("OK"), number(30), number(4), number(7), number(0)})});
  ASSERT_TRUE(heard.memory.has_value());
  EXPECT_EQ(heard.memory->maxmemory, 7'000U);
  EXPECT_EQ(heard.memory->policy, "allkeys-lru");
  EXPECT_EQ(trouble(append_in_epoch(7, "beat"), {bulk(""), "-OOM command not allowed\r\n"}),
            reply_class::retryable);
}

TEST_F(LogWireReplies, AppendWithoutABeatHasMessagesOnly) {
  const auto heard = understood<append_answer>(
      append_in_epoch(1),
      {array({bulk("OK"), number(9), number(1), number(7), number(0), number(9)})});
  ASSERT_EQ(heard.entries.size(), 1U);
  EXPECT_EQ(heard.entries[0].at, (position{1, 9}));
}

TEST_F(LogWireReplies, StaleIsAnAnswer) {
  EXPECT_TRUE(understood<append_answer>(append_in_epoch(1), {array({bulk("STALE")})}).is_stale);
  const auto reported =
      understood<report_answer>(report_command(), with(facts(open_log()), array({bulk("STALE")})));
  EXPECT_TRUE(reported.is_stale);
  EXPECT_EQ(reported.log.log_id, "log1") << "what is there is told all the same";
  for (const command& repair :
       {command(truncate_command()), command(restore_command()), command(commit_command())}) {
    const auto heard = understood<repair_answer>(repair, {bulk("STALE")});
    EXPECT_TRUE(heard.is_stale);
    EXPECT_FALSE(heard.is_complete);
  }
}

TEST_F(LogWireReplies, ErrorsAreToldApart) {
  const command asked = append_in_epoch(1);
  EXPECT_EQ(trouble(asked, {"-OOM command not allowed\r\n"}), reply_class::retryable);
  EXPECT_EQ(trouble(asked, {"-NOSCRIPT No matching script\r\n"}), reply_class::script_missing);
  EXPECT_EQ(trouble(asked, {"-READONLY You can't write\r\n"}), reply_class::read_only);
  EXPECT_EQ(trouble(asked, {"-NOAUTH Authentication required\r\n"}), reply_class::auth);
  EXPECT_EQ(trouble(asked, {"-WRONGTYPE Operation against a key\r\n"}), reply_class::fatal);
}

TEST_F(LogWireReplies, AppendThatIsNotOneIsAnError) {
  for (const std::string& reply :
       {array({}), number(1), bulk("OK"), array({bulk("OK")}), array({bulk("OK"), number(1)}),
        array({bulk("OK"), number(1), number(1), number(1), number(0), bulk("WHAT")}),
        array({bulk("OK"), number(1), number(1), number(1), number(0), bulk("GAP x")}),
        array({bulk("OK"), number(1), number(1), number(1), number(0), bulk("")})})
    EXPECT_EQ(trouble(append_in_epoch(1), {reply}), reply_class::fatal) << reply;
}

TEST_F(LogWireReplies, ConveneIsDoneOrNot) {
  EXPECT_TRUE(understood<convene_answer>(convene_command(), {number(1)}).is_done);
  EXPECT_FALSE(understood<convene_answer>(convene_command(), {number(0)}).is_done);
  EXPECT_EQ(trouble(convene_command(), {"-BUSY Redis is busy\r\n"}), reply_class::retryable);
}

TEST_F(LogWireReplies, ReportTellsTheRoundAndTheLog) {
  const auto heard = understood<report_answer>(
      report_command(),
      with(facts(no_log()), array({bulk("OK"), bulk("winner"), bulk("3"), bulk("a"),
                                   bulk("- 0-0 0 - -"), bulk("b"), bulk("log1 1-7 1 - -")})));
  EXPECT_FALSE(heard.is_stale);
  EXPECT_EQ(heard.server.incarnation, "life");
  EXPECT_FALSE(heard.log.has_meta);
  EXPECT_EQ(heard.owner, "winner");
  EXPECT_EQ(heard.progress, 3U);
  EXPECT_EQ(heard.reports,
            (std::map<std::string, std::string>{{"a", "- 0-0 0 - -"}, {"b", "log1 1-7 1 - -"}}));
}

TEST_F(LogWireReplies, ReportThatIsNotOneIsAnError) {
  for (const std::string& reply : {array({}), number(1), array({bulk("OK")}),
                                   array({bulk("OK"), bulk("")}), array({bulk("WHAT")})})
    EXPECT_EQ(trouble(report_command(), with(facts(no_log()), reply)), reply_class::fatal) << reply;
}

TEST_F(LogWireReplies, TruncateIsCompleteOrGoesOn) {
  EXPECT_TRUE(understood<repair_answer>(truncate_command(), {number(0)}).is_complete);
  EXPECT_FALSE(understood<repair_answer>(truncate_command(), {number(1)}).is_complete);
  EXPECT_EQ(trouble(restore_command(), {"-ERR The ID specified in XADD is too small\r\n"}),
            reply_class::fatal);
}

TEST(LogWire, ReadRepliesCarryEntriesOrNothing) {
  const std::string meta = bulks({"log1", "open", "life", "20", "5"});
  const log_wire wire("chat", "me", 500);
  const std::string stream =
      array({array({bulk("{chat}:log"),
                    array({stream_entry("1-1", "m", "1"), stream_entry("1-2", "h", "0")})})});
  const auto some = wire.parse_read(replies({stream, meta}));
  ASSERT_EQ(some.answer.entries.size(), 2U);
  EXPECT_EQ(some.answer.log_id, "log1");
  EXPECT_EQ(some.answer.state, "open");
  EXPECT_EQ(some.answer.incarnation, "life");
  EXPECT_EQ(some.answer.top, 20U);
  EXPECT_EQ(some.answer.floor, 5U);
  EXPECT_EQ(some.answer.entries[1]->kind, entry_kind::heartbeat);
  const auto none = wire.parse_read(replies({"*-1\r\n", meta}));
  EXPECT_FALSE(none.error.is_set());
  EXPECT_TRUE(none.answer.entries.empty());
}

TEST(LogWire, BeatsComeInAStreamOfTheirOwn) {
  const log_wire wire("chat", "me", 500);
  const std::string meta = bulks({"log1", "open", "life", "20", "5"});
  const std::string beats =
      array({bulk("{chat}:beats"),
             array({array({bulk("2-7"), bulks({"o", "other", "i", "20", "t", "4 2-20 1"})}),
                    array({bulk("9-9"), bulks({"hello", "world"})}), bulk("?"), number(3)})});
  const auto both = wire.parse_read(replies(
      {array({array({bulk("{chat}:log"), array({stream_entry("1-1", "m", "1")})}), beats}), meta}));
  EXPECT_EQ(both.answer.entries.size(), 1U);
  ASSERT_EQ(both.answer.beats.size(), 4U);
  EXPECT_EQ(both.answer.beats[0].at, (position{2, 7}));
  EXPECT_EQ(both.answer.beats[0].origin, "other");
  EXPECT_EQ(both.answer.beats[0].top, 20U);
  EXPECT_EQ(both.answer.beats[0].text, "4 2-20 1");
  EXPECT_EQ(both.answer.beats[1].at, (position{9, 9}));
  EXPECT_EQ(both.answer.beats[1].origin, "") << "what no node wrote stands for nothing";
  EXPECT_EQ(both.answer.beats[2].at, position());
  const auto one = wire.parse_read(replies({array({beats}), meta}));
  EXPECT_TRUE(one.answer.entries.empty());
  EXPECT_EQ(one.answer.beats.size(), 4U);
}

TEST(LogWire, EntriesEndBeforeTheFirstForeignOne) {
  const std::string meta = bulks({"log1", "open", "life", "20", "5"});
  const auto foreign = log_wire::parse_range(replies(
      {array({stream_entry("1-1", "m", "1"), bulk("?"), stream_entry("1-2", "m", "2")}), meta}));
  EXPECT_TRUE(foreign.answer.has_foreign_entry);
  EXPECT_EQ(foreign.answer.entries.size(), 1U);
}

TEST(LogWire, AnErrorOfAReadIsNoAnswer) {
  const std::string meta = bulks({"log1", "open", "life", "20", "5"});
  for (const texts& heard :
       {texts{"-WRONGTYPE not a stream\r\n", meta}, texts{"*-1\r\n", "-WRONGTYPE x\r\n"}}) {
    const auto found = log_wire("chat", "me", 500).parse_read(replies(heard));
    EXPECT_EQ(found.error.kind, reply_class::fatal);
    EXPECT_TRUE(found.answer.entries.empty());
  }
}

}  // namespace
}  // namespace ordeal::test
