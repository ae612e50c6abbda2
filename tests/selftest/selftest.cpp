// The judge is put on trial: every planted bug is convicted as what it is, the correct node and the
// innocent are acquitted. Each trial is a test of its own, so that they run side by side;
// `ordeal-selftest` prints them as a table.
#include <gtest/gtest.h>

#include <cstdio>
#include <ostream>

#include "tests/selftest/trial.h"

namespace ordeal::selftest {

static void PrintTo(const trial_spec& spec, std::ostream* to) {
  *to << name_of(spec);
}

namespace {

class Trial : public testing::TestWithParam<trial_spec> {};

TEST_P(Trial, EndsAsItShould) {
  const trial_spec& spec = GetParam();
  trial run(spec);
  const trial_result found = run.result();
  std::printf("%s\n%s\n", table_head().c_str(), table_row(*spec.bug, spec.scenario, found).c_str());
  EXPECT_EQ(complaint_about(*spec.bug, found), "") << found.output;
}

enum class group { ordinary, alone, long_ones };

std::vector<trial_spec> trials(group wanted) {
  std::vector<trial_spec> chosen;
  for (const trial_spec& each : all_trials()) {
    group of = each.bug->is_alone ? group::alone : group::ordinary;
    if (is_long(each)) of = group::long_ones;
    if (of == wanted) chosen.push_back(each);
  }
  return chosen;
}

std::string test_name(const testing::TestParamInfo<trial_spec>& of) {
  return name_of(of.param);
}

INSTANTIATE_TEST_SUITE_P(Planted, Trial, testing::ValuesIn(trials(group::ordinary)), test_name);
INSTANTIATE_TEST_SUITE_P(PlantedAlone, Trial, testing::ValuesIn(trials(group::alone)), test_name);
INSTANTIATE_TEST_SUITE_P(PlantedLong, Trial, testing::ValuesIn(trials(group::long_ones)),
                         test_name);

}  // namespace
}  // namespace ordeal::selftest
