// What people see: the end of a run on stdout, and its course on stderr, either as a display that
// is redrawn or as plain lines. The renderers are pure functions; live_display adds when and where
// to draw. Marks never speak by colour alone.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "reports/record.h"

namespace ordeal::report {

struct style {
  bool has_color = false;
  bool is_utf8 = true;
};

enum class color_choice { automatic, always, never };
// The flag beats NO_COLOR beats FORCE_COLOR and CLICOLOR_FORCE beats "is it a terminal, and not a
// dumb one".
bool wants_color(color_choice choice, int fd);
// By LC_ALL, LC_CTYPE, LANG.
bool is_utf8_locale();

// --- the end of a run

// Failed checks first, then faults, why, files and how to run it again.
std::string render_summary(const run_record& run, const style& with);

struct result_counts {
  std::size_t passed = 0, failed = 0, skipped = 0, inconclusive = 0;

  // "pass", "fail", ...; an error counts as failed.
  void add(const std::string& verdict);
  void add_checks(const run_record& run);
};
// The last line of stdout: "result: 4 passed, 1 failed, 0 skipped" and, if any, ", 1 inconclusive".
std::string result_line(const result_counts& counts);

// --- its course

struct live_node {
  std::string name;
  std::string state;          // "ok", "down", "starting"
  std::uint64_t clients = 0;  // connected there
};

struct live_fault {
  std::string name;
  std::string state;                  // "injecting", "active", ...
  std::optional<double> starts_in_s;  // it is still to come
  std::optional<double> recovered_s;  // it is over
};

struct live_view {
  std::string scenario, target, run_id;
  std::uint64_t nodes_count = 0, seed = 0;
  std::string phase;
  double phase_elapsed_s = 0;
  double phase_total_s = 0;         // 0: open end
  std::optional<live_fault> fault;  // the present or latest one
  std::optional<live_fault> next_fault;
  std::uint64_t sent = 0, obligations = 0, delivered = 0, missing = 0, late = 0, duplicates = 0,
                reordered = 0;
  double p50_ms = 0, p99_ms = 0, lag_p99_ms = 0;
  std::uint64_t skipped_sends = 0;
  std::vector<live_node> nodes;
};

// Lines no wider than `width`, without line ends.
std::vector<std::string> render_live(const live_view& now, std::size_t width, const style& with);
// "07:42:41 phase steady 2m30s/4m0s sent=30204 ..."; `clock` is the time of day.
std::string heartbeat(const live_view& now, const std::string& clock);

// Redraws in place, at most four times a second. Other output to the same terminal goes between
// clear() and draw().
class live_display {
 public:
  explicit live_display(int fd) : fd_(fd) {}

  bool is_due(std::chrono::steady_clock::time_point now) const { return now >= next_; }
  void draw(const std::vector<std::string>& lines, std::chrono::steady_clock::time_point now);
  // Takes the display off the screen.
  void clear();

  // The bytes that replace `old_count` lines by these.
  static std::string redraw(std::size_t old_count, const std::vector<std::string>& lines);

 private:
  void put(const std::string& bytes);

  int fd_;
  std::size_t drawn_count_ = 0;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace ordeal::report
