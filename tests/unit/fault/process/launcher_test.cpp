// What the warden is asked for, and what the user reads when it cannot be done.
#include "fault-injection/process/launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>

namespace ordeal::fault {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

process_spec sample() {
  process_spec spec;
  spec.name = "node-1";
  spec.command = {"node", "server.js"};
  spec.workdir = "/srv/app";
  spec.log_file = "/var/log/node-1.log";
  return spec;
}

TEST(LaunchRequest, EnvironmentIsMinimalPlusTheSpec) {
  ::setenv("ORDEAL_TEST_SECRET", "do not leak", 1);
  ::setenv("LANG", "C.UTF-8", 1);
  process_spec spec = sample();
  spec.env = {{"PORT", "8080"}, {"LANG", "C"}};
  const launch_request request = request_for(spec);
  EXPECT_THAT(request.environment, Contains(StartsWith("PATH=")));
  EXPECT_THAT(request.environment, Contains("PORT=8080"));
  EXPECT_THAT(request.environment, Contains("LANG=C"));
  EXPECT_THAT(request.environment, Not(Contains("LANG=C.UTF-8")));
  EXPECT_THAT(request.environment, Not(Contains(HasSubstr("ORDEAL_TEST_SECRET"))));
}

TEST(LaunchRequest, PathsAreAbsolute) {
  process_spec spec = sample();
  spec.workdir = "app";
  spec.log_file = "logs/node-1.log";
  const launch_request request = request_for(spec);
  EXPECT_THAT(request.workdir, StartsWith("/"));
  EXPECT_THAT(request.workdir, EndsWith("/app"));
  EXPECT_THAT(request.log_file, StartsWith("/"));
  spec.log_file.clear();
  EXPECT_EQ(request_for(spec).log_file, "");
}

std::string text_of(const process_spec& spec, launch_step step, int error_number) {
  return describe_failure(spec, failed_event{1, step, error_number});
}

TEST(LaunchFailure, NamesTheMissingProgram) {
  EXPECT_EQ(text_of(sample(), launch_step::program, ENOENT),
            "cannot start node-1: no program 'node' on PATH");
}

TEST(LaunchFailure, PathOfAMissingProgram) {
  process_spec spec = sample();
  spec.command = {"./start"};
  EXPECT_EQ(text_of(spec, launch_step::program, ENOENT),
            "cannot start node-1: there is no program './start', or its interpreter is missing");
}

TEST(LaunchFailure, ProgramThatMayNotRun) {
  EXPECT_EQ(text_of(sample(), launch_step::program, EACCES),
            "cannot start node-1: cannot run 'node': Permission denied");
}

TEST(LaunchFailure, EmptyCommand) {
  process_spec spec = sample();
  spec.command.clear();
  EXPECT_EQ(text_of(spec, launch_step::program, ENOENT),
            "cannot start node-1: its command is empty");
}

TEST(LaunchFailure, NamesWorkdirAndLogFile) {
  EXPECT_EQ(text_of(sample(), launch_step::workdir, ENOENT),
            "cannot start node-1: cannot enter its working directory /srv/app: No such file or "
            "directory");
  EXPECT_EQ(text_of(sample(), launch_step::log_file, EACCES),
            "cannot start node-1: cannot open its log file /var/log/node-1.log: Permission denied");
}

}  // namespace
}  // namespace ordeal::fault
