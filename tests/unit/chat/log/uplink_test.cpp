// Goal: the window carries what an answer within the wanted time allows, on links of every kind. A link is a rate and a
// distance; appends that fill the window go over it one behind the other, by a clock of the test's own.
#include "reference-server/log/uplink.h"

#include <gtest/gtest.h>

#include <deque>

namespace ordeal::test {
namespace {

using namespace std::chrono_literals;
using chat::uplink;

class Uplink : public testing::Test {
 protected:
  using nanoseconds = std::chrono::nanoseconds;

  // Bytes go one behind the other; the answer comes a distance after the last of them.
  void send(std::size_t bytes) {
    if (free_at_ < now_) idle_ += now_ - free_at_;
    free_at_ = std::max(free_at_, now_) + passing(bytes);
    sent_.push_back({now_, free_at_ + distance_});
    uplink_.on_sent(bytes, now_);
    most_at_once_ = std::max(most_at_once_, sent_.size());
  }
  void hear() {
    now_ = std::max(now_, sent_.front().second);
    longest_ = std::max(longest_, now_ - sent_.front().first);
    sent_.pop_front();
    uplink_.on_answered(now_);
  }
  // As much as may go, all the time.
  void saturate(int answers) {
    longest_ = {};
    for (int i = 0; i < answers; ++i) {
      while (sent_.empty() || uplink_.has_room()) send(uplink_.batch_bytes());
      hear();
    }
  }
  nanoseconds passing(std::size_t bytes) const {
    const double seconds = static_cast<double>(bytes) / bytes_per_second_;
    return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(seconds));
  }
  void expect_rate() {
    EXPECT_NEAR(static_cast<double>(uplink_.bytes_within(20s)), 20 * bytes_per_second_,
                5 * bytes_per_second_);
  }

  double bytes_per_second_ = 32'000;
  nanoseconds distance_ = 1ms;
  uplink uplink_{1'000ms};
  uplink::clock::time_point now_{1'000s}, free_at_{};
  std::deque<std::pair<uplink::clock::time_point, uplink::clock::time_point>> sent_;
  nanoseconds longest_{}, idle_{};
  std::size_t most_at_once_ = 0;
};

TEST_F(Uplink, OnAThinLinkAnswersComeInTime) {
  saturate(100);
  EXPECT_LE(longest_, 1'100ms) << "from the first one on";
  EXPECT_GE(uplink_.window(), 16'000U) << "half a second of it";
  expect_rate();
}

TEST_F(Uplink, OnAThinnerLinkItShrinksOnce) {
  bytes_per_second_ = 8'000;
  saturate(20);
  saturate(20);
  EXPECT_LE(longest_, 1'100ms);
  EXPECT_LE(uplink_.window(), 8'500U);
  expect_rate();
}

TEST_F(Uplink, AQuickLinkIsFilled) {
  bytes_per_second_ = 1e9;
  saturate(50);
  EXPECT_EQ(uplink_.window(), uplink::most);
}

TEST_F(Uplink, OnAQuickLinkOneGoesAtATime) {
  bytes_per_second_ = 1e9;
  saturate(50);
  EXPECT_EQ(most_at_once_, 1U);
}

TEST_F(Uplink, AThinLinkIsNeverIdle) {
  saturate(10);
  const auto idle_before = idle_;
  saturate(50);
  EXPECT_EQ(idle_, idle_before)
      << "the next one is there before the last byte of this one has passed";
}

TEST_F(Uplink, ADistantOneToo) {
  bytes_per_second_ = 1e9;
  distance_ = 300ms;
  saturate(50);
  EXPECT_EQ(uplink_.window(), uplink::most);
}

// Small appends tell the distance when it is longer than answers are to take.
TEST_F(Uplink, AFarLinkIsNotTakenForAThinOne) {
  bytes_per_second_ = 1e7;
  saturate(50);
  distance_ = 3s;
  saturate(100);
  EXPECT_EQ(uplink_.window(), uplink::most);
}

TEST_F(Uplink, ALinkThatGetsThinIsLearnt) {
  bytes_per_second_ = 1e9;
  saturate(50);
  bytes_per_second_ = 32'000;
  while (!sent_.empty()) hear();
  saturate(50);
  saturate(50);
  EXPECT_LE(longest_, 1'100ms);
  expect_rate();
}

TEST_F(Uplink, SmallAppendsSayNothingOfWhatWouldPass) {
  for (int i = 0; i < 100; ++i) {
    send(300);
    hear();
    now_ += 1s;
  }
  EXPECT_EQ(uplink_.window(), uplink::first);
  EXPECT_EQ(uplink_.bytes_within(5s), SIZE_MAX) << "nobody has seen a limit";
}

TEST_F(Uplink, WhatWasNotAnsweredInTimeIsHalved) {
  send(20'000);
  uplink_.on_lost(true);
  EXPECT_EQ(uplink_.window(), 10'000U);
  EXPECT_EQ(uplink_.on_its_way(), 0U);
  uplink_.on_lost(true);
  EXPECT_EQ(uplink_.window(), 10'000U) << "nothing was on its way";
  send(500);
  uplink_.on_lost(false);
  EXPECT_EQ(uplink_.window(), 10'000U) << "a connection that breaks says nothing";
}

TEST_F(Uplink, NeverNothing) {
  for (int i = 0; i < 30; ++i) {
    send(uplink_.batch_bytes());
    uplink_.on_lost(true);
  }
  EXPECT_EQ(uplink_.window(), uplink::least);
}

}  // namespace
}  // namespace ordeal::test
