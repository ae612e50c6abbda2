// Each class of planted bug, in an otherwise whole run, is caught by the right check and blamed on
// nothing else.
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/checkers/history_builder.h"

namespace ordeal::harness {
namespace {

struct planted_bug {
  std::string name;
  std::function<void(history&)> happens;
  std::string findings;
  std::vector<std::string> failed_checks;
};

class PlantedBug : public testing::TestWithParam<planted_bug> {};

TEST_P(PlantedBug, IsCaughtAndNothingElseIs) {
  plan of = make_test_plan(2, {{0, 1}, {0, 1}, {0}, {0}});
  of.phases = {{"steady", {}, {}}};
  history h(of);
  h.everybody_joins();
  h.phase(phase_kind::declared, "steady");
  for (int i = 0; i < 50; ++i) {
    for (std::size_t c : {0U, 1U, 2U, 3U}) h.exchanges(c);
  }
  h.exchanges(0, 1);
  GetParam().happens(h);
  for (std::size_t c : {3U, 2U, 1U, 0U}) h.exchanges(c);
  h.ends_well();

  EXPECT_EQ(h.findings(), GetParam().findings);
  std::vector<std::string> failed;
  for (const check_result& check : h.end().checks) {
    if (check.result == verdict::fail) failed.push_back(check.id);
    EXPECT_NE(check.result, verdict::inconclusive) << check.id << ": " << check.detail;
  }
  EXPECT_EQ(failed, GetParam().failed_checks);
  EXPECT_EQ(h.end().result, failed.empty() ? verdict::pass : verdict::fail);
  EXPECT_EQ(h.end().why.empty(), failed.empty());
}

INSTANTIATE_TEST_SUITE_P(All, PlantedBug,
                         testing::Values(planted_bug{"None", [](history&) {}, "", {}},
                                         planted_bug{"Drop",
                                                     [](history& h) {
                                                       const auto m = h.says(0);
                                                       h.gets(0, m).gets(1, m).gets(3, m);
                                                     },
                                                     "lost=1",
                                                     {"delivery", "honesty"}},
                                         planted_bug{"Duplicate",
                                                     [](history& h) {
                                                       const auto m = h.exchanges(0);
                                                       h.gets(2, m);
                                                     },
                                                     "duplicate=1",
                                                     {"duplicates"}},
                                         planted_bug{"SwapOfOneSender",
                                                     [](history& h) {
                                                       const auto a = h.says(0), b = h.says(0);
                                                       for (std::size_t c : {0U, 1U, 3U})
                                                         h.gets(c, a).gets(c, b);
                                                       h.gets(2, b).gets(2, a);
                                                     },
                                                     "reordered=1 diverged=1",
                                                     {"order", "total_order"}},
                                         planted_bug{"SwapOfTwoSenders",
                                                     [](history& h) {
                                                       const auto a = h.says(0), b = h.says(1);
                                                       for (std::size_t c : {0U, 1U, 3U})
                                                         h.gets(c, a).gets(c, b);
                                                       h.gets(2, b).gets(2, a);
                                                     },
                                                     "diverged=1",
                                                     {"total_order"}},
                                         planted_bug{"WrongRoom",
                                                     [](history& h) {
                                                       const auto m = h.exchanges(0);
                                                       delivered what;
                                                       what.client = client_id(1);
                                                       what.room = room_id(1);
                                                       what.id = m;
                                                       h.gets_raw(what);
                                                     },
                                                     "misdelivered=1",
                                                     {"isolation"}},
                                         planted_bug{"AckWithoutPublish",
                                                     [](history& h) { h.says(3); },
                                                     "lost=4 false_ack=1",
                                                     {"delivery", "honesty", "acknowledgement"}},
                                         planted_bug{"AlteredByte",
                                                     [](history& h) {
                                                       const auto m = h.says(0);
                                                       h.gets(0, m).gets(1, m).gets(3, m);
                                                       delivered what;
                                                       what.client = client_id(2);
                                                       what.payload = payload_state::corrupt;
                                                       h.gets_raw(what);
                                                     },
                                                     "lost=1 corrupt=1",
                                                     {"delivery", "honesty", "integrity"}},
                                         planted_bug{"RefusedButDelivered",
                                                     [](history& h) {
                                                       const auto m = h.sends(0);
                                                       h.refuses(m).everybody_gets(m);
                                                     },
                                                     "phantom=1",
                                                     {"delivery"}},
                                         planted_bug{"SilentAfterRejoin",
                                                     [](history& h) {
                                                       h.disconnects(3).connects(3).resumes(3);
                                                       const auto m = h.says(0);
                                                       h.gets(0, m).gets(1, m).gets(2, m);
                                                     },
                                                     "lost=1",
                                                     {"delivery", "honesty"}},
                                         planted_bug{"Crash",
                                                     [](history& h) {
                                                       h.node_is(1, node_state::exited, false);
                                                     },
                                                     "node_exit=1",
                                                     {"nodes"}}),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace ordeal::harness
