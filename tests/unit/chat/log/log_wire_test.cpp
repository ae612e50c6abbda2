// Goal: replies of Redis, given as RESP text, become facts; what is not ours is told apart from
// what is.
#include "reference-server/log/log_wire.h"

#include <gtest/gtest.h>

#include "reference-server/log/entry_codec.h"
#include "tests/unit/redis/parse.h"

namespace ordeal::chat {
namespace {

using test::parse_reply;

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}
std::string array(const std::vector<std::string>& elements) {
  std::string result = "*" + std::to_string(elements.size()) + "\r\n";
  for (const std::string& each : elements) result += each;
  return result;
}
std::string stream_entry(std::string_view id, std::string_view kind, std::string_view seq) {
  std::vector<std::string> fields;
  for (const std::string_view each :
       {std::string_view("k"), kind, std::string_view("o"), std::string_view("origin"),
        std::string_view("s"), seq, std::string_view("r"), std::string_view("room"),
        std::string_view("c"), std::string_view("cid"), std::string_view("t"),
        std::string_view("text")}) {
    fields.push_back(bulk(each));
  }
  return array({bulk(id), array(fields)});
}
std::vector<net::redis::reply> replies(const std::vector<std::string>& texts) {
  std::vector<net::redis::reply> result;
  for (const std::string& each : texts) result.push_back(parse_reply(each));
  return result;
}

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
        array({bulk("1-1"), array({bulk("field"), bulk("value")})}), bulk("1-1")}) {
    const auto reply = parse_reply(text);
    EXPECT_EQ(parse_entry(reply.view()), nullptr) << text;
  }
}

TEST(LogWire, AppendRepliesAreUnderstood) {
  const auto reply =
      parse_reply(array({bulk("OK"), ":30\r\n", ":4\r\n", ":29\r\n", ":30\r\n", bulk("DUP 1-7"),
                         bulk("DUP "), bulk("DUPCLIENT 1-8"), bulk("CONFLICT"), bulk("GAP 12")}));
  const append_answer answer = log_wire::parse_append(reply.view(), 1, true);
  ASSERT_FALSE(answer.error.is_set()) << answer.error.text;
  EXPECT_EQ(answer.top, (position{1, 30}));
  EXPECT_EQ(answer.floor, 4U);
  ASSERT_EQ(answer.entries.size(), 6U) << "the heartbeat's result is not a message's";
  EXPECT_EQ(answer.entries[0].at, (position{1, 30}));
  EXPECT_EQ(answer.entries[1].result, entry_result::used_before);
  EXPECT_EQ(answer.entries[1].at, (position{1, 7}));
  EXPECT_EQ(answer.entries[2].at, std::nullopt);
  EXPECT_EQ(answer.entries[3].result, entry_result::known_client_id);
  EXPECT_EQ(answer.entries[4].result, entry_result::conflict);
  EXPECT_EQ(answer.entries[5].result, entry_result::gap);
  EXPECT_EQ(answer.entries[5].last_seq, 12U);
}

TEST(LogWire, StaleAndErrorsAreToldApart) {
  const auto stale = parse_reply(array({bulk("STALE")}));
  EXPECT_TRUE(log_wire::parse_append(stale.view(), 1, false).is_stale);
  const auto full = parse_reply("-OOM command not allowed\r\n");
  EXPECT_EQ(log_wire::parse_append(full.view(), 1, false).error.kind,
            net::redis::reply_class::retryable);
  const auto odd = parse_reply(array({bulk("OK"), ":1\r\n", ":1\r\n", bulk("WHAT")}));
  EXPECT_EQ(log_wire::parse_append(odd.view(), 1, false).error.kind,
            net::redis::reply_class::fatal);
}

TEST(LogWire, AttachRepliesBecomeFacts) {
  const std::string meta =
      array({bulk("log1"), bulk("1"), bulk("open"), bulk("run/repl"), bulk("20"), bulk("5")});
  const std::string found =
      array({meta, ":4\r\n", bulk("17"), array({stream_entry("1-20", "m", "3")}), array({})});
  const auto answer = log_wire::parse_attach(
      replies({bulk("run_id:run\r\n"), bulk("role:master\r\nmaster_replid:repl\r\n"),
               bulk("maxmemory:0\r\n"), found, bulk("sha")}));
  ASSERT_FALSE(answer.error.is_set()) << answer.error.text;
  EXPECT_EQ(answer.server.incarnation, "run/repl");
  EXPECT_TRUE(answer.log.has_meta);
  EXPECT_EQ(answer.log.log_id, "log1");
  EXPECT_EQ(answer.log.top, (position{1, 20}));
  EXPECT_EQ(answer.log.floor, 5U);
  EXPECT_EQ(answer.log.own_seq, 17U);
  ASSERT_NE(answer.log.tail, nullptr);
  EXPECT_EQ(answer.log.tail->at.index, 20U);
  EXPECT_EQ(answer.log.held, nullptr);
  EXPECT_EQ(answer.append_sha, "sha");
}

TEST(LogWire, AnEmptyRedisHasNoMeta) {
  const std::string found =
      array({array({"$-1\r\n", "$-1\r\n", "$-1\r\n", "$-1\r\n", "$-1\r\n", "$-1\r\n"}), ":0\r\n",
             bulk("0"), array({}), array({})});
  const auto answer =
      log_wire::parse_attach(replies({bulk(""), bulk(""), bulk(""), found, bulk("sha")}));
  EXPECT_FALSE(answer.error.is_set());
  EXPECT_FALSE(answer.log.has_meta);
  EXPECT_FALSE(answer.log.has_other_keys);
}

TEST(LogWire, ReadRepliesCarryEntriesOrNothing) {
  const std::string meta = array({bulk("log1"), bulk("20"), bulk("5")});
  const std::string stream =
      array({array({bulk("{chat}:log"),
                    array({stream_entry("1-1", "m", "1"), stream_entry("1-2", "h", "0")})})});
  const auto some = log_wire::parse_read(replies({stream, meta}));
  ASSERT_EQ(some.entries.size(), 2U);
  EXPECT_EQ(some.log_id, "log1");
  EXPECT_EQ(some.entries[1]->kind, entry_kind::heartbeat);
  const auto none = log_wire::parse_read(replies({"*-1\r\n", meta}));
  EXPECT_FALSE(none.error.is_set());
  EXPECT_TRUE(none.entries.empty());
  const auto foreign =
      log_wire::parse_range(replies({array({stream_entry("1-1", "m", "1"), bulk("?")}), meta}));
  EXPECT_TRUE(foreign.has_foreign_entry);
  EXPECT_EQ(foreign.entries.size(), 1U);
}

TEST(LogWire, KeysShareOneHashTag) {
  const log_wire wire("app", "origin", 10);
  const auto what = wire.meta();
  EXPECT_NE(what.bytes().find("{app}:meta"), std::string_view::npos);
}

}  // namespace
}  // namespace ordeal::chat
