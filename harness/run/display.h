// The course of a run on stderr: a display that is redrawn on a terminal, plain lines elsewhere (one for each event
// and a heartbeat), or nothing. Control thread.
#pragma once

#include <string>
#include <vector>

#include "harness/run/engine.h"
#include "harness/run/run.h"
#include "reports/console.h"

namespace ordeal::harness {

report::style choose_style(color_mode color, int fd);

class display {
 public:
  // All references outlive the display.
  display(net::asio::any_io_executor ex, engine& of, const plan& what, const std::string& run_id,
          const run_options& options);

  // Until stop().
  net::asio::awaitable<void> run();
  void stop() { stopping_.set(); }

 private:
  enum class manner { live, plain, none };
  static manner choose(const run_options& options);

  report::live_view view_of(const engine_view& now) const;
  void tell_interruption(const engine_view& now);
  void tell_waiting(const engine_view& now);
  void show_live(const engine_view& now);
  void show_plain(const engine_view& now);
  void say(const engine_view& now, const std::string& text) const;

  engine& engine_;
  const plan& plan_;
  const std::string& run_id_;
  manner manner_;
  report::style style_;
  report::live_display screen_;
  net::stop_event stopping_;
  bool has_told_interruption_ = false, has_told_waiting_ = false;
  std::string shown_phase_;
  std::vector<fault::fault_state> shown_faults_;
  net::time_point next_heartbeat_;
};

}  // namespace ordeal::harness
