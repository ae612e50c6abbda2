// What a run needs of the machine before it starts, and what it says when that is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "harness/run/descriptors.h"
#include "harness/run/private_directory.h"
#include "tests/support/command.h"

namespace ordeal::harness {
namespace {

using testing::HasSubstr;

TEST(PrivateDirectory, TakesTheDiskWhenThereIsNoMemory) {
  const test::scratch_directory scratch;
  const private_directory made("/proc", scratch.path());
  EXPECT_EQ(made.path().parent_path(), scratch.path());
}

TEST(PrivateDirectory, NowhereToGoIsExplained) {
  std::string words;
  try {
    const private_directory made("/proc", "/no/such/folder");
  } catch (const std::runtime_error& thrown) {
    words = thrown.what();
  }
  EXPECT_THAT(words, HasSubstr("/proc"));
  EXPECT_THAT(words, HasSubstr("/no/such/folder is no folder"));
  EXPECT_THAT(words, HasSubstr("set TMPDIR"));
}

TEST(Descriptors, EveryClientIsOne) {
  scenario of;
  of.nodes = 3;
  of.load.clients_per_node = 10;
  const std::uint64_t few = descriptors_needed(of);
  of.load.clients_per_node = 1010;
  EXPECT_EQ(descriptors_needed(of), few + 3000);
  of.load.reconnect_anywhere = true;
  of.load.rooms = 7;
  of.load.rooms_each = 2;
  EXPECT_EQ(descriptors_needed(of), few + 3000 + 3 * 4) << "and every deputy";
}

TEST(Descriptors, AShortageSaysWhatToSet) {
  const std::string words = describe_shortage(5'000, 1'024);
  EXPECT_THAT(words, HasSubstr("ulimit -Hn 5000"));
  EXPECT_THAT(words, HasSubstr("may have 1024"));
}

TEST(Descriptors, EnoughIsNoShortage) {
  EXPECT_EQ(provide_descriptors(1), "");
  EXPECT_EQ(why_out_of_descriptors(), "");
}

}  // namespace
}  // namespace ordeal::harness
