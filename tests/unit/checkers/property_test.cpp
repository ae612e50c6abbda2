// Thousands of random histories - loss, duplication, reordering, members that come and go, unknown
// sends - judged twice: by the checkers, and by an oracle that keeps everything in sets and looks
// at all of it.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "net/async/random.h"
#include "tests/unit/checkers/history_builder.h"

namespace ordeal::harness {
namespace {

// What the checkers must say, the slow way.
class oracle {
 public:
  oracle(std::size_t clients, bool can_resume, bool has_sender_order)
      : can_resume_(can_resume), has_sender_order_(has_sender_order), members_(clients) {}

  void asked(std::size_t c, bool is_resume) {
    if (members_[c].is_live && !is_resume) end_claim(c);
    members_[c].is_joining = true;
  }
  void joined(std::size_t c) {
    members_[c].is_joining = false;
    members_[c].is_live = true;
  }
  void left(std::size_t c) {
    if (members_[c].is_live) end_claim(c);
    members_[c].is_joining = false;
  }
  void reset(std::size_t c) {
    if (!members_[c].is_live) return;
    end_claim(c);
    members_[c].is_live = !members_[c].is_joining;
  }
  void disconnected(std::size_t c) {
    members_[c].is_joining = false;
    if (members_[c].is_live && !can_resume_) end_claim(c);
  }
  void sent(const message_id& id) {
    message& added = messages_[id];
    for (std::size_t c = 0; c < members_.size(); ++c) {
      if (members_[c].is_live) added.must.insert(c);
    }
  }
  void settled(const message_id& id, outcome result) { messages_[id].result = result; }
  void got(std::size_t c, const message_id& id) {
    ++arrivals;
    auto& seen = members_[c].seen;
    if (seen.count(id) != 0) {
      ++duplicates;
      return;
    }
    for (const message_id& other : seen) {
      if (other.sender == id.sender && other.seq > id.seq) {
        ++reordered;
        break;
      }
    }
    seen.insert(id);
    members_[c].line.push_back(id);
    messages_[id].got.insert(c);
  }

  std::uint64_t lost() const {
    std::uint64_t sum = 0;
    for (const auto& [id, m] : messages_) {
      if (m.result == outcome::ok) sum += missing(m);
    }
    return sum;
  }
  std::uint64_t obligations() const {
    std::uint64_t sum = 0;
    for (const auto& [id, m] : messages_) {
      if (m.result == outcome::ok) sum += m.must.size();
    }
    return sum;
  }
  std::uint64_t open() const {
    std::uint64_t sum = lost();
    for (const auto& [id, m] : messages_) sum += m.result ? 0U : 1U;
    return sum;
  }
  std::uint64_t refused_but_delivered() const {
    std::uint64_t sum = 0;
    for (const auto& [id, m] : messages_)
      sum += m.result == outcome::fail && !m.got.empty() ? 1U : 0U;
    return sum;
  }
  std::uint64_t false_acks() const {
    std::uint64_t sum = 0;
    for (const auto& [id, m] : messages_) {
      sum += m.result == outcome::ok && m.got.empty() && !m.must.empty() ? 1U : 0U;
    }
    return sum;
  }
  // Is there a line of all messages that each client's sequence is a part of?
  bool has_one_order() const {
    std::map<message_id, std::set<message_id>> after;
    std::map<message_id, std::size_t> before_count;
    for (const member& each : members_) {
      for (std::size_t i = 0; i < each.line.size(); ++i) {
        before_count[each.line[i]];
        if (i > 0 && after[each.line[i - 1]].insert(each.line[i]).second)
          ++before_count[each.line[i]];
      }
    }
    std::vector<message_id> free;
    for (const auto& [id, count] : before_count) {
      if (count == 0) free.push_back(id);
    }
    std::size_t placed = 0;
    while (!free.empty()) {
      const message_id id = free.back();
      free.pop_back();
      ++placed;
      for (const message_id& next : after[id]) {
        if (--before_count[next] == 0) free.push_back(next);
      }
    }
    return placed == before_count.size();
  }

  std::uint64_t arrivals = 0, duplicates = 0, reordered = 0;

 private:
  struct message {
    std::set<std::size_t> must, got;
    std::optional<outcome> result;
  };
  struct member {
    bool is_live = false, is_joining = false;
    std::set<message_id> seen;
    std::vector<message_id> line;
  };

  static std::uint64_t missing(const message& m) {
    std::uint64_t sum = 0;
    for (const std::size_t c : m.must) sum += m.got.count(c) == 0 ? 1U : 0U;
    return sum;
  }

  void end_claim(std::size_t c) {
    members_[c].is_live = false;
    for (auto& [id, m] : messages_) {
      if (m.must.count(c) == 0 || m.got.count(c) != 0) continue;
      bool is_overtaken = false;
      for (const message_id& other : members_[c].seen) {
        is_overtaken = is_overtaken || (other.sender == id.sender && other.seq > id.seq);
      }
      // An earlier claim's end may have kept it already.
      if (kept_.count({c, id}) != 0) continue;
      if (has_sender_order_ && is_overtaken) {
        kept_.insert({c, id});
      } else {
        m.must.erase(c);
      }
    }
  }

  bool can_resume_, has_sender_order_;
  std::vector<member> members_;
  std::map<message_id, message> messages_;
  std::set<std::pair<std::size_t, message_id>> kept_;
};

// Plays one random history to both.
class random_run {
 public:
  explicit random_run(std::uint64_t seed)
      : random_(seed, "history"),
        clients_(2 + random_.below(4)),
        can_resume_(random_.below(2) == 0),
        has_sender_order_(random_.below(4) != 0),
        loss_(random_.below(3) * 5),
        disorder_(random_.below(3) * 10),
        churn_(random_.below(3) * 3),
        history_(make_plan_for()),
        oracle_(clients_, can_resume_, has_sender_order_),
        state_(clients_),
        inbox_(clients_) {}

  void play() {
    for (std::size_t c = 0; c < clients_; ++c) connect(c);
    for (int step = 0; step < 150; ++step) {
      if (random_.below(100) < churn_) {
        disturb(random_.below(clients_));
      } else if (random_.below(3) == 0) {
        send();
      } else {
        receive(random_.below(clients_));
      }
      if (random_.below(3) == 0) settle_one();
      ASSERT_EQ(history_.now().open_obligations(), oracle_.open()) << "after step " << step;
    }
    while (!unsettled_.empty() && random_.below(20) != 0) settle_one();
    for (std::size_t c = 0; c < clients_; ++c) {
      while (!inbox_[c].empty()) receive(c);
    }
    compare();
  }

 private:
  struct client_state {
    bool is_connected = false, has_joined_before = false;
  };

  plan make_plan_for() const {
    plan of = make_test_plan(2, std::vector<std::vector<std::size_t>>(clients_, {0}));
    of.promises.resume = can_resume_;
    if (!has_sender_order_) of.promises.order = order_promise::none;
    return of;
  }

  void connect(std::size_t c) {
    state_[c].is_connected = true;
    history_.connects(c);
    const bool is_resume = can_resume_ && state_[c].has_joined_before && random_.below(5) != 0;
    history_.asks(c, 0, is_resume);
    oracle_.asked(c, is_resume);
    if (random_.below(6) == 0) {
      history_.is_reset(c);
      oracle_.reset(c);
    }
    if (random_.below(4) == 0) send();
    if (random_.below(10) == 0) return;  // never confirmed on this connection
    history_.is_joined(c, 0, is_resume);
    oracle_.joined(c);
    state_[c].has_joined_before = true;
  }

  void disturb(std::size_t c) {
    if (!state_[c].is_connected) return connect(c);
    switch (random_.below(4)) {
      case 0:
        history_.is_reset(c);
        oracle_.reset(c);
        break;
      case 1:
        history_.leaves(c);
        oracle_.left(c);
        history_.asks(c);
        oracle_.asked(c, false);
        history_.is_joined(c);
        oracle_.joined(c);
        break;
      default:
        state_[c].is_connected = false;
        history_.disconnects(c);
        oracle_.disconnected(c);
    }
  }

  void send() {
    const message_id id = history_.sends(random_.below(clients_));
    oracle_.sent(id);
    unsettled_.push_back(id);
    for (std::size_t c = 0; c < clients_; ++c) {
      if (random_.below(100) < loss_) continue;
      inbox_[c].push_back(id);
      if (random_.below(100) < loss_) inbox_[c].push_back(id);
    }
  }

  void receive(std::size_t c) {
    auto& inbox = inbox_[c];
    if (inbox.empty()) return;
    const bool is_swapped = inbox.size() > 1 && random_.below(100) < disorder_;
    const auto at =
        inbox.begin() + static_cast<std::ptrdiff_t>(is_swapped ? random_.below(inbox.size()) : 0);
    const message_id id = *at;
    inbox.erase(at);
    history_.gets(c, id);
    oracle_.got(c, id);
  }

  void settle_one() {
    if (unsettled_.empty()) return;
    const std::size_t i = random_.below(unsettled_.size());
    const message_id id = unsettled_[i];
    unsettled_.erase(unsettled_.begin() + static_cast<std::ptrdiff_t>(i));
    const std::uint64_t draw = random_.below(10);
    const outcome result = draw == 0 ? outcome::fail : draw <= 2 ? outcome::info : outcome::ok;
    history_.settles(id, result);
    oracle_.settled(id, result);
  }

  void compare() {
    EXPECT_EQ(history_.now().open_obligations(), oracle_.open());
    EXPECT_EQ(history_.count(finding_kind::lost), oracle_.lost());
    EXPECT_EQ(history_.count(finding_kind::duplicate), oracle_.duplicates);
    EXPECT_EQ(history_.count(finding_kind::reordered), oracle_.reordered);
    EXPECT_EQ(history_.count(finding_kind::phantom), oracle_.refused_but_delivered());
    EXPECT_EQ(history_.count(finding_kind::false_ack), oracle_.false_acks());
    EXPECT_EQ(history_.count(finding_kind::diverged) == 0, oracle_.has_one_order());
    EXPECT_EQ(history_.count(finding_kind::misdelivered), 0U);
    const totals& counts = history_.end().counts;
    EXPECT_EQ(counts.obligations, oracle_.obligations());
    EXPECT_EQ(counts.obligations - counts.delivered, oracle_.lost());
    EXPECT_EQ(counts.deliveries, oracle_.arrivals);
  }

  net::random_stream random_;
  std::size_t clients_;
  bool can_resume_, has_sender_order_;
  std::uint64_t loss_, disorder_, churn_;  // percent
  history history_;
  oracle oracle_;
  std::vector<client_state> state_;
  std::vector<std::vector<message_id>> inbox_;
  std::vector<message_id> unsettled_;
};

TEST(CheckersProperty, AgreeWithTheOracleOnRandomHistories) {
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_run run(seed);
    run.play();
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace ordeal::harness
