// What the self-test accepts: a bug only with its finding, its failed check and nothing unexplained; an innocent only
// with nothing at all.
#include "tests/selftest/trial.h"

#include <gtest/gtest.h>

namespace ordeal::selftest {
namespace {

planted::bug_kind guilty() {
  planted::bug_kind bug;
  bug.name = "guilty";
  bug.finding = "lost";
  bug.check = "delivery";
  bug.also = "silent_loss stuck";
  return bug;
}

trial_result conviction() {
  trial_result found;
  found.exit_code = 1;
  found.findings = {{"lost", 3}, {"silent_loss", 3}};
  found.failed_checks = {"delivery"};
  found.rooms = {"room-1", "room-2"};
  return found;
}

TEST(Complaint, IsNoneWhenTheBugIsConvicted) {
  EXPECT_EQ(complaint_about(guilty(), conviction()), "");
}

TEST(Complaint, NamesWhatIsMissing) {
  auto found = conviction();
  found.findings.erase("lost");
  EXPECT_EQ(complaint_about(guilty(), found), "no finding 'lost'");
  found = conviction();
  found.failed_checks.clear();
  EXPECT_EQ(complaint_about(guilty(), found), "the check 'delivery' did not fail");
  found = conviction();
  found.exit_code = 5;
  EXPECT_EQ(complaint_about(guilty(), found),
            "exit code 5 instead of 1, found lost:3 silent_loss:3");
}

TEST(Complaint, NamesWhatTheBugDoesNotExplain) {
  auto found = conviction();
  found.findings["duplicate"] = 1;
  EXPECT_EQ(complaint_about(guilty(), found), "unexplained: duplicate:1");
  auto bug = guilty();
  bug.only_in = "room-2";
  EXPECT_EQ(complaint_about(bug, conviction()), "a finding in room-1");
}

TEST(Complaint, AllowsTheInnocentNothing) {
  planted::bug_kind innocent;
  innocent.name = "innocent";
  trial_result found;
  found.exit_code = 0;
  EXPECT_EQ(complaint_about(innocent, found), "");
  found.findings["late"] = 1;
  EXPECT_EQ(complaint_about(innocent, found), "unexplained: late:1");
  EXPECT_EQ(complaint_about(innocent, conviction()),
            "exit code 1 instead of 0, found lost:3 silent_loss:3");
}

TEST(Trials, PutEveryBugAndTheCorrectNodeInEveryScenario) {
  std::set<std::string> names;
  for (const trial_spec& each : all_trials()) names.insert(name_of(each));
  for (const planted::bug_kind& each : planted::bug_kinds()) {
    if (each.scenario.empty()) continue;
    EXPECT_TRUE(names.contains(std::string(each.name))) << each.name;
    trial_spec clean;
    clean.bug = planted::find_bug("none");
    clean.scenario = each.scenario;
    EXPECT_TRUE(names.contains(name_of(clean))) << each.scenario;
  }
}

}  // namespace
}  // namespace ordeal::selftest
