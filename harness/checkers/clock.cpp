// Time went on evenly: the wall clock was not set, and the machine did not sleep. Servers whose messages, sessions or
// timeouts hang on the wall clock may do anything then, and nobody could say whose fault it was.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class even_time final : public checker {
 public:
  const char* id() const override { return "clock"; }

  // The clocks are looked at as often as the event loop is, but tell only of jumps.
  void on(const observer_usage&) override { was_watched_ = true; }

  void on(const clock_jumped& what) override {
    if (count_++ == 0) first_ = what;
  }

  bool casts_doubt_on_times() const override { return count_ > 0; }

  check_result finish(run_time) override {
    if (count_ == 0) {
      if (was_watched_) return {id(), verdict::pass, "the clocks went on evenly"};
      return {id(), verdict::skipped, "the run was too short to look at the clocks"};
    }
    const std::string more =
        count_ == 1 ? "" : " (the first of " + std::to_string(count_) + " jumps)";
    if (first_.was_suspended) {
      return {id(), verdict::inconclusive,
              "the machine was suspended for " + text_of_duration(first_.step) + " before " +
                  text_of(first_.at) + more + "; run again while it stays awake"};
    }
    const bool is_ahead = first_.step.count() > 0;
    return {id(), verdict::inconclusive,
            "the wall clock was set " + text_of_duration(is_ahead ? first_.step : -first_.step) +
                (is_ahead ? " ahead" : " back") + " before " + text_of(first_.at) + more +
                "; run again with a clock that is only slewed"};
  }

 private:
  bool was_watched_ = false;
  std::uint64_t count_ = 0;
  clock_jumped first_;
};

}  // namespace

std::unique_ptr<checker> make_clock(const bench&) {
  return std::make_unique<even_time>();
}

}  // namespace ordeal::harness
