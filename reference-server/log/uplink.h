// What the way to Redis carries, learnt from appends: how much may be on its way at a time, so that an
// answer comes within `wanted`, and how much may wait in the node, so that a sender hears in time. Time
// counts, and not bytes: a quick link is filled with as much as there is. A plain value.
//
//   sent(1) sent(2) ─▶ link ─▶ answered(1) answered(2)    sent to answered: what was on its way, by the rate
//
// Halved when what was on its way took longer than that to pass or was never answered, doubled while it
// takes less than half. What the distance alone takes does not count: how long bytes take to pass is
// told by the time between two answers to appends that went one behind the other.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace ordeal::chat {

class uplink {
 public:
  using clock = std::chrono::steady_clock;

  static constexpr std::size_t least = 4U << 10, first = 32U << 10, most = 1U << 20;  // bytes

  explicit uplink(std::chrono::milliseconds wanted) : wanted_(wanted) {}

  // Of all appends on their way together; one may always go, whatever its size.
  std::size_t window() const { return window_; }
  // Of one append: so small that the next one can go while it is on its way.
  std::size_t batch_bytes() const { return window_ / 2; }
  std::size_t on_its_way() const { return on_its_way_; }
  // For another one. On a quick link one at a time: more of them would only keep Redis from those who read.
  bool has_room() const {
    if (on_its_way_ == 0) return true;
    return took_ * slow_part >= wanted_ && on_its_way_ + batch_bytes() <= window_;
  }

  // Bytes that pass within `time`, by the latest answers to appends that filled the window, and never less than some
  // windows: after a stall it must be possible to fill them. Unlimited as long as nothing filled it.
  std::size_t bytes_within(std::chrono::milliseconds time) const {
    constexpr double unlimited = 1e12;
    const double bytes = bytes_per_second_ * std::chrono::duration<double>(time).count();
    if (bytes_per_second_ == 0 || bytes > unlimited) return SIZE_MAX;
    return std::max(static_cast<std::size_t>(bytes), 4 * window_);
  }

  void on_sent(std::size_t bytes, clock::time_point at) {
    on_its_way_ += bytes;
    sent_.push_back(sent{bytes, on_its_way_, at});
  }

  // The oldest one.
  void on_answered(clock::time_point at) {
    const sent done = sent_.front();
    sent_.pop_front();
    on_its_way_ -= done.bytes;
    took_ = at - done.at;
    const clock::duration passing = passing_of(done, at);
    // A small one says nothing of what would pass.
    const bool was_filled = 3 * done.upto >= window_;
    if (was_filled) measure(done.upto, took_);
    if (done.at < changed_) return;
    if (passing > wanted_) {
      resize(done.upto / 2, at);
    } else if (was_filled && 2 * scaled(passing, window_, done.upto) < wanted_) {
      resize(2 * window_, at);
    }
  }

  // The connection is gone; `in_vain`: because no answer came in time.
  void on_lost(bool in_vain) {
    if (in_vain && on_its_way_ > 0) resize(on_its_way_ / 2, changed_);
    sent_.clear();
    on_its_way_ = 0;
    answered_.reset();
  }

 private:
  struct sent {
    std::size_t bytes = 0;
    std::size_t upto =
        0;  // bytes that pass before it is answered: its own and what was on its way before
    clock::time_point at;
  };

  // Of all that had to pass before it was answered.
  clock::duration passing_of(const sent& done, clock::time_point at) {
    const auto before = std::exchange(answered_, at);
    if (before && done.upto > done.bytes) {
      // Its own bytes began to arrive when those before it were there, or when they had come that far.
      const auto begun = std::min(at, std::max(*before, done.at + distance_));
      const auto passing = std::min(took_, scaled(at - begun, done.upto, done.bytes));
      distance_ = took_ - passing;
      return passing;
    }
    if (done.upto <= least / 4) distance_ = took_;
    return took_ - std::min(took_, distance_);
  }

  // What `bytes` take when `measured` took that.
  static clock::duration scaled(clock::duration that, std::size_t bytes, std::size_t measured) {
    const double part = static_cast<double>(bytes) / static_cast<double>(measured);
    const std::chrono::duration<double> seconds = part * that;
    return std::chrono::duration_cast<clock::duration>(seconds);
  }

  void measure(std::size_t bytes, clock::duration took) {
    const double seconds = std::max(std::chrono::duration<double>(took).count(), 1e-6);
    const double now = static_cast<double>(bytes) / seconds;
    bytes_per_second_ = bytes_per_second_ == 0 ? now : (bytes_per_second_ + now) / 2;
  }

  // What was sent before says nothing of the new size.
  void resize(std::size_t bytes, clock::time_point at) {
    window_ = std::clamp(bytes, least, most);
    changed_ = at;
  }

  static constexpr int slow_part = 10;  // of the wanted time, from which on a link is not quick

  std::chrono::milliseconds wanted_;
  clock::duration took_{0};  // the latest one
  std::size_t window_ = first;
  std::size_t on_its_way_ = 0;
  std::deque<sent> sent_;
  clock::duration distance_{0};
  std::optional<clock::time_point> answered_;  // the latest one, over this connection
  clock::time_point changed_{};
  double bytes_per_second_ = 0;  // 0: the window was never filled
};

}  // namespace ordeal::chat
