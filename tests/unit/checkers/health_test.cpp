// The checks about what was used rather than delivered: resources, connections, the observer, the clock. Each planted
// series is a second a sample, in a declared phase.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "harness/checkers/trend.h"
#include "tests/unit/checkers/history_builder.h"

namespace ordeal::harness {
namespace {

using fault::fault_state;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t MiB = 1U << 20;

// --- trend

using series = std::function<std::uint64_t(std::uint64_t second)>;

trend::climb climb_of(std::uint64_t samples, const series& value) {
  trend all;
  for (std::uint64_t i = 0; i < samples; ++i) all.add(seconds(i), value(i));
  return all.over_all();
}

TEST(Trend, AStraightClimbIsSteadyWhateverItsLength) {
  for (const std::uint64_t samples : {60U, 239U, 240U, 241U, 1'000U, 100'000U}) {
    const auto climb = climb_of(samples, [](std::uint64_t s) { return 1'000 + 10 * s; });
    EXPECT_TRUE(climb.is_steady) << samples;
    const double share =
        static_cast<double>(climb.last - climb.first) / static_cast<double>(10 * samples);
    EXPECT_NEAR(share, 2.0 / 3.0, 0.03) << samples;
  }
}

TEST(Trend, WhatLevelsOffIsNoClimb) {
  const std::uint64_t n = 300;
  EXPECT_FALSE(climb_of(n, [](std::uint64_t) { return 70U; }).is_steady);
  EXPECT_FALSE(climb_of(n, [](std::uint64_t s) { return 1'000 - s; }).is_steady);
  EXPECT_FALSE(
      climb_of(n, [](std::uint64_t s) { return std::min<std::uint64_t>(s, 100); }).is_steady);
  EXPECT_FALSE(
      climb_of(n, [](std::uint64_t s) { return std::min<std::uint64_t>(s, 220); }).is_steady)
      << "a buffer that was full after three quarters of the run";
  EXPECT_FALSE(climb_of(n, [](std::uint64_t s) { return s < 150 ? 10U : 90U; }).is_steady);
  EXPECT_FALSE(
      climb_of(n, [](std::uint64_t s) { return s > 120 && s < 160 ? 900U : 10U; }).is_steady);
  // Warm-up: half of what is missing every 20 s.
  EXPECT_FALSE(climb_of(n, [](std::uint64_t s) {
                 return std::uint64_t(100'000.0 * (1 - std::exp2(-static_cast<double>(s) / 20)));
               }).is_steady);
}

TEST(Trend, ASawToothClimbsOnlyWhenItsFloorDoes) {
  const std::uint64_t n = 20'000;
  const auto level = climb_of(n, [](std::uint64_t s) { return 100 + 10 * (s % 97); });
  EXPECT_FALSE(level.exceeds(10));
  const auto rising = climb_of(n, [](std::uint64_t s) { return 100 + s / 4 + 10 * (s % 97); });
  EXPECT_TRUE(rising.is_steady);
  EXPECT_TRUE(rising.exceeds(3'000));
}

// --- planted runs

// One second after another: what the observers see goes in at the end of each.
class watched {
 public:
  explicit watched(std::size_t faults = 0, const std::string& kind = "redis_kill")
      : h_(plan_with(faults, kind)) {
    h_.everybody_joins();
    h_.phase(phase_kind::declared, "steady");
  }

  history& run() { return h_; }

  watched& second() {
    const auto target = ++second_ * run_time(seconds(1));
    if (h_.time() < target) h_.later(target - h_.time());
    return *this;
  }
  watched& uses(std::uint64_t memory, std::uint32_t descriptors,
                milliseconds cpu = milliseconds(50), std::uint32_t incarnation = 1,
                std::size_t node = 0) {
    cpu_ += cpu;
    h_.now().on(
        node_usage{h_.time(), node_id(node), memory, descriptors, cpu_, incarnation, waited_});
    return *this;
  }
  watched& waits(milliseconds for_a_core) {
    waited_ += for_a_core;
    return *this;
  }
  watched& has(std::uint32_t connections) {
    h_.now().on(redis_usage{h_.time(), connections});
    return *this;
  }
  watched& harness(std::uint32_t busy_permille, std::chrono::nanoseconds stall = {},
                   std::uint64_t overflowed = 0) {
    h_.now().on(observer_usage{h_.time(), busy_permille, stall, overflowed});
    return *this;
  }
  // The outage ends when every node has heard every other.
  watched& recovers(std::size_t fault = 0) {
    h_.heals(fault);
    h_.exchanges(0);
    h_.exchanges(1);
    return *this;
  }

 private:
  static plan plan_with(std::size_t faults, const std::string& kind) {
    plan of = make_test_plan();
    of.phases = {{"steady", {}, {}}};
    for (std::size_t f = 0; f < faults; ++f) {
      add_fault(of, "outage-" + std::to_string(f + 1));
      of.faults.back().kind = kind;
    }
    return of;
  }

  history h_;
  std::int64_t second_ = 0;
  std::chrono::microseconds cpu_{}, waited_{};
};

watched with_usage(std::uint64_t length, const series& memory, const series& descriptors) {
  watched w;
  for (std::uint64_t s = 0; s < length; ++s) {
    w.second().uses(memory(s), static_cast<std::uint32_t>(descriptors(s)));
  }
  return w;
}

std::uint64_t flat_memory(std::uint64_t) {
  return 50 * MiB;
}
std::uint64_t flat_descriptors(std::uint64_t) {
  return 20;
}

// --- resources

TEST(ResourcesChecker, IsSkippedWhenItSawNothingOrTooLittle) {
  watched blind;
  EXPECT_EQ(blind.run().verdict_of("resources"), verdict::skipped);
  EXPECT_NE(blind.run().detail_of("resources").find("never seen"), std::string::npos);

  auto brief = with_usage(
      59, [](std::uint64_t s) { return s * 100 * MiB; }, flat_descriptors);
  EXPECT_EQ(brief.run().verdict_of("resources"), verdict::skipped);
  EXPECT_NE(brief.run().detail_of("resources").find("too short to tell about memory"),
            std::string::npos)
      << brief.run().detail_of("resources");
}

TEST(ResourcesChecker, SaysWhatItCouldNotJudge) {
  auto w = with_usage(90, flat_memory, flat_descriptors);
  EXPECT_EQ(w.run().verdict_of("resources"), verdict::pass);
  const std::string detail = w.run().detail_of("resources");
  EXPECT_NE(detail.find("descriptors 20 to 20 (node-1)"), std::string::npos) << detail;
  EXPECT_NE(detail.find("too short to tell about memory"), std::string::npos) << detail;
}

TEST(ResourcesChecker, ConvictsALeakOfMemory) {
  auto w = with_usage(
      240, [](std::uint64_t s) { return 50 * MiB + s * MiB / 2; }, flat_descriptors);
  EXPECT_EQ(w.run().verdict_of("resources"), verdict::fail);
  EXPECT_EQ(w.run().findings(), "leak=1");
  EXPECT_EQ(w.run().found().at(0).node, node_id(0));
  const std::string detail = w.run().detail_of("resources");
  EXPECT_NE(detail.find("node-1 leaks memory: 70 to 150 MiB"), std::string::npos) << detail;
  EXPECT_EQ(w.run().end().result, verdict::fail);
}

TEST(ResourcesChecker, ConvictsALeakOfDescriptors) {
  auto w = with_usage(90, flat_memory, [](std::uint64_t s) { return 20 + s; });
  EXPECT_EQ(w.run().findings(), "leak=1");
  const std::string detail = w.run().detail_of("resources");
  EXPECT_NE(detail.find("node-1 leaks descriptors"), std::string::npos) << detail;
}

TEST(ResourcesChecker, AcquitsWarmUpsLevelsAndSmallGrowth) {
  const auto warm_up = [](std::uint64_t s) {
    return 50 * MiB + std::min<std::uint64_t>(s, 60) * 4 * MiB;
  };
  const auto small = [](std::uint64_t s) { return 20 + s / 10; };
  auto warm = with_usage(240, warm_up, small);
  EXPECT_EQ(warm.run().verdict_of("resources"), verdict::pass) << warm.run().detail_of("resources");
  // A big server that grows by a tenth, and a collected heap that swings.
  const auto big = [](std::uint64_t s) { return 2'000 * MiB + s * MiB; };
  EXPECT_EQ(with_usage(240, big, small).run().findings(), "");
  const auto swinging = [](std::uint64_t s) { return 80 * MiB + (s % 50) * 4 * MiB; };
  EXPECT_EQ(with_usage(240, swinging, small).run().findings(), "");
}

TEST(ResourcesChecker, JudgesEveryProcessOfANodeByItself) {
  watched w;
  for (std::uint32_t process = 1; process <= 3; ++process) {
    for (std::uint64_t s = 0; s < 100; ++s) {
      w.second().uses(50 * MiB * process, 20 + 30 * process, milliseconds(50), process);
    }
  }
  EXPECT_EQ(w.run().verdict_of("resources"), verdict::pass) << w.run().detail_of("resources");
  EXPECT_EQ(w.run().findings(), "");
}

TEST(ResourcesChecker, ConvictsAProcessThatIsGoneByTheEnd) {
  watched w;
  for (std::uint32_t s = 0; s < 90; ++s) w.second().uses(50 * MiB, 20 + s);
  for (std::uint32_t s = 0; s < 10; ++s) w.second().uses(50 * MiB, 20, milliseconds(50), 2);
  EXPECT_EQ(w.run().findings(), "leak=1");
}

TEST(ResourcesChecker, WhatIsHeldBackInAnOutageIsNoLeak) {
  watched w(1);
  for (std::uint32_t s = 0; s < 70; ++s) w.second().uses(50 * MiB, 20);
  w.run().breaks();
  for (std::uint32_t s = 0; s < 200; ++s) w.second().uses((50 + s) * MiB, 20 + s);
  w.recovers();
  EXPECT_EQ(w.run().findings(), "");
}

// A node that spends `in_outage` of each second while Redis is away, and `outside` otherwise.
watched with_cpu(const std::string& kind, milliseconds in_outage, milliseconds outside) {
  watched w(1, kind);
  for (int s = 0; s < 20; ++s) w.second().uses(50 * MiB, 20, outside);
  w.run().breaks();
  for (int s = 0; s < 6; ++s) w.second().uses(50 * MiB, 20, in_outage);
  w.recovers();
  for (int s = 0; s < 20; ++s) w.second().uses(50 * MiB, 20, outside);
  return w;
}

TEST(ResourcesChecker, ConvictsABusyReconnectLoop) {
  auto spinning = with_cpu("redis_kill", milliseconds(990), milliseconds(100));
  EXPECT_EQ(spinning.run().findings(), "leak=1");
  EXPECT_EQ(spinning.run().found().at(0).fault, 0U);
  const std::string detail = spinning.run().detail_of("resources");
  EXPECT_NE(detail.find("node-1 spins"), std::string::npos) << detail;
}

TEST(ResourcesChecker, AcquitsWhoIsBusyForAnotherReason) {
  auto always = with_cpu("redis_kill", milliseconds(990), milliseconds(900));
  EXPECT_EQ(always.run().findings(), "") << "busy all the time";
  auto wave = with_cpu("node_kill", milliseconds(990), milliseconds(100));
  EXPECT_EQ(wave.run().findings(), "") << "the clients of the killed node came here";
  auto half = with_cpu("redis_kill", milliseconds(690), milliseconds(100));
  EXPECT_EQ(half.run().findings(), "");
  auto calm = with_cpu("redis_kill", milliseconds(300), milliseconds(100));
  EXPECT_EQ(calm.run().verdict_of("resources"), verdict::pass);
  EXPECT_NE(calm.run().detail_of("resources").find("processor use in outages at most 30 %"),
            std::string::npos)
      << calm.run().detail_of("resources");
}

TEST(ResourcesChecker, ASpinOnABusyMachineIsSeenByItsWaiting) {
  for (const auto used : {milliseconds(450), milliseconds(150)}) {
    watched w(1);
    for (int s = 0; s < 20; ++s) w.second().uses(50 * MiB, 20);
    w.run().breaks();
    for (int s = 0; s < 6; ++s) w.second().waits(milliseconds(970) - used).uses(50 * MiB, 20, used);
    w.recovers();
    for (int s = 0; s < 20; ++s) w.second().uses(50 * MiB, 20);
    const bool has_spun = used > milliseconds(300);
    EXPECT_EQ(w.run().findings(), has_spun ? "leak=1" : "")
        << "little work that had to wait is none";
  }
}

// Many threads of one process wait at the same time: it was once said to use 368 % of two cores.
TEST(ResourcesChecker, WaitingIsNoUseOfProcessors) {
  watched w(1);
  for (int s = 0; s < 20; ++s) w.second().uses(50 * MiB, 20);
  w.run().breaks();
  for (int s = 0; s < 6; ++s) {
    w.second().waits(milliseconds(3'600)).uses(50 * MiB, 20, milliseconds(80));
    w.waits(-milliseconds(9'000));  // a thread ended and took its waiting with it
  }
  w.recovers();
  for (int s = 0; s < 20; ++s) w.second().uses(50 * MiB, 20);
  EXPECT_EQ(w.run().findings(), "");
  const std::string detail = w.run().detail_of("resources");
  EXPECT_NE(detail.find("processor use in outages at most 8 %"), std::string::npos) << detail;
}

TEST(ResourcesChecker, CountsThatCannotBeDoNotOverflow) {
  watched w(1);
  for (int s = 0; s < 20; ++s) w.second().uses(50 * MiB, 20);
  w.run().breaks();
  const milliseconds much(std::numeric_limits<std::int64_t>::max() / 10'000'000);
  for (int s = 0; s < 6; ++s) w.second().waits(much).uses(50 * MiB, 20, milliseconds(80));
  w.recovers();
  const std::string detail = w.run().detail_of("resources");
  EXPECT_NE(detail.find("at most 8 %"), std::string::npos) << detail;
}

TEST(ResourcesChecker, ABurstInAnOutageIsNoSpin) {
  watched w(1);
  for (int s = 0; s < 20; ++s) w.second().uses(50 * MiB, 20);
  w.run().breaks();
  for (int s = 0; s < 12; ++s) w.second().uses(50 * MiB, 20, milliseconds(s % 3 == 2 ? 100 : 990));
  w.recovers();
  EXPECT_EQ(w.run().findings(), "");
}

// --- connections

TEST(ConnectionsChecker, SaysWhatItCouldNotSee) {
  watched blind;
  EXPECT_EQ(blind.run().verdict_of("connections"), verdict::pass) << "clients were seen";
  EXPECT_NE(blind.run().detail_of("connections").find("could not be seen"), std::string::npos)
      << blind.run().detail_of("connections");

  history nobody;
  EXPECT_EQ(nobody.verdict_of("connections"), verdict::skipped);

  watched brief;
  for (std::uint32_t s = 0; s < 50; ++s) brief.second().has(6 + s);
  EXPECT_EQ(brief.run().findings(), "");
  EXPECT_NE(brief.run().detail_of("connections").find("too short to tell"), std::string::npos)
      << brief.run().detail_of("connections");
}

TEST(ConnectionsChecker, ConvictsEverMoreConnections) {
  watched w;
  for (std::uint32_t s = 0; s < 120; ++s) w.second().has(6 + s / 5);
  EXPECT_EQ(w.run().verdict_of("connections"), verdict::fail);
  EXPECT_EQ(w.run().findings(), "leak=1");
  EXPECT_NE(w.run().detail_of("connections").find("ever more connections to Redis"),
            std::string::npos)
      << w.run().detail_of("connections");
}

TEST(ConnectionsChecker, AcquitsAPoolThatFillsUp) {
  watched w;
  for (std::uint32_t s = 0; s < 120; ++s) w.second().has(std::min<std::uint32_t>(6 + s, 40));
  EXPECT_EQ(w.run().verdict_of("connections"), verdict::pass) << w.run().detail_of("connections");
}

watched after_outages(std::uint32_t more_each_time, int settling_samples) {
  watched w(3);
  std::uint32_t count = 6;
  for (std::size_t f = 0; f < 3; ++f) {
    for (int s = 0; s < 5; ++s) w.second().has(count);
    w.run().breaks(f);
    w.second().second().second();
    w.recovers(f);
    count += more_each_time;
    for (int s = 0; s < settling_samples; ++s) w.second().has(count + 40);
    for (int s = 0; s < 5; ++s) w.second().has(count);
  }
  return w;
}

TEST(ConnectionsChecker, ConvictsOldConnectionsThatStayAfterOutages) {
  auto w = after_outages(6, 0);
  EXPECT_EQ(w.run().findings(), "leak=1");
  EXPECT_NE(w.run().detail_of("connections").find("6 before the first outage, 18 at "),
            std::string::npos)
      << w.run().detail_of("connections");
}

TEST(ConnectionsChecker, AcquitsOneConnectionMoreAndAWaveAfterAnOutage) {
  EXPECT_EQ(after_outages(1, 0).run().findings(), "");
  auto wave = after_outages(0, 4);  // two of them in the aftermath
  EXPECT_EQ(wave.run().verdict_of("connections"), verdict::pass)
      << wave.run().detail_of("connections");
}

// Two nodes; the outage is over, and calm.
watched with_connections_after(std::uint32_t before, const std::vector<std::uint32_t>& after,
                               const std::optional<node_state>& second_node = std::nullopt) {
  watched w(1);
  for (int s = 0; s < 5; ++s) w.second().has(before);
  w.run().breaks();
  w.second().has(0);
  if (second_node) w.run().node_is(1, *second_node);
  w.recovers();
  for (int s = 0; s < 3; ++s) w.second().harness(100);
  for (const std::uint32_t count : after) w.second().has(count);
  return w;
}

TEST(ConnectionsChecker, ConvictsConnectionsThatDoNotComeBack) {
  auto none = with_connections_after(4, {0, 0, 0});
  EXPECT_EQ(none.run().verdict_of("connections"), verdict::fail);
  EXPECT_EQ(none.run().findings(), "stuck=1");
  EXPECT_NE(none.run().detail_of("connections").find("4 before the first outage, at most 0 after"),
            std::string::npos)
      << none.run().detail_of("connections");
  EXPECT_EQ(with_connections_after(4, {0, 1, 1}).run().findings(), "stuck=1");
}

TEST(ConnectionsChecker, AcquitsConnectionsThatMayBeElsewhere) {
  EXPECT_EQ(with_connections_after(40, {2, 2, 2}).run().findings(), "") << "a smaller pool";
  EXPECT_EQ(with_connections_after(4, {1, 1, 4}).run().findings(), "") << "one took a while";
  EXPECT_EQ(with_connections_after(4, {1}).run().findings(), "") << "one look may be unlucky";
  EXPECT_EQ(with_connections_after(1, {0, 0, 0}).run().findings(), "") << "fewer than nodes before";
  EXPECT_EQ(with_connections_after(4, {1, 1, 1}, node_state::stopped).run().findings(), "")
      << "the other node does not run";
  EXPECT_EQ(with_connections_after(4, {1, 1, 1}, node_state::ready).run().findings(), "stuck=1");
}

TEST(ConnectionsChecker, ConvictsWhoKeepsLosingItsClients) {
  watched w;
  for (int s = 0; s < 120; ++s) {
    w.second().harness(100);
    if (s % 10 == 0) w.run().disconnects(static_cast<std::size_t>(s / 10 % 4)).connects(0);
  }
  EXPECT_EQ(w.run().verdict_of("connections"), verdict::fail) << w.run().detail_of("connections");
  EXPECT_NE(w.run().detail_of("connections").find("12 client connections were lost"),
            std::string::npos)
      << w.run().detail_of("connections");
}

TEST(ConnectionsChecker, NamesThoseThatOrdealItselfCut) {
  watched w;
  for (int s = 0; s < 30; ++s) w.second().harness(100);
  for (std::size_t c = 0; c < 4; ++c)
    w.run().disconnects(c, c < 3 ? cut_cause::silent : cut_cause::none).resumes(c);
  for (int s = 0; s < 30; ++s) w.second().harness(100);
  EXPECT_NE(w.run().detail_of("connections").find("(cut by us: 3 as the server was silent)"),
            std::string::npos)
      << w.run().detail_of("connections");
  w.run().everybody_says_goodbye();
}

TEST(ConnectionsChecker, AFewLostConnectionsAreOnlyTold) {
  watched w;
  for (int s = 0; s < 30; ++s) w.second().harness(100);
  for (std::size_t c = 0; c < 4; ++c) w.run().disconnects(c).resumes(c);
  for (int s = 0; s < 30; ++s) w.second().harness(100);
  EXPECT_EQ(w.run().verdict_of("connections"), verdict::pass);
  EXPECT_NE(w.run().detail_of("connections").find("4 client connections were lost"),
            std::string::npos);
  w.run().everybody_says_goodbye();
}

TEST(ConnectionsChecker, AnOutageExplainsLostConnections) {
  watched w(1);
  w.second().harness(100);
  w.run().breaks();
  for (int s = 0; s < 20; ++s) {
    w.second();
    for (std::size_t c = 0; c < 4; ++c) w.run().disconnects(c).connects(c).resumes(c);
  }
  w.recovers();
  w.second();
  for (std::size_t c = 0; c < 4; ++c) w.run().disconnects(c).connects(c).resumes(c);
  w.second().second().second().harness(100);
  w.run().disconnects(0);
  EXPECT_EQ(w.run().verdict_of("connections"), verdict::pass);
  EXPECT_NE(w.run().detail_of("connections").find("1 client connection was lost"),
            std::string::npos)
      << w.run().detail_of("connections");
}

// --- observer

TEST(ObserverChecker, PassesWhoKeptUp) {
  watched w;
  for (int s = 0; s < 20; ++s) w.second().harness(s % 3 == 2 ? 100 : 990, milliseconds(40));
  EXPECT_EQ(w.run().verdict_of("observer"), verdict::pass);
  EXPECT_EQ(w.run().detail_of("observer"),
            "event loop at most 99 % busy, held up for 40ms at most");
}

TEST(ObserverChecker, IsInconclusiveWhenTheLoopHadNoTimeLeft) {
  watched busy;
  for (int s = 0; s < 20; ++s) busy.second().harness(s >= 5 && s < 8 ? 960 : 100);
  EXPECT_EQ(busy.run().verdict_of("observer"), verdict::inconclusive);
  EXPECT_NE(busy.run().detail_of("observer").find("use fewer clients or a lower rate"),
            std::string::npos);

  watched stalled;
  stalled.second().harness(100, milliseconds(1'001));
  stalled.second().harness(100);
  EXPECT_EQ(stalled.run().verdict_of("observer"), verdict::inconclusive);
}

TEST(ObserverChecker, IsInconclusiveWhenAQueueOverflowed) {
  watched w;
  w.second().harness(100).harness(0, {}, 7).second().harness(100);
  EXPECT_EQ(w.run().verdict_of("observer"), verdict::inconclusive);
  EXPECT_NE(w.run().detail_of("observer").find("no room for 7 events"), std::string::npos);
}

TEST(ObserverChecker, LoadThatNobodyWatchedProvesNothing) {
  watched w;
  w.run().later(seconds(10));
  EXPECT_EQ(w.run().verdict_of("observer"), verdict::inconclusive);
  watched brief;
  brief.run().later(seconds(9));
  EXPECT_EQ(brief.run().verdict_of("observer"), verdict::skipped);
}

// --- clock

TEST(ClockChecker, IsInconclusiveAfterAStepOrASleep) {
  watched stepped;
  stepped.second().harness(10);
  stepped.run().now().on(clock_jumped{seconds(2), -seconds(3'600), false});
  EXPECT_EQ(stepped.run().verdict_of("clock"), verdict::inconclusive);
  EXPECT_NE(stepped.run().detail_of("clock").find("set 3600.0s back before +2.000s"),
            std::string::npos)
      << stepped.run().detail_of("clock");

  watched slept;
  slept.run().now().on(clock_jumped{seconds(2), seconds(30), true});
  slept.run().now().on(clock_jumped{seconds(4), seconds(40), true});
  EXPECT_EQ(slept.run().verdict_of("clock"), verdict::inconclusive);
  EXPECT_NE(slept.run().detail_of("clock").find("suspended for 30.0s"), std::string::npos);
  EXPECT_NE(slept.run().detail_of("clock").find("the first of 2"), std::string::npos);
}

TEST(ClockChecker, PassesWhenItWasWatchedAndNothingHappened) {
  watched w;
  w.second().harness(10);
  EXPECT_EQ(w.run().verdict_of("clock"), verdict::pass);
  history unwatched;
  EXPECT_EQ(unwatched.verdict_of("clock"), verdict::skipped);
}

}  // namespace
}  // namespace ordeal::harness
