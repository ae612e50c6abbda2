#include "reports/console.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "reports/text.h"

namespace ordeal::report {
namespace {

struct mark {
  const char* utf8;
  const char* ascii;
  const char* word;
  const char* color;
};

mark mark_of(std::string_view verdict) {
  if (verdict == "pass") return {"✓", "+", "PASS", "32"};
  if (verdict == "fail") return {"✗", "x", "FAIL", "31"};
  if (verdict == "inconclusive") return {"?", "?", "INCONCLUSIVE", "33"};
  if (verdict == "skipped") return {"–", "-", "SKIPPED", "2"};
  return {"!", "!", "ERROR", "31"};
}

int rank_of(std::string_view verdict) {
  if (verdict == "fail") return 0;
  if (verdict == "inconclusive") return 2;
  if (verdict == "pass") return 3;
  if (verdict == "skipped") return 4;
  return 1;
}

std::string colored(std::string_view text, const char* color, const style& with) {
  if (!with.has_color) return std::string(text);
  return "\x1b[" + std::string(color) + "m" + std::string(text) + "\x1b[0m";
}

std::string heading(std::string_view text, const style& with) {
  return colored(text, "1", with);
}

// What quotes a log has its lines behind it; they are said where it happened, not again.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

// Foreign text must not steer the terminal, nor break the line.
std::string printable(std::string_view text, const style& with) {
  std::string safe = terminal_text(text);
  for (char& c : safe) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || (!with.is_utf8 && byte >= 0x80)) c = byte < 0x20 ? ' ' : '?';
  }
  return safe;
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

std::string check_lines(const run_record& run, const style& with) {
  std::vector<check_row> checks = run.checks;
  std::stable_sort(checks.begin(), checks.end(), [](const check_row& a, const check_row& b) {
    return rank_of(a.verdict) < rank_of(b.verdict);
  });
  std::size_t word_width = 0, id_width = 0;
  for (const check_row& check : checks) {
    word_width = std::max(word_width, width_of(mark_of(check.verdict).word));
    id_width = std::max(id_width, width_of(check.id));
  }
  std::string text = heading("CHECKS", with) + "\n";
  for (const check_row& check : checks) {
    const mark m = mark_of(check.verdict);
    const std::string words =
        std::string(with.is_utf8 ? m.utf8 : m.ascii) + " " + padded(m.word, word_width);
    text += "  " + colored(words, m.color, with) + "  " + padded(check.id, id_width) + "  " +
            printable(first_line(check.detail), with) + "\n";
  }
  return text;
}

std::string recovery_text(const fault_row& fault) {
  std::optional<double> slowest;
  std::string missing;
  for (const auto& [node, seconds] : fault.recovery_s) {
    if (!seconds) {
      missing += (missing.empty() ? "" : ", ") + node;
    } else if (!slowest || *seconds > *slowest) {
      slowest = seconds;
    }
  }
  if (fault.state != "healed") return fault.state;
  if (!slowest) return "not seen to recover";
  return "recovered " + latency_text(*slowest * 1000) +
         (missing.empty() ? "" : " (not seen: " + missing + ")");
}

std::string fault_lines(const run_record& run, const style& with) {
  if (run.faults.empty()) return {};
  std::size_t name_width = 0, what_width = 0;
  const auto what = [](const fault_row& fault) {
    return fault.kind + (fault.target.empty() ? "" : " " + fault.target);
  };
  for (const fault_row& fault : run.faults) {
    name_width = std::max(name_width, width_of(fault.name));
    what_width = std::max(what_width, width_of(what(fault)));
  }
  std::string text = heading("FAULTS", with) + "\n";
  for (const fault_row& fault : run.faults) {
    const std::string held =
        fault.active_s && fault.healed_s ? duration_text(*fault.healed_s - *fault.active_s) : "-";
    text += "  " + padded(fault.name, name_width) + "  " + padded(what(fault), what_width) +
            "  at " + padded(moment_text(fault.active_s.value_or(fault.planned_s)), 8) + " held " +
            padded(held, 6) + " " + recovery_text(fault) + ", " + grouped(fault.findings) +
            (fault.findings == 1 ? " finding" : " findings") +
            (fault.could_touch ? ", could touch " + touched_text(*fault.could_touch, run.nodes)
                               : std::string()) +
            (fault.evidence.empty() ? "" : ": " + printable(fault.evidence, with)) + "\n";
  }
  return text;
}

// "client-1#5@room-1" among its neighbours, which are of one sender and one room: "#5".
std::string short_name(const std::string& message) {
  const std::size_t begin = message.find('#');
  return begin == std::string::npos ? message
                                    : message.substr(begin, message.find('@', begin) - begin);
}

std::string neighbours_text(const finding_row& found) {
  std::string text;
  for (const finding_row::neighbour_row& near : found.neighbours) {
    const bool is_due = near.outcome == "ok";
    text += (text.empty() ? "" : ", ") + short_name(near.message) + " " + near.outcome;
    if (is_due != near.has_arrived) text += is_due ? " missing" : " arrived";
  }
  return text;
}

std::string deliveries_text(const finding_row& found) {
  constexpr std::size_t shown_max = 3;
  const auto& all = found.last_deliveries;
  std::string text;
  for (std::size_t i = all.size() - std::min(all.size(), shown_max); i < all.size(); ++i) {
    text += (text.empty() ? "" : ", ") + all[i].second + " at " + moment_text(all[i].first);
  }
  return text;
}

std::string window_text(const finding_row& found) {
  if (found.fault.empty()) return {};
  std::string text = " [" + found.fault;
  if (found.window_begins_s) {
    text += ", " + moment_text(*found.window_begins_s) + " to " +
            (found.window_ends_s ? moment_text(*found.window_ends_s) : "the end");
  }
  return text + "]";
}

// The log that a detail quotes, line by line.
std::string quoted_lines(std::string_view detail, const style& with) {
  std::string text;
  for (std::size_t end = detail.find('\n'); end != std::string_view::npos;
       end = detail.find('\n')) {
    detail.remove_prefix(end + 1);
    const std::string_view line = first_line(detail);
    if (!line.empty()) text += "  " + printable(line, with) + "\n";
  }
  return text;
}

// The first of each kind, with what lay around it; all of them are in violations.jsonl.
std::string finding_lines(const run_record& run, const style& with) {
  std::string text;
  for (const finding_row& found : first_of_each_kind(run.examples)) {
    text += "  " + found.kind + " at " + moment_text(found.at_s) + ": " +
            printable(first_line(found.detail), with) + printable(window_text(found), with) + "\n" +
            quoted_lines(found.detail, with);
    const auto add = [&text, &with](const char* name, const std::string& line) {
      if (!line.empty()) text += "    " + padded(name, 10) + printable(line, with) + "\n";
    };
    add("where", found.hop);
    add("sender", neighbours_text(found));
    add("got last", deliveries_text(found));
    for (const finding_row::log_row& line : found.log)
      add("its log", moment_text(line.at_s) + " " + line.text +
                         (line.count > 1 ? " (" + grouped(line.count) + " x)" : ""));
  }
  return text.empty() ? text : heading("FINDINGS", with) + " the first of each kind\n" + text;
}

// Of each kind the most frequent ones; all are in summary.json.
std::string reason_lines(const run_record& run, const style& with) {
  constexpr std::size_t shown_of_kind = 3;
  std::string text, kind;
  std::size_t shown = 0, left_out = 0;
  for (const reason_row& reason : run.reasons) {
    if (std::exchange(kind, reason.kind) != reason.kind) shown = 0;
    if (shown++ >= shown_of_kind) {
      ++left_out;
      continue;
    }
    text += "  " + reason_head(reason) + ": " + printable(reason.text, with) + "\n";
  }
  if (left_out > 0) text += "  and " + std::to_string(left_out) + " more in summary.json\n";
  return text.empty() ? text
                      : heading("REASONS", with) + " what was said when something failed\n" + text;
}

std::string bar(double share, std::size_t width, const style& with) {
  const auto full =
      static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width) + 0.5);
  std::string text;
  for (std::size_t i = 0; i < width; ++i) {
    text += i < full ? (with.is_utf8 ? "█" : "#") : (with.is_utf8 ? "░" : ".");
  }
  return text;
}

std::string fault_note(const live_fault& fault) {
  if (fault.starts_in_s) return fault.name + " in " + duration_text(*fault.starts_in_s);
  if (fault.recovered_s)
    return fault.name + "  over, recovered in " + duration_text(*fault.recovered_s);
  return fault.name + "  " + fault.state;
}

// What a row of the display begins with; "recovery" is the longest of the usual ones.
std::string row_name(std::string_view name) {
  return " " + padded(name, 8) + " ";
}

std::string phase_time(const live_view& now) {
  if (now.phase_total_s <= 0) return duration_text(now.phase_elapsed_s);
  return duration_text(now.phase_elapsed_s) + " / " + duration_text(now.phase_total_s);
}

}  // namespace

bool wants_color(color_choice choice, int fd) {
  if (choice != color_choice::automatic) return choice == color_choice::always;
  if (is_set("NO_COLOR")) return false;
  if (is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE")) return true;
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!is_set(name)) continue;
    std::string value = std::getenv(name);
    std::transform(value.begin(), value.end(), value.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::string render_summary(const run_record& run, const style& with) {
  const mark m = mark_of(run.verdict);
  std::string text = colored(m.word, m.color, with) + "  " + printable(run.scenario, with) +
                     "   target " + printable(run.target, with) + " x" + std::to_string(run.nodes) +
                     "   seed " + std::to_string(run.seed) + "   run " + run.run_id + "   " +
                     duration_text(run.duration_s) + (run.was_interrupted ? "   interrupted" : "") +
                     "\n";
  text += check_lines(run, with);
  text += fault_lines(run, with);
  text += finding_lines(run, with);
  text += reason_lines(run, with);
  text += heading("TOTALS", with) + " " + grouped(run.sent) + " sent (" + grouped(run.ok) +
          " ok, " + grouped(run.fail) + " refused, " + grouped(run.info) + " unknown), " +
          grouped(run.delivered) + " of " + grouped(run.obligations) + " deliveries";
  if (run.delivered > 0) {
    text += ", p50 " + latency_text(run.p50_ms) + ", p99 " + latency_text(run.p99_ms) + ", max " +
            latency_text(run.max_ms);
  }
  text += "\n";
  const auto add = [&text, &with](const char* name, const std::string& line) {
    if (!line.empty()) text += heading(name, with) + " " + printable(first_line(line), with) + "\n";
  };
  add("PROMISED", run.promised);
  add("OBSERVED", run.observed);
  add("WHY", run.why);
  add("FILES", run.directory);
  add("REPLAY", run.replay);
  return text;
}

void result_counts::add(const std::string& verdict) {
  if (verdict == "pass") {
    ++passed;
  } else if (verdict == "skipped") {
    ++skipped;
  } else if (verdict == "inconclusive") {
    ++inconclusive;
  } else {
    ++failed;
  }
}

void result_counts::add_checks(const run_record& run) {
  for (const check_row& check : run.checks) add(check.verdict);
  if (run.checks.empty()) add(run.verdict);
}

std::string result_line(const result_counts& counts) {
  std::string text = "result: " + std::to_string(counts.passed) + " passed, " +
                     std::to_string(counts.failed) + " failed, " + std::to_string(counts.skipped) +
                     " skipped";
  if (counts.inconclusive > 0) text += ", " + std::to_string(counts.inconclusive) + " inconclusive";
  return text;
}

std::vector<std::string> render_live(const live_view& now, std::size_t width, const style& with) {
  std::vector<std::string> lines;
  lines.push_back(now.scenario + "   target " + now.target + " x" +
                  std::to_string(now.nodes_count) + "   seed " + std::to_string(now.seed) +
                  "   run " + now.run_id);
  std::string phase = row_name(now.phase);
  if (now.phase_total_s > 0) phase += bar(now.phase_elapsed_s / now.phase_total_s, 24, with) + "  ";
  phase += phase_time(now);
  if (now.next_fault) phase += "     next fault: " + fault_note(*now.next_fault);
  lines.push_back(phase);
  lines.push_back(row_name("fault") + (now.fault ? fault_note(*now.fault) : "none yet"));
  const std::array<std::pair<const char*, std::string>, 9> columns{
      {{"sent", grouped(now.sent)},
       {"expected", grouped(now.obligations)},
       {"delivered", grouped(now.delivered)},
       {"missing", grouped(now.missing)},
       {"late", grouped(now.late)},
       {"dup", grouped(now.duplicates)},
       {"order", grouped(now.reordered)},
       {"p50", latency_text(now.p50_ms)},
       {"p99", latency_text(now.p99_ms)}}};
  std::string names = row_name(""), values = row_name("all");
  for (const auto& [name, value] : columns) {
    const std::size_t column = std::max(width_of(name), value.size());
    names += std::string(column - width_of(name), ' ') + name + "  ";
    values += std::string(column - value.size(), ' ') + value + "  ";
  }
  lines.push_back(names);
  lines.push_back(values);
  for (const live_node& node : now.nodes) {
    lines.push_back(row_name(node.name) + padded(node.state, 9) + std::to_string(node.clients) +
                    " clients");
  }
  lines.push_back(" generator " +
                  std::string(now.lag_p99_ms > 100 || now.skipped_sends > 0 ? "behind" : "ok") +
                  " (lag p99 " + latency_text(now.lag_p99_ms) + ", " + grouped(now.skipped_sends) +
                  " skipped)");
  for (std::string& line : lines) {
    line = truncated(printable(line, with), width);
    while (!line.empty() && line.back() == ' ') line.pop_back();
  }
  return lines;
}

std::string heartbeat(const live_view& now, const std::string& clock) {
  std::string text = clock + " phase " + now.phase + " " + duration_text(now.phase_elapsed_s);
  if (now.phase_total_s > 0) text += "/" + duration_text(now.phase_total_s);
  return text + " sent=" + std::to_string(now.sent) +
         " delivered=" + std::to_string(now.delivered) + " missing=" + std::to_string(now.missing) +
         " dup=" + std::to_string(now.duplicates) + " order=" + std::to_string(now.reordered) +
         " p99=" + latency_text(now.p99_ms) + " lag=" + latency_text(now.lag_p99_ms);
}

std::string live_display::redraw(std::size_t old_count, const std::vector<std::string>& lines) {
  std::string bytes;
  if (old_count > 0) bytes += "\x1b[" + std::to_string(old_count) + "A\r";
  for (const std::string& line : lines) bytes += line + "\x1b[K\n";
  return bytes + "\x1b[J";
}

void live_display::draw(const std::vector<std::string>& lines,
                        std::chrono::steady_clock::time_point now) {
  if (!is_due(now)) return;
  next_ = now + std::chrono::milliseconds(250);
  put(redraw(drawn_count_, lines));
  drawn_count_ = lines.size();
}

void live_display::clear() {
  if (drawn_count_ > 0) put(redraw(drawn_count_, {}));
  drawn_count_ = 0;
}

// A terminal that is gone is no reason to end a run: the display just stays away.
void live_display::put(const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd_, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace ordeal::report
