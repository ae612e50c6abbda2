// The ACL line of README.md is enough for everything a node does, and nothing in it is superfluous.
// Method: apply that very line to a real Redis whose default user may not log in, drive append,
// trimming, loss of everything, loss of the end and resume through it, and compare what Redis
// counted with what the line grants.
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "net/async/task_group.h"
#include "net/redis/connection.h"
#include "tests/integration/chat/hub/hub_client.h"
#include "tests/integration/chat/operations/documents.h"
#include "tests/integration/chat/operations/operations.h"
#include "tests/support/run_coro.h"

namespace ordeal::test {
namespace {

constexpr const char* user_password = "m4rker-of-the-user";

std::vector<std::string> acl_line() {
  const std::string line = line_starting_with(document("README.md"), "ACL SETUSER chat ");
  return words_of(replaced(line, ">PASSWORD", std::string(">") + user_password));
}

// "+script|load" as "script|load".
std::set<std::string> granted() {
  std::set<std::string> commands;
  for (const std::string& word : acl_line()) {
    if (word.starts_with('+')) commands.insert(word.substr(1));
  }
  return commands;
}

// The default user is off from the beginning; the test itself is `admin`.
class Acl : public Operations {
 protected:
  void SetUp() override {
    redis_does({"ACL", "SETUSER", "admin", "on", ">m4rker-admin", "~*", "&*", "+@all"});
    const auto line = acl_line();
    ASSERT_FALSE(line.empty()) << "README.md has no such line";
    admin(line);
    admin({"ACL", "SETUSER", "default", "off"});
    std::ofstream(password_file) << user_password << "\n";
  }

  // Runs it as admin; error replies fail the test.
  std::string admin(const std::vector<std::string>& words) {
    std::string answer;
    run_coro(io, run_as_admin(words, answer));
    return answer;
  }

  chat_process& start_limited(std::vector<std::string> flags = {}) {
    auto wanted = node_options();
    wanted.redis_user = "chat";
    wanted.password_file = password_file;
    wanted.flags.insert(wanted.flags.end(), flags.begin(), flags.end());
    return start_node(std::move(wanted));
  }

  void end(chat_process& node) {
    node.program().signal(SIGKILL);
    node.program().wait(seconds(5));
  }

  asio::awaitable<void> run_as_admin(std::vector<std::string> words, std::string& answer);
  asio::awaitable<void> publish(chat_process& node, std::string name, int count);
  asio::awaitable<void> resume(chat_process& node);
  std::set<std::string> used();
};

asio::awaitable<void> Acl::run_as_admin(std::vector<std::string> words, std::string& answer) {
  auto options = redis.connection();
  options.auth.user = "admin";
  options.auth.password = "m4rker-admin";
  auto opened = co_await net::redis::connect(std::move(options));
  EXPECT_FALSE(opened.ec) << opened.detail;
  if (opened.ec) co_return;
  std::vector<std::string_view> views(words.begin(), words.end());
  net::redis::request what;
  const std::span<const std::string_view> all(views);
  what.add(all);
  const milliseconds limit(5'000);
  const auto result = co_await opened.opened->exec(what, limit);
  EXPECT_FALSE(result.ec) << result.ec.message();
  if (result.ec) co_return;
  const auto reply = result.replies.front().view();
  EXPECT_FALSE(reply.is_error()) << words.front() << ": " << reply.text();
  answer = reply.text();
}

asio::awaitable<void> Acl::publish(chat_process& node, std::string name, int count) {
  hub_client client(ex);
  const bool is_open = co_await client.open(node.endpoint());
  EXPECT_TRUE(is_open);
  for (int i = 0; i < count; ++i) {
    const std::string id = name + std::to_string(i);
    const auto answer = co_await client.send("a", id, id);
    EXPECT_EQ(answer.front(), '=') << answer;
  }
  co_await client.close();
}

// From a cursor that lies further back than the node's memory: it asks Redis.
asio::awaitable<void> Acl::resume(chat_process& node) {
  hub_client client(ex);
  co_await client.open(node.endpoint());
  const auto joined = co_await client.join("b", std::nullopt);
  EXPECT_EQ(joined.front(), '=') << joined;
  const auto first = co_await client.send("b", "first", "first");
  EXPECT_EQ(first.front(), '=') << first;
  co_await client.close();
  co_await publish(node, "between", 30);
  co_await client.open(node.endpoint());
  const auto resumed = co_await client.join("b", joined.substr(1));
  EXPECT_EQ(resumed, joined);
  std::function<bool()> has_it = [&client] { return !client.messages.empty(); };
  const bool got_it = co_await becomes_true(has_it);
  EXPECT_TRUE(got_it);
  EXPECT_EQ(client.resets, std::vector<std::string>{});
  co_await client.close();
}

// By INFO commandstats: "cmdstat_script|load:calls=3,...". Denied calls count as rejected_calls only.
std::set<std::string> Acl::used() {
  std::set<std::string> commands;
  std::istringstream lines(admin({"INFO", "commandstats"}));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("cmdstat_") || line.find(":calls=0,") != std::string::npos) continue;
    commands.insert(line.substr(8, line.find(':') - 8));
  }
  // The test's own, and AUTH and HELLO, which everybody may call.
  for (const char* own :
       {"auth", "hello", "config|resetstat", "flushall", "acl|setuser", "script|flush"})
    commands.erase(own);
  return commands;
}

// The end of the stream becomes that of another epoch of the same term, as if Redis had been rolled
// back and others had gone on from there. KEYS: log, meta, epochs.
constexpr const char* change_the_end = R"(
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 3)
local epoch, index = string.match(last[2][1], '^(%d+)-(%d+)$')
local other = string.format('%.0f', tonumber(epoch) + 1)
redis.call('XDEL', KEYS[1], last[1][1], last[2][1])
redis.call('XSETID', KEYS[1], last[3][1])
redis.call('XADD', KEYS[1], other .. '-' .. index, 'k', 'b', 'o', 'x', 's', '0', 'r', '', 'c', '', 't', 'x')
redis.call('HSET', KEYS[2], 'epoch', other, 'top', index, 'incarnation', 'another')
redis.call('HSET', KEYS[3], other, index)
return 1)";

const std::vector<std::string> end_lost{"EVAL",       change_the_end, "3",
                                        "{chat}:log", "{chat}:meta",  "{chat}:epochs"};

TEST_F(Acl, TheLineOfTheReadmeIsEnoughAndMinimal) {
  admin({"CONFIG", "RESETSTAT"});
  chat_process& node = start_limited({"--retained-entries", "100", "--replay-entries", "20"});
  ASSERT_TRUE(is_ready(node));
  run_coro(io, publish(node, "append", 400), seconds(60));  // beyond the retention: trimmed
  run_coro(io, resume(node), seconds(60));
  // Everything is gone, the scripts as well.
  admin({"FLUSHALL"});
  admin({"SCRIPT", "FLUSH"});
  run_coro(io, publish(node, "after-loss", 5), seconds(60));
  ASSERT_TRUE(is_ready(node));
  EXPECT_GE(metric(node, "ordeal_chat_log_repairs_total"), 1);
  // So far the test itself has used nothing that a node uses, but INFO.
  const auto by_node = used();
  const double repairs = metric(node, "ordeal_chat_log_repairs_total");
  admin(end_lost);
  const auto is_repaired = [&] { return metric(node, "ordeal_chat_log_repairs_total") > repairs; };
  EXPECT_TRUE(until(is_repaired)) << node.log();
  ASSERT_TRUE(is_ready(node));
  run_coro(io, publish(node, "after-repair", 5), seconds(60));

  std::set<std::string> expected = by_node;
  expected.insert({"xdel", "xsetid"});  // of that repair: the test has used them, too; see below
  EXPECT_EQ(granted(), expected);
}

constexpr const char* remedy = "README.md has the ACL line that a node needs";

// Commands that a start on an empty Redis does not need. PING and CLIENT SETNAME are asked for and
// may be denied.
const std::set<std::string> needed_later{"ping",    "client|setname", "hdel", "xlen",  "xtrim",
                                         "hincrby", "hsetnx",         "xdel", "xsetid"};

// Method, here and below: one command of the line is taken away, and the node says that it misses it.
TEST_F(Acl, WithoutACommandOfTheLineNoNodeGetsReady) {
  for (const std::string& command : granted()) {
    if (needed_later.contains(command)) continue;
    admin({"FLUSHALL"});
    admin(acl_line());
    admin({"ACL", "SETUSER", "chat", "-" + command});
    chat_process& node = start_limited();
    EXPECT_TRUE(is_unready(node, remedy)) << command;
    end(node);
  }
}

TEST_F(Acl, WithoutACommandOfTheLineNothingIsRepaired) {
  const std::vector<std::string> everything_lost{"FLUSHALL"};
  const std::map<std::string, std::vector<std::string>> disasters{{"hincrby", everything_lost},
                                                                  {"hsetnx", everything_lost},
                                                                  {"xdel", end_lost},
                                                                  {"xsetid", end_lost}};
  for (const auto& [command, disaster] : disasters) {
    admin({"FLUSHALL"});
    admin(acl_line());
    chat_process& node = start_limited();
    ASSERT_TRUE(is_ready(node));
    run_coro(io, publish(node, "append", 10), seconds(60));
    admin({"ACL", "SETUSER", "chat", "-" + command});
    admin(disaster);
    EXPECT_TRUE(is_unready(node, remedy)) << command;
    admin(acl_line());
    EXPECT_TRUE(is_ready(node)) << command;
    end(node);
  }
}

// Method: a second node keeps less than there is.
TEST_F(Acl, WithoutACommandOfTheLineNothingIsTrimmed) {
  chat_process& first = start_limited();
  ASSERT_TRUE(is_ready(first));
  run_coro(io, publish(first, "append", 200), seconds(60));
  end(first);
  for (const std::string command : {"hdel", "xlen", "xtrim"}) {
    admin(acl_line());
    admin({"ACL", "SETUSER", "chat", "-" + command});
    chat_process& node = start_limited({"--retained-entries", "10"});
    EXPECT_TRUE(is_unready(node, remedy)) << command;
    end(node);
  }
}

TEST_F(Acl, TheUserSeesNothingBeyondItsPrefix) {
  admin({"SET", "other", "secret"});
  const std::string rights = admin({"ACL", "DRYRUN", "chat", "HGET", "other:meta", "top"});
  EXPECT_NE(rights.find("no permissions to access"), std::string::npos) << rights;
  EXPECT_EQ(admin({"ACL", "DRYRUN", "chat", "HGET", "{chat}:meta", "top"}), "OK");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"FLUSHALL"}, {"KEYS", "*"}, {"CONFIG", "GET", "*"}}) {
    std::vector<std::string> asked{"ACL", "DRYRUN", "chat"};
    asked.insert(asked.end(), words.begin(), words.end());
    EXPECT_NE(admin(asked), "OK") << words.front();
  }
}

}  // namespace
}  // namespace ordeal::test
