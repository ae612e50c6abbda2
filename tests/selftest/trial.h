// A trial of the judge: one run of the whole program against the planted node with one bug, and
// whether the verdict is the right one. The process is killed and its directory removed with the
// object, unless a directory to keep was given.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/selftest/planted_node/bugs.h"
#include "tests/support/command.h"

namespace ordeal::selftest {

struct trial_result {
  int exit_code = -1;
  std::string verdict;
  std::map<std::string, std::uint64_t> findings;     // by kind, those that were made
  std::map<std::string, std::uint64_t> found_after;  // by kind: messages sent until the first one
  std::set<std::string> failed_checks;
  std::set<std::string> rooms;  // with a finding
  std::string output;
};

// What is wrong with it, as a sentence; empty: the bug was convicted as what it is, or the correct node acquitted.
std::string complaint_about(const planted::bug_kind& bug, const trial_result& found);

// A row of the table: bug, modelled on, expected, found, messages until found, verdict.
std::string table_head();
std::string table_row(const planted::bug_kind& bug, std::string_view scenario,
                      const trial_result& found);

struct trial_spec {
  const planted::bug_kind* bug = nullptr;
  std::string scenario;
};
// Every bug in its scenario, and the correct node in each of those.
std::vector<trial_spec> all_trials();
bool is_long(const trial_spec& spec);
std::string name_of(const trial_spec& spec);  // "none_quiet", "mute_node"

class trial {
 public:
  // `keep`: where the results stay; empty: nowhere.
  explicit trial(const trial_spec& spec, const std::filesystem::path& keep = {});
  trial(const trial&) = delete;
  trial& operator=(const trial&) = delete;

  bool has_ended();
  // Waits until it has ended, or its time is over.
  trial_result result();

 private:
  test::scratch_directory scratch_;
  std::filesystem::path results_;
  std::chrono::steady_clock::time_point deadline_;
  std::unique_ptr<test::command> run_;
};

}  // namespace ordeal::selftest
