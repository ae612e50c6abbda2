// The console, as text: snapshots of the summary, the display and the plain lines, and the rules
// about colour.
#include "reports/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>

#include "reports/text.h"
#include "tests/unit/reports/sample_record.h"

namespace ordeal::report {
namespace {

constexpr style plain_utf8{false, true};
constexpr style plain_ascii{false, false};

TEST(ConsoleSummary, PutsFailuresFirstAndEndsWithFilesAndReplay) {
  EXPECT_EQ(render_summary(sample_record(), plain_utf8),
            "FAIL  first-look   target reference x3   seed 42   run 20261122T074011Z-7f3a   52.1s\n"
            "CHECKS\n"
            "  ✗ FAIL          delivery   3 of 67200 deliveries missing, inside cut\n"
            "  ? INCONCLUSIVE  generator  the generator fell behind\n"
            "  ✓ PASS          order      in order, 67197 deliveries\n"
            "  – SKIPPED       recovery   no faults in this scenario\n"
            "FAULTS\n"
            "  cut  link_blackhole node-2  at +17.0s   held 5.0s   recovered 3.9s (not seen: "
            "node-3), 3 findings, could touch node-2\n"
            "FINDINGS the first of each kind\n"
            "  lost at +17.5s: client-1#5@room-1 never came [cut]\n"
            "TOTALS 8 400 sent (8 391 ok, 0 refused, 9 unknown), 67 197 of 67 200 deliveries, p50 "
            "1.9ms, p99 11ms, max 3.1s\n"
            "WHY delivery: 3 of 67200 deliveries missing, inside cut\n"
            "FILES results/20261122T074011Z-7f3a\n"
            "REPLAY ordeal run scenarios/first-look.yaml --seed 42\n");
}

TEST(ConsoleSummary, TheFirstFindingOfAKindShowsWhatLayAroundIt) {
  run_record run = sample_record();
  finding_row second = sample_finding();
  second.detail = "the second";
  run.examples = {sample_finding(), second};
  const std::string text = render_summary(run, plain_utf8);
  EXPECT_NE(text.find("FINDINGS the first of each kind\n"
                      "  lost at +17.5s: client-1#5@room-1 never came [cut, +17.0s to +26.0s]\n"
                      "    where     Redis accepted it from node-1; node-2 never got it\n"
                      "    sender    #4 ok, #5 ok missing, #6 pending\n"
                      "    got last  client-2#4@room-1 at +16.4s, client-3#4@room-1 at +16.7s, "
                      "client-1#4@room-1 at +16.9s\n"
                      "TOTALS"),
            std::string::npos)
      << text;
}

TEST(ConsoleSummary, SaysWhyThingsFailed) {
  run_record run = sample_record();
  const auto add = [&run](const char* kind, const std::string& text, std::uint64_t count) {
    run.reasons.push_back({kind, text, count, 2.1, 9.8, {"node-1", "node-2"}});
  };
  add("send_refused", "OOM\x1b[2J used", 1768);
  for (int i = 0; i < 4; ++i) add("connection_ended", "end", 1);
  const std::string text = render_summary(run, plain_utf8);
  EXPECT_NE(text.find("REASONS what was said when something failed\n"
                      "  1 768 x send refused node-1, node-2, +2.1s to +9.8s: OOM\\u{1b}[2J used\n"
                      "  1 x connection ended node-1, node-2, +2.1s to +9.8s: end\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  and 1 more in summary.json\n"), std::string::npos) << text;
}

TEST(ConsoleSummary, AFindingQuotesLogsLineByLine) {
  run_record run = sample_record();
  run.examples[0].detail = "node-1 ended by itself\n  its log, node-1.log:\n    Out of memory\n";
  run.examples[0].log = {{3.5, 2, "ERROR no room"}};
  const std::string text = render_summary(run, plain_utf8);
  EXPECT_NE(
      text.find("node-1 ended by itself [cut]\n    its log, node-1.log:\n      Out of memory\n"
                "    its log   +3.5s ERROR no room (2 x)\n"),
      std::string::npos)
      << text;
}

TEST(ConsoleSummary, SaysWhatWasObservedBesideWhatWasPromised) {
  run_record run = sample_record();
  run.promised = "order per_sender, duplicates none";
  run.observed = "order total, duplicates none";
  const std::string text = render_summary(run, plain_utf8);
  EXPECT_NE(text.find("\nPROMISED order per_sender, duplicates none\n"
                      "OBSERVED order total, duplicates none\nWHY "),
            std::string::npos)
      << text;
}

TEST(ConsoleSummary, SaysWhomAFaultCouldTouch) {
  run_record run = sample_record();
  for (const auto& [nodes, words] : std::map<std::vector<std::string>, std::string>{
           {{}, "nobody"},
           {{"node-1", "node-3"}, "node-1, node-3"},
           {{"node-1", "node-2", "node-3"}, "all 3 nodes"}}) {
    run.faults[0].could_touch = nodes;
    EXPECT_NE(render_summary(run, plain_utf8).find("3 findings, could touch " + words + "\n"),
              std::string::npos)
        << words;
  }
}

TEST(ConsoleSummary, ShortRecoveriesAreNotZero) {
  run_record run = sample_record();
  run.faults[0].recovery_s = {{"node-1", 0.0055}};
  EXPECT_NE(render_summary(run, plain_utf8).find("recovered 5.5ms, 3 findings"), std::string::npos);
}

TEST(ConsoleSummary, SaysNoLatencyWhenNothingWasDelivered) {
  run_record run = sample_record();
  run.delivered = 0;
  EXPECT_NE(render_summary(run, plain_utf8).find("0 of 67 200 deliveries\n"), std::string::npos);
}

TEST(ConsoleSummary, SpeaksAsciiWhereItMust) {
  run_record run = sample_record();
  run.why = "caf\xC3\xA9\x1b[31m";
  const std::string text = render_summary(run, plain_ascii);
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7F)) << int(c);
  EXPECT_NE(text.find("  x FAIL"), std::string::npos);
  EXPECT_NE(text.find("  + PASS"), std::string::npos);
}

TEST(ConsoleSummary, ColoursKeepTheWords) {
  const std::string text = render_summary(sample_record(), {true, true});
  EXPECT_NE(text.find("\x1b[31m✗ FAIL"), std::string::npos);
  std::string without;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = text.find('m', i);
    } else {
      without += text[i];
    }
  }
  EXPECT_EQ(without, render_summary(sample_record(), plain_utf8));
}

TEST(ConsoleSummary, ResultLineCounts) {
  result_counts counts;
  counts.add_checks(sample_record());
  EXPECT_EQ(result_line(counts), "result: 1 passed, 1 failed, 1 skipped, 1 inconclusive");
  result_counts clean;
  clean.add("pass");
  clean.add("error");
  EXPECT_EQ(result_line(clean), "result: 1 passed, 1 failed, 0 skipped");
}

live_view sample_view() {
  live_view now;
  now.scenario = "redis-outage-and-rotate";
  now.target = "reference";
  now.nodes_count = 3;
  now.seed = 42;
  now.run_id = "20261122T074011Z-7f3a";
  now.phase = "steady";
  now.phase_elapsed_s = 151;
  now.phase_total_s = 240;
  now.fault = live_fault{"rotate", "healed", std::nullopt, 1.8};
  now.next_fault = live_fault{"cut", "planned", 14.0, std::nullopt};
  now.sent = 30204;
  now.obligations = 4530600;
  now.delivered = 4530588;
  now.missing = 12;
  now.p50_ms = 1.9;
  now.p99_ms = 11;
  now.lag_p99_ms = 0.6;
  now.nodes = {{"node-1", "ok", 50}, {"node-2", "down", 0}};
  return now;
}

TEST(ConsoleLive, ShowsPhaseFaultsCountsAndNodes) {
  const std::vector<std::string> expected{
      "redis-outage-and-rotate   target reference x3   seed 42   run 20261122T074011Z-7f3a",
      " steady   ███████████████░░░░░░░░░  2m31s / 4m00s     next fault: cut in 14.0s",
      " fault    rotate  over, recovered in 1.8s",
      "            sent   expected  delivered  missing  late  dup  order    p50   p99",
      " all      30 204  4 530 600  4 530 588       12     0    0      0  1.9ms  11ms",
      " node-1   ok       50 clients",
      " node-2   down     0 clients",
      " generator ok (lag p99 0.6ms, 0 skipped)"};
  EXPECT_EQ(render_live(sample_view(), 120, plain_utf8), expected);
}

TEST(ConsoleLive, NeverExceedsTheWidth) {
  for (const std::string& line : render_live(sample_view(), 40, plain_ascii))
    EXPECT_LE(line.size(), 40U);
  EXPECT_EQ(render_live(sample_view(), 40, plain_ascii)[1],
            " steady   ###############.........  2m31");
}

TEST(ConsoleLive, FitsAnOrdinaryTerminal) {
  live_view now = sample_view();
  now.phase = "recovery";
  const std::vector<std::string> wide = render_live(now, 1000, plain_utf8);
  for (std::size_t i = 1; i < wide.size(); ++i) EXPECT_LE(width_of(wide[i]), 80U) << wide[i];
  EXPECT_TRUE(wide[1].starts_with(" recovery ██")) << wide[1];
}

TEST(ConsoleLive, AHeartbeatIsOneLineOfKeysAndValues) {
  EXPECT_EQ(heartbeat(sample_view(), "07:42:41"),
            "07:42:41 phase steady 2m31s/4m00s sent=30204 delivered=4530588 missing=12 dup=0 "
            "order=0 p99=11ms lag=0.6ms");
}

TEST(ConsoleLive, RedrawsInPlaceAndClearsWhatIsLeft) {
  EXPECT_EQ(live_display::redraw(0, {"a", "b"}), "a\x1b[K\nb\x1b[K\n\x1b[J");
  EXPECT_EQ(live_display::redraw(2, {"c"}), "\x1b[2A\rc\x1b[K\n\x1b[J");
}

TEST(ConsoleLive, DrawsAtMostFourTimesASecond) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  live_display display(ends[1]);
  const std::chrono::steady_clock::time_point begun{std::chrono::hours(1)};
  for (int i = 0; i < 1000; ++i) display.draw({"x"}, begun + std::chrono::milliseconds(i));
  display.clear();
  ::close(ends[1]);
  std::string bytes(10'000, ' ');
  const ssize_t n = ::read(ends[0], bytes.data(), bytes.size());
  ::close(ends[0]);
  bytes.resize(n > 0 ? std::size_t(n) : 0);
  EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 'x'), 4);
}

TEST(ConsoleColour, FlagBeatsEnvironmentBeatsTerminal) {
  const int file = ::open("/dev/null", O_WRONLY);
  for (const char* name : {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"}) ::unsetenv(name);
  EXPECT_FALSE(wants_color(color_choice::automatic, file));
  EXPECT_TRUE(wants_color(color_choice::always, file));
  ::setenv("FORCE_COLOR", "1", 1);
  EXPECT_TRUE(wants_color(color_choice::automatic, file));
  EXPECT_FALSE(wants_color(color_choice::never, file));
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(wants_color(color_choice::automatic, file));
  EXPECT_TRUE(wants_color(color_choice::always, file));
  for (const char* name : {"NO_COLOR", "FORCE_COLOR"}) ::unsetenv(name);
  ::close(file);
}

}  // namespace
}  // namespace ordeal::report
