// The load was what the scenario asked for: the generator kept its own schedule. When it did not,
// latency and losses may be its fault, and the run proves nothing.
#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

constexpr std::chrono::milliseconds lag_p99_max{100};
constexpr double skipped_share_max = 0.01;

class generator final : public checker {
 public:
  explicit generator(const bench& at) : at_(at) {}
  const char* id() const override { return "generator"; }

  bool casts_doubt_on_times() const override { return has_lagged_; }

  check_result finish(run_time) override {
    const timings& times = at_.times;
    if (times.lag().count() + times.skipped() == 0)
      return {id(), verdict::inconclusive, "nothing was sent"};
    const auto lag = times.lag().quantile(0.99);
    // What nobody could make while the target was away is no fault of the generator.
    const std::uint64_t own = times.skipped_by_generator();
    const double skipped =
        static_cast<double>(own) / static_cast<double>(times.skipped() + at_.book.totals().sent);
    std::string detail =
        "lag p99 " + text_of_duration(lag) + ", " + counted(own, "send", "sends") + " skipped";
    if (times.skipped_away() > 0) {
      detail += "; " + counted(times.skipped_away(), "send", "sends") +
                " could not be made by anybody, as the target was away";
    }
    has_lagged_ = lag > lag_p99_max;
    if (has_lagged_) {
      return {id(), verdict::inconclusive, "the generator fell behind its schedule: " + detail};
    }
    if (skipped > skipped_share_max) {
      return {id(), verdict::inconclusive,
              "the generator left out more than 1 % of its sends: " + detail};
    }
    return {id(), verdict::pass, detail};
  }

 private:
  const bench at_;
  bool has_lagged_ = false;
};

}  // namespace

std::unique_ptr<checker> make_generator(const bench& at) {
  return std::make_unique<generator>(at);
}

}  // namespace ordeal::harness
