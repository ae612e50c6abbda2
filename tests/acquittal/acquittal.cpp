// ordeal-acquittal: no false alarm. Runs the whole program on scenarios drawn at random against targets that are
// correct; every one must pass without a finding. Whoever finds something here has found a bug of the judge, or of a
// target. Ends only runs that it started.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "tests/acquittal/draw.h"
#include "tests/acquittal/outcome.h"
#include "tests/support/command.h"

namespace ordeal::acquittal {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

constexpr double inconclusive_share_max = 0.02;
constexpr std::size_t violations_shown = 5;

struct target {
  std::string name;
  std::string file;
};

struct options {
  std::size_t runs = 6;
  std::uint64_t seed = 1;
  std::size_t parallel = 2;
  int seconds_max = 150;
  std::string only;  // one target instead of all in turn
  fs::path keep;     // results of runs that did not pass
  bool is_showing = false;
};

struct tally {
  std::size_t runs = 0, passed = 0, inconclusive = 0, failed = 0;
  std::map<std::string, std::size_t> reasons;  // why inconclusive
};

const std::vector<target> targets{{"reference", ORDEAL_ACQUITTAL_REFERENCE},
                                  {"planted", ORDEAL_ACQUITTAL_PLANTED}};

std::vector<target> chosen_targets(const options& what) {
  if (what.only.empty()) return targets;
  std::vector<target> chosen;
  for (const target& each : targets) {
    if (each.name == what.only) chosen.push_back(each);
  }
  return chosen;
}

std::string first_lines(const std::string& text, std::size_t count) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; count > 0 && std::getline(lines, line); --count)
    result += "    " + line + "\n";
  return result;
}

class acquittal {
 public:
  explicit acquittal(const options& what)
      : options_(what),
        targets_(chosen_targets(what)),
        binaries_(fs::read_symlink("/proc/self/exe").parent_path()) {}

  int run() {
    std::vector<std::thread> workers;
    for (std::size_t i = 0; i < options_.parallel; ++i) workers.emplace_back([this] { work(); });
    for (std::thread& each : workers) each.join();
    return report();
  }

 private:
  void work() {
    for (std::size_t index = next_++; index < options_.runs; index = next_++) {
      const target& against = targets_[index % targets_.size()];
      try {
        run_one(against, draw(options_.seed + index));
      } catch (const std::exception& thrown) {
        note(against, {standing::failed, std::string("it could not be run: ") + thrown.what(), {}},
             std::to_string(options_.seed + index), {});
      }
    }
  }

  void run_one(const target& against, const drawn_scenario& drawn) {
    const std::string name = against.name + "-" + std::to_string(drawn.seed);
    const fs::path directory = options_.keep / name;
    fs::create_directories(directory);
    const fs::path scenario = directory / "scenario.yaml";
    std::ofstream(scenario) << to_yaml(drawn, against.file);

    const auto begun = clock::now();
    std::optional<int> exit_code;
    {
      test::command run(
          {binaries_ / "ordeal", "run", scenario.string(), "--seed", std::to_string(drawn.seed),
           "--progress", "none", "--results", (directory / "results").string()},
          directory);
      exit_code = run.wait(std::chrono::seconds(options_.seconds_max));
      if (!exit_code) {
        run.signal(SIGTERM);  // what it knows so far; the end of its scope kills it
        run.wait(std::chrono::seconds(15));
      }
    }
    const double took_s = std::chrono::duration<double>(clock::now() - begun).count();
    const fs::path results = directory / "results/latest";
    const outcome found = classify(exit_code, test::read_file(results / "summary.json"));

    std::ostringstream row;
    row.precision(1);
    row << std::fixed << drawn.seed << "  " << took_s << " s  " << one_line(drawn);
    std::string evidence;
    if (found.result == standing::passed) {
      fs::remove_all(directory);
    } else {
      evidence = "  again: ordeal-acquittal --runs 1 --seed " + std::to_string(drawn.seed) +
                 " --target " + against.name + "\n  kept: " + directory.string() + "\n" +
                 first_lines(test::read_file(results / "violations.jsonl"), violations_shown) +
                 first_lines(test::read_file(directory / "stderr"), violations_shown) +
                 test::read_file(scenario);
    }
    note(against, found, row.str(), evidence);
  }

  void note(const target& against, const outcome& found, const std::string& row,
            const std::string& evidence) {
    static constexpr const char* words[] = {"pass", "inconclusive", "FAIL"};
    const std::lock_guard lock(mutex_);
    tally& of = tallies_[against.name];
    ++of.runs;
    if (found.result == standing::passed) ++of.passed;
    if (found.result == standing::inconclusive) ++of.inconclusive;
    if (found.result == standing::failed) ++of.failed;
    for (const std::string& reason : found.reasons) ++of.reasons[reason];
    std::printf("%-12s %-9s  seed %s\n", words[static_cast<std::size_t>(found.result)],
                against.name.c_str(), row.c_str());
    if (!found.why.empty()) std::printf("  %s\n%s", found.why.c_str(), evidence.c_str());
    std::fflush(stdout);
  }

  int report() const {
    std::printf("\n%-10s %6s %7s %13s %7s\n", "target", "runs", "passed", "inconclusive", "failed");
    std::size_t runs = 0, inconclusive = 0, failed = 0;
    for (const auto& [name, of] : tallies_) {
      std::printf("%-10s %6zu %7zu %13zu %7zu", name.c_str(), of.runs, of.passed, of.inconclusive,
                  of.failed);
      for (const auto& [reason, count] : of.reasons)
        std::printf("  %s: %zu", reason.c_str(), count);
      std::printf("\n");
      runs += of.runs;
      inconclusive += of.inconclusive;
      failed += of.failed;
    }
    const bool is_sure =
        static_cast<double>(inconclusive) <= inconclusive_share_max * static_cast<double>(runs);
    if (failed > 0) std::printf("%zu of %zu correct runs were not acquitted\n", failed, runs);
    if (!is_sure) {
      std::printf("%zu of %zu runs were inconclusive, more than %.0f %%\n", inconclusive, runs,
                  100 * inconclusive_share_max);
    }
    return failed == 0 && is_sure ? EXIT_SUCCESS : EXIT_FAILURE;
  }

  const options options_;
  const std::vector<target> targets_;
  const fs::path binaries_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::map<std::string, tally> tallies_;
};

void show(const options& what) {
  for (std::size_t i = 0; i < what.runs; ++i) {
    const std::vector<target> chosen = chosen_targets(what);
    const drawn_scenario drawn = draw(what.seed + i);
    std::cout << "# " << one_line(drawn) << '\n'
              << to_yaml(drawn, chosen[i % chosen.size()].file) << '\n';
  }
}

int run(options what) {
  if (what.is_showing) {
    show(what);
    return EXIT_SUCCESS;
  }
  const bool is_own = what.keep.empty();
  if (is_own) {
    std::string name = (fs::temp_directory_path() / "ordeal-acquittal-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    what.keep = name;
  }
  const int code = acquittal(what).run();
  std::error_code ec;
  if (is_own) fs::remove(what.keep, ec);  // succeeds when nothing was kept
  return code;
}

}  // namespace
}  // namespace ordeal::acquittal

int main(int count, char** arguments) {
  ordeal::acquittal::options what;
  CLI::App app("Runs scenarios drawn at random against correct targets: all must pass.");
  app.add_option("--runs", what.runs, "how many")->check(CLI::Range(1, 100'000));
  app.add_option("--seed", what.seed, "of the first run; the others count up from it");
  app.add_option("--parallel", what.parallel, "runs at a time")->check(CLI::Range(1, 64));
  app.add_option("--target", what.only, "one target instead of all in turn")
      ->check(CLI::IsMember({"reference", "planted"}));
  app.add_option("--seconds-max", what.seconds_max, "of one run, then it is ended")
      ->check(CLI::Range(10, 3'600));
  app.add_option("--keep", what.keep, "folder for the results of runs that did not pass");
  app.add_flag("--show", what.is_showing, "print the scenarios and run nothing");
  CLI11_PARSE(app, count, arguments);
  try {
    return ordeal::acquittal::run(what);
  } catch (const std::exception& thrown) {
    std::cerr << "error: " << thrown.what() << '\n';
    return 2;
  }
}
