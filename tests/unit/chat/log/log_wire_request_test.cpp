// Goal: each command becomes exactly the words that its script's header asks for. The words are read
// back out of the request's bytes.
#include <gtest/gtest.h>

#include "reference-server/log/log_wire.h"
#include "reference-server/log/scripts.h"
#include "tests/unit/chat/log/entries.h"
#include "tests/unit/chat/log/resp_text.h"

namespace ordeal::test {
namespace {

using namespace chat;
using words = std::vector<std::string>;

class LogWireRequests : public testing::Test {
 protected:
  // The commands of a request; the text of a script is shortened to its name.
  static std::vector<words> commands_in(const net::redis::request& what) {
    std::vector<words> result;
    std::string rest(what.bytes());
    for (std::size_t i = 0; i < what.size(); ++i) {
      const auto command = parse_reply(rest);
      words found;
      std::size_t length = std::to_string(command->size()).size() + 3;
      for (std::size_t j = 0; j < command->size(); ++j) {
        const std::string word(command.view()[j].text());
        length += std::to_string(word.size()).size() + word.size() + 5;
        found.push_back(name_of(word));
      }
      rest.erase(0, length);
      result.push_back(std::move(found));
    }
    EXPECT_EQ(rest, "");
    return result;
  }
  static std::string name_of(const std::string& word) {
    namespace s = chat::scripts;
    const std::pair<std::string_view, const char*> known[] = {
        {s::append, "<append>"},    {s::attach, "<attach>"}, {s::commit, "<commit>"},
        {s::convene, "<convene>"},  {s::report, "<report>"}, {s::restore, "<restore>"},
        {s::truncate, "<truncate>"}};
    for (const auto& [text, name] : known) {
      if (word == text) return name;
    }
    return word;
  }
  words only(const command& what) const {
    const auto found = commands_in(wire_.make(what));
    EXPECT_EQ(found.size(), 1U);
    return found.front();
  }
  static repair_claim claim() {
    repair_claim result;
    result.round = "a.1";
    result.incarnation = "life";
    result.reports = 3;
    return result;
  }

  log_wire wire_{"app", "me", 500};
};

TEST_F(LogWireRequests, AttachAsksForTheServerTheLogAndTheAppendScript) {
  const std::vector<words> expected{
      {"INFO", "server"},
      {"INFO", "replication"},
      {"INFO", "memory"},
      {"EVAL", "<attach>", "6", "{app}:meta", "{app}:epochs", "{app}:seq", "{app}:req", "{app}:log",
       "{app}:recovery", "me", "2-40"},
      {"SCRIPT", "LOAD", "<append>"}};
  EXPECT_EQ(commands_in(wire_.make(attach_command{position{2, 40}})), expected);
  EXPECT_EQ(commands_in(wire_.make(attach_command())).at(3).back(), "") << "nothing was read yet";
}

TEST_F(LogWireRequests, FactsAreTheSameWithoutTheScript) {
  const auto found = commands_in(wire_.facts());
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[3][1], "<attach>");
  EXPECT_EQ(found[3].back(), "");
}

TEST_F(LogWireRequests, AppendCarriesTheBeatFirst) {
  const std::string sha(40, 'a');
  const auto nothing = array({bulks({"l", "1", "open", "life", "1", "1"}), number(4), bulk("0"),
                              array({}), array({}), array({}), array({}), bulk("")});
  wire_.parse(attach_command(), replies({bulk(""), bulk(""), bulk(""), nothing, bulk(sha)}));
  append_command what;
  what.log = {"log1", 7, "life"};
  what.after_seq = 3;
  what.retained_bytes = 9'000;
  what.beat = "5 7-20 4";
  message_body body;
  body.room = "r";
  body.client_message_id = "c";
  body.text = std::string("a\0b", 3);
  what.messages.push_back({4, std::make_shared<const message_body>(body)});
  what.after_id = "c3";
  const words expected{"EVALSHA",     sha,           "7",         "{app}:meta",
                       "{app}:seq",   "{app}:req",   "{app}:log", "{app}:epochs",
                       "{app}:heard", "{app}:beats", "log1",      "7",
                       "life",        "me",          "500",       "9000",
                       "3",           "5 7-20 4",    "c3",        "m",
                       "4",           "r",           "c",         std::string("a\0b", 3)};
  EXPECT_EQ(commands_in(wire_.make(what)), (std::vector<words>{{"INFO", "memory"}, expected}));
  what.beat.clear();
  EXPECT_EQ(only(what).at(17), "") << "no beat";
}

TEST_F(LogWireRequests, ConveneComparesWhatWasFound) {
  convene_command what;
  what.log_id = "log1";
  what.epoch = "7";
  what.state = "open";
  what.incarnation = "life";
  what.old_round = "a.1";
  what.round = "me.2";
  EXPECT_EQ(only(what), (words{"EVAL", "<convene>", "3", "{app}:meta", "{app}:recovery",
                               "{app}:log", "log1", "7", "open", "life", "a.1", "me.2"}));
  convene_command empty;
  empty.round = "me.1";
  EXPECT_EQ(only(empty), (words{"EVAL", "<convene>", "3", "{app}:meta", "{app}:recovery",
                                "{app}:log", "", "", "", "", "", "me.1"}))
      << "no epoch is not epoch 0";
}

TEST_F(LogWireRequests, ReportLooksAtTheLogInTheSameTrip) {
  report_command what;
  what.last_read = position{2, 40};
  what.round = "a.1";
  what.report = "log1 2-40 12 - -";
  const auto found = commands_in(wire_.make(what));
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[3].back(), "2-40");
  EXPECT_EQ(found[4], (words{"EVAL", "<report>", "2", "{app}:meta", "{app}:recovery", "a.1", "me",
                             "log1 2-40 12 - -"}));
}

TEST_F(LogWireRequests, TruncateIsLimited) {
  truncate_command what;
  what.claim = claim();
  what.keep = {1, 10};
  EXPECT_EQ(only(what), (words{"EVAL", "<truncate>", "6", "{app}:meta", "{app}:recovery",
                               "{app}:log", "{app}:req", "{app}:epochs", "{app}:seq", "a.1", "me",
                               "life", "3", "1-10", "256"}));
}

TEST_F(LogWireRequests, RestoreKeepsEveryFieldOfAnEntry) {
  restore_command what;
  what.claim = claim();
  what.tail = {1, 10};
  what.entries = {make_message({1, 11}, "other", 4), make_beat({2, 12}, "other", "1 1-11 1"),
                  make_barrier({3, 13}, "winner")};
  EXPECT_EQ(only(what), (words{"EVAL",
                               "<restore>",
                               "6",
                               "{app}:meta",
                               "{app}:recovery",
                               "{app}:log",
                               "{app}:req",
                               "{app}:epochs",
                               "{app}:seq",
                               "a.1",
                               "me",
                               "life",
                               "3",
                               "1-10",
                               "1-11",
                               "m",
                               "other",
                               "4",
                               "room",
                               "other4",
                               "text",
                               "2-12",
                               "h",
                               "other",
                               "0",
                               "",
                               "",
                               "1 1-11 1",
                               "3-13",
                               "b",
                               "winner",
                               "0",
                               "",
                               "",
                               ""}));
}

TEST_F(LogWireRequests, CommitCarriesEpochsAndMarks) {
  commit_command what;
  what.claim = claim();
  what.tail = {1, 10};
  what.log_id = "log1";
  what.epoch = 2'000'005;
  what.barrier = "round=a.1";
  what.chain = make_chain({{1, 1}, {1'000'003, 6}});
  what.marks = {{"me", 9}, {"other", 4}};
  what.replaces_marks = true;
  EXPECT_EQ(only(what), (words{"EVAL",
                               "<commit>",
                               "6",
                               "{app}:meta",
                               "{app}:epochs",
                               "{app}:seq",
                               "{app}:req",
                               "{app}:log",
                               "{app}:recovery",
                               "a.1",
                               "me",
                               "life",
                               "3",
                               "1-10",
                               "log1",
                               "2000005",
                               "round=a.1",
                               "1",
                               "2",
                               "1",
                               "1",
                               "1000003",
                               "6",
                               "me",
                               "9",
                               "other",
                               "4"}));
  what.replaces_marks = false;
  EXPECT_EQ(only(what).at(17), "0");
}

TEST_F(LogWireRequests, ReadAndRangeEndWithTheMeta) {
  const words meta{"HMGET", "{app}:meta", "log_id", "state", "incarnation", "top", "floor"};
  const std::vector<words> read{{"XREAD", "COUNT", "512", "BLOCK", "250", "STREAMS", "{app}:log",
                                 "{app}:beats", "2-40", "2-9"},
                                meta};
  EXPECT_EQ(commands_in(wire_.read(read_command{{2, 40}, {2, 9}}, std::chrono::milliseconds(250))),
            read);
  const std::vector<words> range{{"XRANGE", "{app}:log", "(2-40", "3-50", "COUNT", "512"}, meta};
  EXPECT_EQ(commands_in(wire_.range({2, 40}, {3, 50})), range);
}

}  // namespace
}  // namespace ordeal::test
