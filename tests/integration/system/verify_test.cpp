// A stored run is judged again: to the same verdict when its history is whole, and never to a pass when it is not.
#include <signal.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <map>
#include <sstream>

#include "tests/integration/system/ordeal_run.h"

namespace ordeal::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class ordeal_verify : public ordeal_run {
 protected:
  struct result {
    int exit_code = -1;
    std::string out, err;
  };

  // `ordeal verify <directory> <more>`.
  result verify(const fs::path& directory, const std::vector<std::string>& more = {}) {
    return look("verify", directory, more);
  }
  result history(const fs::path& directory, const std::vector<std::string>& more = {}) {
    return look("history", directory, more);
  }

  result look(const std::string& verb, const fs::path& directory,
              const std::vector<std::string>& more) {
    std::vector<std::string> arguments{binaries() + "/ordeal", verb, directory.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const fs::path output = scratch_.path() / verb;
    fs::create_directories(output);
    command program(arguments, output);
    const int code = program.wait(run_limit).value_or(-1);
    return {code, program.out(), program.err()};
  }

  void run_to_pass(const std::string& faults = "") {
    const auto run = start(write("small.yaml", small_scenario(3, faults)));
    ASSERT_EQ(run->wait(run_limit), 0) << run->out() << run->err();
  }

  // planted_node with the bug switched on, as a target file.
  fs::path planted(const std::string& bug) {
    std::string text = read_file(fs::path(ORDEAL_SELFTEST_SOURCES) / "planted.yaml");
    const std::string clean = "PLANTED_BUG: none";
    const std::size_t at = text.find(clean);
    if (at == std::string::npos) {
      ADD_FAILURE() << "planted.yaml has no line '" << clean << "'";
    } else {
      text.replace(at, clean.size(), "PLANTED_BUG: " + bug);
    }
    return write("planted.yaml", text);
  }

  fs::path latest() const { return scratch_.path() / "results/latest"; }

  // The part of the history that holds most of the run.
  fs::path largest_part() const {
    fs::path largest;
    for (const fs::directory_entry& part : fs::directory_iterator(latest() / "history")) {
      if (largest.empty() || part.file_size() > fs::file_size(largest)) largest = part.path();
    }
    return largest;
  }

  std::string snapshot(const fs::path& directory) const {
    std::string all;
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) all += file.string() + "\n" + read_file(file);
    return all;
  }
};

class ordeal_history : public ordeal_verify {};

TEST_F(ordeal_verify, APassingRunWithAFaultComesToTheIdenticalPage) {
  ASSERT_NO_FATAL_FAILURE(
      run_to_pass("faults:\n  - { name: crash, at: steady+1s, kind: redis_kill, for: 1s }\n"));
  const std::string before = snapshot(fs::canonical(latest()));
  const result page = verify(latest(), {"--format", "json"});
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_EQ(json::parse(page.out), summary()) << page.out;
  const result text = verify(latest());
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_EQ(text.err, "");
  EXPECT_NE(text.out.find("VERIFY the same verdict as recorded\n"), std::string::npos) << text.out;
  EXPECT_TRUE(text.out.ends_with("result: 1 passed, 0 failed, 0 skipped\n")) << text.out;
  EXPECT_EQ(snapshot(fs::canonical(latest())), before) << "verify changed the stored run";
}

TEST_F(ordeal_verify, AGuiltyRunIsConvictedAgainOfTheSame) {
  const auto run = start(write("small.yaml", small_scenario(4)),
                         {"--target", planted("one_client_misses_some").string()});
  ASSERT_EQ(run->wait(run_limit), 1) << run->out() << run->err();
  const result page = verify(latest(), {"--format", "json"});
  EXPECT_EQ(page.exit_code, 1) << page.err;
  EXPECT_EQ(json::parse(page.out), summary()) << page.out;
  EXPECT_GT(summary().at("findings").at("lost").to_number<int>(), 0);
  EXPECT_NE(read_file(results("violations.jsonl")).find("\"around\": {"), std::string::npos);
}

TEST_F(ordeal_verify, AnotherVerdictThanTheRecordedOneIsAnInternalError) {
  ASSERT_NO_FATAL_FAILURE(run_to_pass());
  std::string page = read_file(results("summary.json"));
  const std::string pass = "\"verdict\": \"pass\"";
  page.replace(page.find(pass), pass.size(), "\"verdict\": \"fail\"");
  std::ofstream(results("summary.json")) << page;
  const result found = verify(latest());
  EXPECT_EQ(found.exit_code, 10) << found.out;
  EXPECT_NE(found.err.find("verdict: recorded fail, now pass"), std::string::npos) << found.err;
}

TEST_F(ordeal_verify, AKilledRunIsJudgedUpToItsLastFlush) {
  const auto run = start(write("small.yaml", small_scenario(60)));
  const auto has_samples = [&] {
    const std::string lines = read_file(current("series.jsonl"));
    return std::count(lines.begin(), lines.end(), '\n') >= 3 || !is_alive(run->pid());
  };
  ASSERT_TRUE(eventually(has_samples, run_limit)) << run->err();
  ASSERT_TRUE(is_alive(run->pid())) << run->err();
  // Two seconds old when the third line is there; flushes come several times a second.
  std::ifstream series(current("series.jsonl"));
  std::string first;
  std::getline(series, first);
  run->signal(SIGKILL);
  ASSERT_EQ(run->wait(run_limit), 128 + SIGKILL);

  const result page = verify(scratch_.path() / "results/current", {"--format", "json"});
  EXPECT_EQ(page.exit_code, 5) << page.out << page.err;
  EXPECT_NE(page.err.find("is judged"), std::string::npos) << page.err;
  EXPECT_NE(page.err.find("no verdict was recorded"), std::string::npos) << page.err;
  const json::value judged = json::parse(page.out);
  EXPECT_EQ(judged.at("verdict"), "inconclusive");
  EXPECT_GE(judged.at("totals").at("sent").to_number<int>(),
            json::parse(first).at("sent").to_number<int>());
  for (const auto& [kind, count] : judged.at("findings").as_object())
    EXPECT_EQ(count.to_number<int>(), 0) << kind;
}

TEST_F(ordeal_verify, ATornEndIsNamedAndTheRestJudged) {
  ASSERT_NO_FATAL_FAILURE(run_to_pass());
  const fs::path part = largest_part();
  fs::resize_file(part, fs::file_size(part) - 7);
  const result found = verify(latest());
  EXPECT_EQ(found.exit_code, 5) << found.out;
  EXPECT_NE(found.err.find(part.filename().string() + " at byte "), std::string::npos) << found.err;
  EXPECT_NE(found.out.find("VERIFY of a part of the history: inconclusive; recorded was pass\n"),
            std::string::npos)
      << found.out;
  EXPECT_TRUE(found.out.ends_with("result: 0 passed, 0 failed, 0 skipped, 1 inconclusive\n"))
      << found.out;
}

TEST_F(ordeal_verify, ARunKilledInItsTeardownIsNoPass) {
  ASSERT_NO_FATAL_FAILURE(run_to_pass());
  json::value description = json::parse(read_file(results("run.json")));
  description.at("state") = "running";
  description.as_object().erase("exit_code");
  std::ofstream(results("run.json")) << json::serialize(description);
  fs::remove(results("summary.json"));
  const result found = verify(latest());
  EXPECT_EQ(found.exit_code, 5) << found.out;
  EXPECT_NE(found.err.find("killed before it had a verdict"), std::string::npos) << found.err;
  EXPECT_TRUE(found.out.ends_with("result: 0 passed, 0 failed, 0 skipped, 1 inconclusive\n"))
      << found.out;
}

TEST_F(ordeal_verify, AHistoryThatGoesOnBehindItsEndIsNoPass) {
  ASSERT_NO_FATAL_FAILURE(run_to_pass());
  const fs::path part = largest_part();
  const std::string once = read_file(part);
  std::string name = part.filename().string();
  ASSERT_EQ(name.substr(0, 6), "000001") << "a short run has one file";
  std::ofstream(part.parent_path() / name.replace(5, 1, "2"), std::ios::binary) << once;
  const result copied = verify(latest());
  EXPECT_EQ(copied.exit_code, 5) << copied.out;
  EXPECT_NE(copied.out.find("read already"), std::string::npos) << copied.out;
  fs::remove(part.parent_path() / name);
  std::ofstream(part, std::ios::binary | std::ios::app) << once;
  const result doubled = verify(latest());
  EXPECT_EQ(doubled.exit_code, 5) << doubled.out;
  EXPECT_NE(doubled.err.find("a second header"), std::string::npos) << doubled.err;
}

TEST_F(ordeal_verify, AFlippedBitInTheMiddleIsNoticed) {
  ASSERT_NO_FATAL_FAILURE(run_to_pass());
  const fs::path part = largest_part();
  const auto middle = static_cast<std::streamoff>(fs::file_size(part) / 2);
  std::fstream file(part, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(middle);
  const int byte = file.get();
  file.seekp(middle);
  file.put(static_cast<char>(byte ^ 0x10));
  file.close();
  const result found = verify(latest());
  EXPECT_EQ(found.exit_code, 5) << found.out;
  EXPECT_NE(found.err.find(part.filename().string() + " at byte "), std::string::npos) << found.err;
  EXPECT_NE(found.out.find("INCONCLUSIVE  small"), std::string::npos) << found.out;
}

TEST_F(ordeal_verify, WithoutAHistoryItSaysHowToGetOne) {
  const auto run = start(write("small.yaml", small_scenario(2)), {"--history", "none"});
  ASSERT_EQ(run->wait(run_limit), 0) << run->out() << run->err();
  EXPECT_FALSE(fs::exists(results("history")));
  const result found = verify(latest());
  EXPECT_EQ(found.exit_code, 5);
  EXPECT_NE(found.err.find("--history none"), std::string::npos) << found.err;
  EXPECT_NE(found.err.find("run it again: ordeal run"), std::string::npos) << found.err;
}

TEST_F(ordeal_verify, TheSurroundingsOfFindingsAreTooLittle) {
  const auto run =
      start(write("small.yaml", small_scenario(4)),
            {"--history", "violations", "--target", planted("one_client_misses_some").string()});
  ASSERT_EQ(run->wait(run_limit), 1) << run->out() << run->err();
  EXPECT_FALSE(fs::is_empty(results("history")));
  const result found = verify(latest());
  EXPECT_EQ(found.exit_code, 5);
  EXPECT_NE(found.err.find("--history violations"), std::string::npos) << found.err;
  EXPECT_NE(found.err.find("`ordeal history "), std::string::npos) << found.err;

  // But one can look at them: the lost message was sent, and reached others.
  std::istringstream lines(read_file(results("violations.jsonl")));
  std::string first;
  ASSERT_TRUE(std::getline(lines, first));
  const std::string message = json::value_to<std::string>(json::parse(first).at("message"));
  const result way = history(latest(), {"--message", message});
  EXPECT_EQ(way.exit_code, 0) << way.err;
  for (const char* kind : {"send_invoked", "send_settled", "tapped", "delivered"})
    EXPECT_NE(way.out.find("\"event\": \"" + std::string(kind) + "\", \"message\": \"" + message),
              std::string::npos)
        << kind << "\n"
        << way.out;
}

TEST_F(ordeal_verify, TheStrictContractConvictsWhatAWeakOneAllows) {
  // Clients on two nodes see two orders, which this target may do.
  const fs::path target = planted("neighbours_swapped");
  std::string text = read_file(target);
  const std::string total = "order: total";
  ASSERT_NE(text.find(total), std::string::npos);
  text.replace(text.find(total), total.size(), "order: per_sender");
  std::ofstream(target) << text;
  const auto run = start(write("small.yaml", small_scenario(4)), {"--target", target.string()});
  ASSERT_EQ(run->wait(run_limit), 0) << run->out() << run->err();
  EXPECT_EQ(verify(latest()).exit_code, 0);
  const result strict = verify(latest(), {"--as", "strict"});
  EXPECT_EQ(strict.exit_code, 1) << strict.out << strict.err;
  EXPECT_NE(strict.out.find("verdict: recorded pass, now fail"), std::string::npos) << strict.out;
  EXPECT_NE(strict.out.find("\nPROMISED delivery every_message, order total, "), std::string::npos)
      << strict.out;
  EXPECT_TRUE(json::value_to<std::string>(summary().at("promised")).find("order per_sender") !=
              std::string::npos);
}

TEST_F(ordeal_history, EveryEventIsALine) {
  ASSERT_NO_FATAL_FAILURE(run_to_pass());
  const result all = history(latest());
  ASSERT_EQ(all.exit_code, 0) << all.err;
  EXPECT_EQ(all.err, "");
  std::map<std::string, int> counts;
  std::istringstream lines(all.out);
  for (std::string line; std::getline(lines, line);)
    ++counts[json::value_to<std::string>(json::parse(line).at("event"))];
  EXPECT_GE(counts["send_invoked"], summary().at("totals").at("sent").to_number<int>());
  EXPECT_GE(counts["delivered"], summary().at("totals").at("delivered").to_number<int>());
  EXPECT_EQ(counts["run_ended"], 1);
  EXPECT_NE(all.out.find("\"phase\": \"steady\""), std::string::npos);
  const result few = history(latest(), {"--kind", "delivered", "--limit", "3"});
  EXPECT_EQ(std::count(few.out.begin(), few.out.end(), '\n'), 3) << few.out;
  const result none = history(latest(), {"--from", "9999"});
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_NE(none.err.find("no event"), std::string::npos) << none.err;
}

TEST_F(ordeal_history, AReaderThatHasHadEnoughIsNoFailure) {
  ASSERT_NO_FATAL_FAILURE(run_to_pass());
  const fs::path output = scratch_.path() / "pipe";
  fs::create_directories(output);
  const std::string line = binaries() + "/ordeal history " + latest().string() +
                           " | head -n 2; echo \"${PIPESTATUS[*]}\"";
  command program({"bash", "-c", line}, output);
  ASSERT_EQ(program.wait(run_limit), 0);
  EXPECT_TRUE(program.out().ends_with("\n0 0\n")) << program.out();
  EXPECT_EQ(program.err(), "");
}

TEST_F(ordeal_history, DamageIsNamedAndWhatComesBeforeItShown) {
  ASSERT_NO_FATAL_FAILURE(run_to_pass());
  const fs::path part = largest_part();
  fs::resize_file(part, fs::file_size(part) - 7);
  const result found = history(latest());
  EXPECT_EQ(found.exit_code, 5);
  EXPECT_NE(found.err.find(part.filename().string() + " at byte "), std::string::npos) << found.err;
  EXPECT_NE(found.out.find("\"event\": \"delivered\""), std::string::npos);
}

TEST_F(ordeal_history, WithoutAHistoryOrARunItSaysSo) {
  const auto run = start(write("small.yaml", small_scenario(2)), {"--history", "none"});
  ASSERT_EQ(run->wait(run_limit), 0) << run->out() << run->err();
  const result none = history(latest());
  EXPECT_EQ(none.exit_code, 5);
  EXPECT_NE(none.err.find("--history none"), std::string::npos) << none.err;
  const result missing = history(scratch_.path() / "nowhere");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_NE(missing.err.find("there is no"), std::string::npos) << missing.err;
}

TEST_F(ordeal_verify, WhatIsNoRunIsAMistakeOfTheCommandLine) {
  const result missing = verify(scratch_.path() / "nowhere");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_NE(missing.err.find("there is no"), std::string::npos) << missing.err;
  const result other = verify(scratch_.path());
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.err.find("it has no run.json"), std::string::npos) << other.err;
}

TEST_F(ordeal_verify, ARunWithoutLoadHasNothingToJudge) {
  std::string text = read_file(fs::path(ORDEAL_SELFTEST_SOURCES) / "planted.yaml");
  const std::string program = "[\"${bin}/planted_node\"]";
  text.replace(text.find(program), program.size(), "[sh, -c, \"exit 3\"]");
  const auto run =
      start(write("small.yaml", small_scenario(2, "", write("broken.yaml", text).string())));
  ASSERT_EQ(run->wait(run_limit), 6) << run->err();
  const result found = verify(latest());
  EXPECT_EQ(found.exit_code, 6) << found.err;
  EXPECT_NE(found.err.find("never began its load"), std::string::npos) << found.err;
}

}  // namespace
}  // namespace ordeal::test
