#include "harness/run/display.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include "harness/seconds.h"

#include <cstdio>
#include <iostream>

#include "net/async/clock.h"

namespace ordeal::harness {
namespace {

constexpr std::chrono::milliseconds poll_interval{250};
constexpr std::chrono::seconds heartbeat_interval{10};
constexpr std::size_t width_without_terminal = 100;

std::size_t terminal_width() {
  winsize size{};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : width_without_terminal;
}

std::string time_of_day() {
  return net::wall_time_iso8601().substr(11, 8);
}

report::color_choice choice_of(color_mode mode) {
  switch (mode) {
    case color_mode::always:
      return report::color_choice::always;
    case color_mode::never:
      return report::color_choice::never;
    case color_mode::automatic:
      break;
  }
  return report::color_choice::automatic;
}

}  // namespace

report::style choose_style(color_mode color, int fd) {
  return {report::wants_color(choice_of(color), fd), report::is_utf8_locale()};
}

display::manner display::choose(const run_options& options) {
  switch (options.progress) {
    case progress_mode::live:
      return manner::live;
    case progress_mode::plain:
      return manner::plain;
    case progress_mode::none:
      return manner::none;
    case progress_mode::automatic:
      break;
  }
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return ::isatty(STDERR_FILENO) != 0 && !is_dumb ? manner::live : manner::plain;
}

display::display(net::asio::any_io_executor ex, engine& of, const plan& what,
                 const std::string& run_id, const run_options& options)
    : engine_(of),
      plan_(what),
      run_id_(run_id),
      manner_(choose(options)),
      style_(choose_style(options.color, STDERR_FILENO)),
      screen_(STDERR_FILENO),
      stopping_(ex),
      shown_faults_(what.faults.size(), fault::fault_state::planned),
      next_heartbeat_(net::now() + heartbeat_interval) {}

net::asio::awaitable<void> display::run() {
  if (manner_ == manner::none) co_return;
  if (manner_ == manner::plain) {
    std::cerr << time_of_day() << " run " << run_id_ << " scenario=" << plan_.scenario.name
              << " target=" << plan_.target.name << " nodes=" << plan_.scenario.nodes
              << " clients=" << plan_.clients.size() << " seed=" << plan_.seed << std::endl;
  }
  bool is_over = false;
  while (!is_over) {
    is_over = co_await stopping_.wait_for(poll_interval);
    const engine_view now = co_await engine_.view();
    tell_interruption(now);
    tell_waiting(now);
    if (manner_ == manner::live) {
      show_live(now);
    } else {
      show_plain(now);
    }
  }
  screen_.clear();
}

void display::tell_interruption(const engine_view& now) {
  if (!now.is_cut_short || has_told_interruption_) return;
  has_told_interruption_ = true;
  screen_.clear();
  std::cerr
      << "interrupted: healing, draining and judging what there is; a second signal leaves at once"
      << std::endl;
}

void display::tell_waiting(const engine_view& now) {
  if (now.waiting.empty() || has_told_waiting_) return;
  has_told_waiting_ = true;
  screen_.clear();
  std::cerr << time_of_day() << " waiting: " << now.waiting << std::endl;
}

void display::show_live(const engine_view& now) {
  screen_.draw(report::render_live(view_of(now), terminal_width(), style_), net::now());
}

void display::say(const engine_view& now, const std::string& text) const {
  char since[32];
  std::snprintf(since, sizeof since, "%+.1fs", now.has_begun ? seconds(now.since_zero) : 0.0);
  std::cerr << time_of_day() << ' ' << text << " at=" << since << std::endl;
}

void display::show_plain(const engine_view& now) {
  if (now.phase != shown_phase_) {
    shown_phase_ = now.phase;
    say(now, "phase " + now.phase);
  }
  for (std::size_t i = 0; i < now.fault_states.size(); ++i) {
    if (now.fault_states[i] == shown_faults_[i]) continue;
    shown_faults_[i] = now.fault_states[i];
    say(now, "fault " + plan_.faults[i].name + " " + fault::name_of(now.fault_states[i]) +
                 " kind=" + plan_.faults[i].kind);
  }
  if (net::now() < next_heartbeat_) return;
  next_heartbeat_ += heartbeat_interval;
  std::cerr << report::heartbeat(view_of(now), time_of_day()) << std::endl;
}

report::live_view display::view_of(const engine_view& now) const {
  report::live_view view;
  view.scenario = plan_.scenario.name;
  view.target = plan_.target.name;
  view.run_id = run_id_;
  view.nodes_count = plan_.scenario.nodes;
  view.seed = plan_.seed;
  view.phase = now.phase;
  view.phase_elapsed_s = seconds(now.since_zero - now.phase_begun);
  view.phase_total_s = seconds(now.phase_ends - now.phase_begun);
  for (std::size_t i = 0; i < now.fault_states.size(); ++i) {
    report::live_fault shown;
    shown.name = plan_.faults[i].name;
    shown.state = fault::name_of(now.fault_states[i]);
    if (now.fault_states[i] != fault::fault_state::planned) {
      view.fault = shown;
    } else if (!view.next_fault && now.has_begun) {
      shown.starts_in_s = seconds(plan_.faults[i].at - now.since_zero);
      view.next_fault = shown;
    }
  }
  const progress& counts = now.now;
  view.sent = counts.counts.sent;
  view.obligations = counts.counts.obligations;
  view.delivered = counts.counts.delivered;
  view.missing = counts.missing;
  view.late = counts.findings[static_cast<std::size_t>(finding_kind::late)];
  view.duplicates = counts.findings[static_cast<std::size_t>(finding_kind::duplicate)];
  view.reordered = counts.findings[static_cast<std::size_t>(finding_kind::reordered)] +
                   counts.findings[static_cast<std::size_t>(finding_kind::diverged)];
  view.p50_ms = counts.latency.p50_ms;
  view.p99_ms = counts.latency.p99_ms;
  view.lag_p99_ms = counts.lag_p99_ms;
  for (std::size_t i = 0; i < now.node_states.size(); ++i) {
    report::live_node node;
    node.name = name_of(node_id(i));
    node.state = now.node_states[i] == node_state::ready      ? "ok"
                 : now.node_states[i] == node_state::starting ? "starting"
                                                              : "down";
    node.clients = i < now.clients.connected_by_node.size() ? now.clients.connected_by_node[i] : 0;
    view.nodes.push_back(node);
  }
  return view;
}

}  // namespace ordeal::harness
