// Bugs of joining and of coming back with a cursor.
#include <algorithm>
#include <map>

#include "net/async/clock.h"
#include "tests/selftest/planted_node/bugs.h"

namespace ordeal::planted {
namespace {

constexpr std::chrono::milliseconds subscribing_time(1'000);
constexpr std::size_t kept_count = 1;

class handover_loses_one final : public bug {
 public:
  void on_replay(std::vector<entry>& missed) override {
    if (!missed.empty()) missed.pop_back();
  }
};

class resume_off_by_one final : public bug {
 public:
  void on_replay(std::vector<entry>& missed) override {
    if (!missed.empty()) missed.erase(missed.begin());
  }
};

class resume_repeats_last final : public bug {
 public:
  log_index replay_from(log_index cursor) override { return cursor; }
};

class stale_after_reconnect final : public bug {
 public:
  log_index replay_from(log_index) override { return 1; }
};

class second_idle_resume_repeats final : public bug {
 public:
  bool has_replay_cursors() override { return false; }
};

class resume_hides_a_gap final : public bug {
 public:
  void on_replay(std::vector<entry>& missed) override {
    const std::size_t trimmed = missed.size() - std::min(missed.size(), kept_count);
    missed.erase(missed.begin(), missed.begin() + static_cast<std::ptrdiff_t>(trimmed));
  }
};

class joined_too_early final : public bug {
 public:
  void on_join(client_number client) override {
    in_effect_at_[client] = net::now() + subscribing_time;
  }
  bool may_deliver(const entry&, const recipient& to) override {
    return net::now() >= in_effect_at_[to.number];
  }

 private:
  std::map<client_number, net::time_point> in_effect_at_;
};

class joins_take_long final : public bug {
 public:
  asio::awaitable<void> before_join() override {
    co_await net::sleep_for(std::chrono::milliseconds(300));
  }
};

}  // namespace

std::vector<bug_kind> resume_bugs() {
  return {
      {.name = "handover_loses_one",
       .modelled_on = "upstash/realtime#23: a live event is lost during the replay",
       .sentence = "Between replay and live delivery one message is left out.",
       .scenario = "reconnect",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss",
       .make = make<handover_loses_one>},
      {.name = "resume_off_by_one",
       .modelled_on = "dotnet/aspnetcore#55575: what came through Redis was not counted",
       .sentence = "The replay begins after the first message that the client missed.",
       .scenario = "reconnect",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss",
       .make = make<resume_off_by_one>},
      {.name = "resume_repeats_last",
       .modelled_on = "Azure/azure-functions-redis-extension#126: where reading goes on is guessed",
       .sentence = "The replay begins with the last message the client has.",
       .scenario = "reconnect",
       .finding = "duplicate",
       .check = "duplicates",
       .make = make<resume_repeats_last>},
      {.name = "stale_after_reconnect",
       .modelled_on =
           "socketio/socket.io-redis-streams-adapter#7: hour-old messages after a reconnect",
       .sentence = "A client that comes back gets everything from the beginning.",
       .scenario = "reconnect",
       .finding = "duplicate",
       .check = "duplicates",
       .make = make<stale_after_reconnect>},
      {.name = "second_idle_resume_repeats",
       .modelled_on =
           "socketio/socket.io-redis-streams-adapter#39: replayed packets carry no offset",
       .sentence = "Replayed messages carry no cursor: a second resume repeats them.",
       .scenario = "idle-resume",
       .finding = "duplicate",
       .check = "duplicates",
       .make = make<second_idle_resume_repeats>},
      {.name = "resume_hides_a_gap",
       .modelled_on = "centrifugal/centrifugo#664: \"recovered\" although some is gone",
       .sentence = "A resume brings the last message and does not tell that there were more.",
       .scenario = "reconnect",
       .finding = "silent_loss",
       .check = "honesty",
       .also = "lost",
       .make = make<resume_hides_a_gap>},
      {.name = "joined_too_early",
       .modelled_on =
           "Dallinger/Dallinger#9874: a publish overtakes the subscription's confirmation",
       .sentence = "A join is confirmed one second before it takes effect.",
       .scenario = "quiet",
       .finding = "lost",
       .check = "delivery",
       .also = "silent_loss false_ack",
       .make = make<joined_too_early>},
      {.name = "joins_take_long",
       .modelled_on =
           "dotnet/aspnetcore SignalR without resuming: negotiate, connect and join anew",
       .sentence =
           "A join takes 300 ms, so clients of a restarted node are away for that long: innocent.",
       .scenario = "rolling",
       .target = "plain",
       .make = make<joins_take_long>},
  };
}

}  // namespace ordeal::planted
