#include "harness/run/show_history.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "harness/run/history_text.h"
#include "harness/run/stored_run.h"
#include "harness/seconds.h"
#include "reports/text.h"

namespace ordeal::harness {
namespace {

// Lines to stdout by the block. Never blocks on less than a full one.
class line_output {
 public:
  void add(const std::string& line) {
    bytes_.append(line).push_back('\n');
    if (bytes_.size() >= block_bytes) flush();
  }

  void flush() {
    std::string_view rest = bytes_;
    while (!rest.empty() && !is_closed_) {
      const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (written >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EPIPE) {
        is_closed_ = true;
      } else if (errno != EINTR) {
        throw refusal{exit_code::results_not_written,
                      std::string("cannot write to stdout: ") + std::strerror(errno),
                      {}};
      }
    }
    bytes_.clear();
  }

  // Nobody reads any more.
  bool is_closed() const { return is_closed_; }

 private:
  static constexpr std::size_t block_bytes = 64 * 1024;
  std::string bytes_;
  bool is_closed_ = false;
};

std::string moment(run_time at) {
  return report::moment_text(seconds(at));
}

std::string text_of(const history_hole& hole, history_mode mode) {
  const std::string where = std::to_string(hole.events) + " events between " + moment(hole.from) +
                            " and " + moment(hole.until) + " are not in the history";
  return mode == history_mode::violations ? where + ": the run kept what lies around its findings"
                                          : where + ": the disk did not keep up";
}

class shown_history {
 public:
  explicit shown_history(const show_history_options& options)
      : run_(read_run(options.run)),
        history_(open_history(run_)),
        terms_(terms_in(*history_)),
        filter_(options.wanted, terms_),
        limit_(options.limit) {}

  exit_code show() {
    std::uint64_t shown = 0;
    while (shown < limit_ && !output_.is_closed()) {
      const std::optional<event> next = history_->next();
      tell_holes();
      if (!next) break;
      has_ended_ = std::holds_alternative<run_ended>(*next);
      if (!filter_.takes(*next)) continue;
      output_.add(line_of(*next, terms_));
      ++shown;
    }
    output_.flush();
    if (shown == limit_ || output_.is_closed()) return exit_code::pass;
    if (shown == 0) std::cerr << "note: no event in the history is like that\n";
    return tell_end();
  }

 private:
  void tell_holes() {
    const std::vector<history_hole>& holes = history_->holes();
    for (; told_holes_ < holes.size(); ++told_holes_) {
      const history_hole& hole = holes[told_holes_];
      if (filter_.takes_between(hole.from, hole.until))
        say("note", text_of(hole, history_->mode()));
    }
  }

  exit_code tell_end() {
    if (const auto damage = history_->damage()) {
      say("warning", text_of(*damage) + "; what comes before it is shown");
      return exit_code::inconclusive;
    }
    if (!has_ended_ && history_->mode() == history_mode::full) {
      say("note", "the history stops before the end of the run, which was killed or still goes on");
    }
    return exit_code::pass;
  }

  // After the lines before it, where both go to one terminal.
  void say(const char* kind, const std::string& text) {
    output_.flush();
    std::cerr << kind << ": " << text << std::endl;
  }

  const stored_run run_;
  const std::unique_ptr<history_reader> history_;
  const terms terms_;
  const history_filter filter_;
  const std::uint64_t limit_;
  line_output output_;
  std::size_t told_holes_ = 0;
  bool has_ended_ = false;
};

}  // namespace

exit_code show_history(const show_history_options& options) {
  return run_or_refuse([&] { return shown_history(options).show(); });
}

}  // namespace ordeal::harness
