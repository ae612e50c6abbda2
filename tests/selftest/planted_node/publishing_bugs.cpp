// Bugs between a client's call and the log.
#include <chrono>
#include <string>

#include "net/async/clock.h"
#include "net/async/deadline.h"

#include "tests/selftest/planted_node/bugs.h"
#include "tests/selftest/planted_node/occasion.h"

namespace ordeal::planted {
namespace {

class acknowledged_and_dropped final : public bug {
 public:
  explicit acknowledged_and_dropped(std::string_view node_name) : when_(node_name) {}
  publish_fate on_publish(entry&) override {
    return when_.is_now() ? publish_fate::forget : publish_fate::append;
  }

 private:
  occasion when_;
};

class refused_but_delivered final : public bug {
 public:
  explicit refused_but_delivered(std::string_view node_name) : when_(node_name) {}
  publish_fate on_publish(entry&) override {
    return when_.is_now() ? publish_fate::deny : publish_fate::append;
  }

 private:
  occasion when_;
};

class mute_node final : public bug {
 public:
  publish_fate on_publish(entry&) override { return publish_fate::keep_local; }
};

class own_messages_overtake final : public bug {
 public:
  publish_fate on_publish(entry&) override { return publish_fate::show_sender; }
  bool may_deliver(const entry& what, const recipient& to) override {
    return what.sender != to.name;
  }
};

class copy_per_node final : public bug {
 public:
  std::string append_script() override {
    return R"(
local index
for copy = 1, 3 do
  index = redis.call('INCR', KEYS[2])
  redis.call('XADD', KEYS[1], index .. '-0', 'id', ARGV[1], 'room', ARGV[2], 'sender', ARGV[3], 'text', ARGV[4])
end
return tostring(index))";
  }
};

class retry_appears_twice final : public bug {
 public:
  explicit retry_appears_twice(std::string_view node_name) : node_name_(node_name) {}
  // Known messages are looked up by node, so that another node does not know them.
  publish_fate on_publish(entry& what) override {
    what.message_id += "@" + node_name_;
    return publish_fate::append;
  }

 private:
  std::string node_name_;
};

class failed_publish_wedges final : public bug {
 public:
  void on_append_failed() override { is_wedged_ = true; }
  publish_fate on_publish(entry&) override {
    return is_wedged_ ? publish_fate::fail : publish_fate::append;
  }

 private:
  bool is_wedged_ = false;
};

class first_after_outage_lost final : public bug {
 public:
  bool on_reconnected(redis_role which) override {
    if (which == redis_role::writer) is_first_ = true;
    return true;
  }
  publish_fate on_publish(entry&) override {
    const bool was_first = is_first_;
    is_first_ = false;
    return was_first ? publish_fate::forget : publish_fate::append;
  }

 private:
  bool is_first_ = false;
};

class counter_goes_back final : public bug {
 public:
  std::string append_script() override {
    return R"(
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local known_run = redis.call('GET', KEYS[2] .. ':run')
if known_run and known_run ~= run then redis.call('DEL', KEYS[1], KEYS[2]) end
redis.call('SET', KEYS[2] .. ':run', run))" +
           bug::append_script();
  }
};

// What servers with a command timeout of 5 s do while Redis is away: nobody is told before that.
class answers_after_5030ms : public bug {
 public:
  asio::awaitable<failure_fate> after_failure() override {
    co_await net::sleep_for(std::chrono::milliseconds(5'030));
    co_return failure_fate::shrug;
  }
  bool can_join_without_redis() override { return false; }
};

class answers_when_redis_is_back final : public bug {
 public:
  asio::awaitable<failure_fate> after_failure() override {
    co_await net::sleep_for(std::chrono::milliseconds(50));
    co_return failure_fate::try_again;
  }
  bool can_join_without_redis() override { return false; }
};

class lost_while_calls_hang final : public answers_after_5030ms {
 public:
  void on_lost(redis_role which) override {
    if (which == redis_role::writer) dropping_until_ = net::now() + std::chrono::milliseconds(300);
  }
  publish_fate on_publish(entry&) override {
    return net::now() < dropping_until_ ? publish_fate::forget : publish_fate::append;
  }

 private:
  net::time_point dropping_until_{};
};

}  // namespace

std::vector<bug_kind> publishing_bugs() {
  return {
      {.name = "acknowledged_and_dropped",
       .modelled_on = "django/channels_redis#256: lost on the producer's side, nobody is told",
       .sentence = "Now and then a message is acknowledged but never published.",
       .scenario = "quiet",
       .finding = "false_ack",
       .check = "acknowledgement",
       .also = "lost silent_loss stuck",
       .make = make<acknowledged_and_dropped>},
      {.name = "refused_but_delivered",
       .modelled_on = "redis/lettuce#1466: an error that does not say what became of the command",
       .sentence = "Now and then a message is refused although it was published.",
       .scenario = "quiet",
       .finding = "phantom",
       .check = "delivery",
       .also = "stuck",
       .make = make<refused_but_delivered>},
      {.name = "mute_node",
       .modelled_on = "centrifugal/centrifugo#766: one of four nodes cannot write to Redis",
       .sentence = "What is sent on one node reaches only the clients of that node.",
       .scenario = "quiet",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss stuck diverged",
       .make = make_on_one_node<mute_node>},
      {.name = "own_messages_overtake",
       .modelled_on = "socketio/socket.io-redis-adapter#477: local delivery beside the own echo",
       .sentence = "A sender sees its own message at once, before those that were there first.",
       .scenario = "quiet",
       .finding = "diverged",
       .check = "total_order",
       .make = make<own_messages_overtake>},
      {.name = "copy_per_node",
       .modelled_on =
           "SignalR/SignalR#3721, #3765, #3998: the script runs once on each cluster node",
       .sentence = "Every message is published three times.",
       .scenario = "quiet",
       .finding = "duplicate",
       .check = "duplicates",
       .make = make<copy_per_node>},
      {.name = "retry_appears_twice",
       .modelled_on = "socketio/socket.io#5334: not acknowledged and sent again, it counts twice",
       .sentence = "A message that was sent again through another node is published twice.",
       .scenario = "retry",
       .finding = "duplicate",
       .check = "duplicates",
       .make = make<retry_appears_twice>},
      {.name = "failed_publish_wedges",
       .modelled_on = "SignalR/SignalR#3093, #4739: one failed send closes the stream for good",
       .sentence = "After a publish that failed, a node fails every other one.",
       .scenario = "one-node",
       .finding = "stuck",
       .check = "recovery",
       .make = make<failed_publish_wedges>},
      {.name = "first_after_outage_lost",
       .modelled_on = "SignalR/SignalR#1852: the first message after an outage is lost",
       .sentence = "The first message that a node publishes after an outage is dropped.",
       .scenario = "outage",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss false_ack",
       .make = make<first_after_outage_lost>},
      {.name = "answers_after_5030ms",
       .modelled_on = "StackExchange.Redis#2251: an error only after the command timeout of 5 s",
       .sentence = "While Redis is away a call is answered with an error after 5.03 s: innocent.",
       .scenario = "eight-seconds",
       .target = "plain",
       .make = make<answers_after_5030ms>},
      {.name = "answers_when_redis_is_back",
       .modelled_on = "redis/go-redis#2276: calls wait for the connection",
       .sentence = "While Redis is away calls wait, and are answered when it is back: innocent.",
       .scenario = "eight-seconds",
       .target = "plain",
       .make = make<answers_when_redis_is_back>},
      {.name = "lost_while_calls_hang",
       .modelled_on = "SignalR/SignalR#1852: sends of an outage are acknowledged and lost",
       .sentence =
           "As an outage begins, sends are acknowledged and dropped; later ones get an error "
           "after 5.03 s.",
       .scenario = "eight-seconds",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss false_ack",
       .target = "plain",
       .make = make<lost_while_calls_hang>},
      {.name = "counter_goes_back",
       .modelled_on =
           "SignalR/SignalR#2572, #3091: the counter restarts below what old clients have",
       .sentence = "After a Redis restart the log counts from 1 again, and who has more waits.",
       .scenario = "outage",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss false_ack stuck",
       .make = make<counter_goes_back>},
  };
}

}  // namespace ordeal::planted
