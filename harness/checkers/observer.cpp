// Ordeal itself kept up: its event loop was not busy all the time, never stood still, and no queue of its own
// overflowed. When it did not keep up, late deliveries and slow clients may be its own doing.
#include <algorithm>

#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

constexpr std::uint32_t saturated_permille = 950;
constexpr std::uint32_t saturated_samples =
    3;  // in a row: a burst of a second is what queues are for
constexpr std::chrono::seconds stall_max{1};
constexpr std::chrono::seconds unwatched_max{
    10};  // load for so long without a sample: it was not watched

constexpr const char* remedy = "; use fewer clients or a lower rate on this machine";

class observer final : public checker {
 public:
  const char* id() const override { return "observer"; }

  void on(const phase_changed& what) override {
    if (what.kind == phase_kind::declared && !load_begun_) load_begun_ = what.at;
  }

  void on(const observer_usage& what) override {
    overflowed_ += what.overflowed;
    ++samples_;
    busiest_permille_ = std::max(busiest_permille_, what.busy_permille);
    if (what.stall > longest_stall_) {
      longest_stall_ = what.stall;
      stalled_at_ = what.at;
    }
    in_a_row_ = what.busy_permille >= saturated_permille ? in_a_row_ + 1 : 0;
    if (in_a_row_ > most_in_a_row_) {
      most_in_a_row_ = in_a_row_;
      saturated_at_ = what.at;
    }
  }

  bool casts_doubt_on_times() const override {
    return overflowed_ > 0 || longest_stall_ > stall_max || most_in_a_row_ >= saturated_samples;
  }

  check_result finish(run_time at) override {
    if (overflowed_ > 0) {
      return {id(), verdict::inconclusive,
              "Ordeal's own queues had no room for " + counted(overflowed_, "event", "events") +
                  ", so its history has gaps" + remedy};
    }
    if (samples_ == 0) return unwatched(at);
    if (longest_stall_ > stall_max) {
      return {id(), verdict::inconclusive,
              "Ordeal's own event loop stood still for " + text_of_duration(longest_stall_) +
                  " before " + text_of(stalled_at_) + ": what was late then may be its own doing" +
                  remedy};
    }
    if (most_in_a_row_ >= saturated_samples) {
      return {id(), verdict::inconclusive,
              "Ordeal's own event loop used its whole core for " +
                  counted(most_in_a_row_, "second", "seconds") + " until " +
                  text_of(saturated_at_) + ": what was late then may be its own doing" + remedy};
    }
    return {id(), verdict::pass,
            "event loop at most " + std::to_string(busiest_permille_ / 10) +
                " % busy, held up for " + text_of_duration(longest_stall_) + " at most"};
  }

 private:
  check_result unwatched(run_time at) const {
    if (load_begun_ && at - *load_begun_ >= unwatched_max) {
      return {id(), verdict::inconclusive,
              "Ordeal's own event loop was never looked at in " +
                  text_of_duration(at - *load_begun_) + " of load"};
    }
    return {id(), verdict::skipped, "the run was too short to look at Ordeal's own event loop"};
  }

  std::optional<run_time> load_begun_;
  std::uint64_t samples_ = 0, overflowed_ = 0;
  std::uint32_t busiest_permille_ = 0, in_a_row_ = 0, most_in_a_row_ = 0;
  std::chrono::nanoseconds longest_stall_{};
  run_time stalled_at_{}, saturated_at_{};
};

}  // namespace

std::unique_ptr<checker> make_observer(const bench&) {
  return std::make_unique<observer>();
}

}  // namespace ordeal::harness
