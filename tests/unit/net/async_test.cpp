// The async toolkit on an io_context without sockets. Time passes only in timers that are meant to
// expire or to be cut short; order is made by conditions and events.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/async/clock.h"
#include "net/async/condition.h"
#include "net/async/deadline.h"
#include "net/async/mailbox.h"
#include "net/async/task_group.h"
#include "net/async/time_allowance.h"
#include "net/async/turnstile.h"
#include "tests/support/run_coro.h"

namespace ordeal::net {
namespace {

using namespace std::chrono_literals;
using test::run_coro;

// Lets everything that is ready run.
asio::awaitable<void> yield() {
  const auto ex = co_await asio::this_coro::executor;
  co_await asio::post(ex, asio::use_awaitable);
}

asio::awaitable<void> note(std::vector<std::string>& notes, std::string text) {
  co_await yield();
  notes.push_back(std::move(text));
}

asio::awaitable<void> throw_when(stop_event& event, std::string text) {
  co_await event.wait();
  throw std::runtime_error(text);
}

// Ends only by cancellation; says so by throwing at its next step (once cancelled, every co_await throws).
asio::awaitable<void> wait_for_ever(int& ended_count) {
  struct counter {
    int& count;
    ~counter() { ++count; }
  };
  const counter counted{ended_count};
  const auto ex = co_await asio::this_coro::executor;
  stop_event never(ex);
  co_await never.wait();
}

asio::awaitable<std::string> message_of_join(task_group& group) {
  try {
    co_await group.join();
  } catch (const std::exception& thrown) {
    co_return thrown.what();
  }
  co_return "";
}

// ---- task_group

asio::awaitable<void> join_three() {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  std::vector<std::string> notes;
  group.spawn("a", note(notes, "a"));
  group.spawn("b", note(notes, "b"));
  group.spawn("c", note(notes, "c"));
  EXPECT_EQ(group.size(), 3U);
  co_await group.join();
  EXPECT_EQ(notes, std::vector<std::string>({"a", "b", "c"}));
  EXPECT_EQ(group.size(), 0U);
  EXPECT_EQ(group.failure_name(), "");
}

TEST(TaskGroup, JoinWaitsForEveryChild) {
  asio::io_context io{1};
  run_coro(io, join_three());
}

asio::awaitable<void> join_nobody() {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  co_await group.join();
  co_await group.join();
}

TEST(TaskGroup, JoinOfAnEmptyGroupReturns) {
  asio::io_context io{1};
  run_coro(io, join_nobody());
}

asio::awaitable<void> fail_among_siblings() {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  stop_event first(ex);
  stop_event second(ex);
  int ended_count = 0;
  group.spawn("waiter", wait_for_ever(ended_count));
  group.spawn("other waiter", wait_for_ever(ended_count));
  group.spawn("first", throw_when(first, "first failure"));
  group.spawn("second", throw_when(second, "second failure"));
  co_await yield();
  first.set();
  second.set();
  const std::string thrown = co_await message_of_join(group);
  EXPECT_EQ(thrown, "first failure");
  EXPECT_EQ(group.failure_name(), "first");
  EXPECT_EQ(ended_count, 2);
  EXPECT_TRUE(group.is_cancelled());
}

TEST(TaskGroup, FirstFailureIsNamedAndEndsTheSiblings) {
  asio::io_context io{1};
  run_coro(io, fail_among_siblings());
}

asio::awaitable<void> cancel_children() {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  int ended_count = 0;
  group.spawn("a", wait_for_ever(ended_count));
  group.spawn("b", wait_for_ever(ended_count));
  co_await yield();
  group.cancel();
  group.spawn("too late", wait_for_ever(ended_count));
  const std::string thrown = co_await message_of_join(group);
  EXPECT_EQ(thrown, "") << "an end by cancellation is no failure";
  EXPECT_EQ(ended_count, 2) << "the late child must not have started";
}

TEST(TaskGroup, CancelEndsChildrenWithoutAFailure) {
  asio::io_context io{1};
  run_coro(io, cancel_children());
}

asio::awaitable<void> cancel_before_start() {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  int ended_count = 0;
  group.spawn("a", wait_for_ever(ended_count));
  group.cancel();
  co_await group.join();
  EXPECT_LE(ended_count, 1);
}

TEST(TaskGroup, CancelReachesAChildThatHasNotRunYet) {
  asio::io_context io{1};
  run_coro(io, cancel_before_start());
}

asio::awaitable<void> own_a_group(stop_event& joined, int& ended_count) {
  const auto ex = co_await asio::this_coro::executor;
  task_group inner(ex);
  inner.spawn("inner", wait_for_ever(ended_count));
  co_await yield();
  inner.cancel();
  co_await inner.join();
  joined.set();
}

asio::awaitable<void> cancel_a_joiner() {
  const auto ex = co_await asio::this_coro::executor;
  task_group outer(ex);
  stop_event joined(ex);
  int ended_count = 0;
  outer.spawn("owner", own_a_group(joined, ended_count));
  co_await yield();
  co_await yield();
  outer.cancel();
  co_await outer.join();
  EXPECT_TRUE(joined.is_set());
  EXPECT_EQ(ended_count, 1);
}

TEST(TaskGroup, JoinWorksInACancelledOwner) {
  asio::io_context io{1};
  run_coro(io, cancel_a_joiner());
}

TEST(TaskGroupDeathTest, DestroyingAGroupWithChildrenIsABug) {
  const auto destroy_early = [] {
    asio::io_context io{1};
    int ended_count = 0;
    task_group group(io.get_executor());
    group.spawn("left behind", wait_for_ever(ended_count));
  };
  EXPECT_DEATH(destroy_early(), "assertion failed: children_.empty\\(\\)");
}

// ---- stop_event

asio::awaitable<void> wait_and_note(stop_event& event, std::vector<std::string>& notes) {
  co_await event.wait();
  notes.push_back("stopped");
}

asio::awaitable<void> set_an_event() {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  stop_event event(ex);
  std::vector<std::string> notes;
  group.spawn("a", wait_and_note(event, notes));
  group.spawn("b", wait_and_note(event, notes));
  co_await yield();
  EXPECT_TRUE(notes.empty());
  EXPECT_FALSE(event.is_set());
  event.set();
  event.set();
  co_await group.join();
  EXPECT_EQ(notes.size(), 2U);
  co_await event.wait();  // stays set
  const bool is_set = co_await event.wait_for(1h);
  EXPECT_TRUE(is_set);
}

TEST(StopEvent, WakesEveryWaiterAndStaysSet) {
  asio::io_context io{1};
  run_coro(io, set_an_event());
}

asio::awaitable<void> wait_in_vain() {
  const auto ex = co_await asio::this_coro::executor;
  stop_event event(ex);
  const time_point start = now();
  const bool is_set = co_await event.wait_for(20ms);
  EXPECT_FALSE(is_set);
  EXPECT_GE(now() - start, 20ms);
}

TEST(StopEvent, WaitForEndsAtItsTime) {
  asio::io_context io{1};
  run_coro(io, wait_in_vain());
}

asio::awaitable<void> set_it(stop_event& event) {
  co_await yield();
  event.set();
}

asio::awaitable<void> wait_shortened() {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  stop_event event(ex);
  group.spawn("setter", set_it(event));
  const bool is_set = co_await event.wait_for(1h);
  EXPECT_TRUE(is_set);
  co_await group.join();
}

TEST(StopEvent, SettingCutsWaitForShort) {
  asio::io_context io{1};
  run_coro(io, wait_shortened());
}

// ---- mailbox

asio::awaitable<void> push_numbers(mailbox<int>& box, int count) {
  for (int i = 0; i < count; ++i) {
    int item = i;
    while (!box.try_push(std::move(item))) co_await yield();
  }
  box.close();
}

asio::awaitable<void> pop_numbers() {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  mailbox<int> box(ex, 3);
  group.spawn("producer", push_numbers(box, 100));
  std::vector<int> popped;
  for (;;) {
    const std::optional<int> item = co_await box.pop();
    if (!item) break;
    popped.push_back(*item);
  }
  EXPECT_EQ(popped.size(), 100U);
  for (std::size_t i = 0; i < popped.size(); ++i) EXPECT_EQ(popped[i], static_cast<int>(i));
  co_await group.join();
}

TEST(Mailbox, HandsItemsOverInOrder) {
  asio::io_context io{1};
  run_coro(io, pop_numbers());
}

TEST(Mailbox, FullAndClosedRefuseAndLeaveTheItem) {
  asio::io_context io{1};
  mailbox<std::string> box(io.get_executor(), 1);
  std::string first = "first";
  std::string second = "second";
  EXPECT_TRUE(box.try_push(std::move(first)));
  EXPECT_FALSE(box.try_push(std::move(second)));
  EXPECT_EQ(second, "second");
  EXPECT_EQ(box.size(), 1U);
  box.close();
  EXPECT_TRUE(box.is_closed());
  EXPECT_FALSE(box.try_push(std::move(second)));
  EXPECT_EQ(second, "second");
}

asio::awaitable<void> pop_after_close() {
  const auto ex = co_await asio::this_coro::executor;
  mailbox<int> box(ex, 5);
  box.try_push(1);
  box.close();
  const std::optional<int> item = co_await box.pop();
  EXPECT_EQ(item, 1);
  const std::optional<int> end = co_await box.pop();
  EXPECT_FALSE(end);
}

TEST(Mailbox, WhatIsQueuedSurvivesClosing) {
  asio::io_context io{1};
  run_coro(io, pop_after_close());
}

asio::awaitable<void> pop_once(mailbox<int>& box, std::optional<int>& item, bool& has_returned) {
  item = co_await box.pop();
  has_returned = true;
}

asio::awaitable<void> close_or_cancel_a_popper(bool by_close) {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  mailbox<int> box(ex, 5);
  std::optional<int> item = 7;
  bool has_returned = false;
  group.spawn("popper", pop_once(box, item, has_returned));
  co_await yield();
  EXPECT_FALSE(has_returned);
  if (by_close)
    box.close();
  else
    group.cancel();
  co_await group.join();
  EXPECT_TRUE(has_returned);
  EXPECT_FALSE(item);
}

TEST(Mailbox, CloseAndCancelWakeThePopper) {
  asio::io_context io{1};
  run_coro(io, close_or_cancel_a_popper(true));
  run_coro(io, close_or_cancel_a_popper(false));
}

// ---- with_deadline

asio::awaitable<int> answer_soon() {
  co_await yield();
  co_return 42;
}

asio::awaitable<int> answer_never(bool& was_cancelled) {
  const auto ex = co_await asio::this_coro::executor;
  asio::steady_timer timer(ex, time_point::max());
  const auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  was_cancelled = ec == asio::error::operation_aborted;
  co_return 0;
}

asio::awaitable<void> race_the_clock() {
  const std::optional<int> in_time = co_await with_deadline(answer_soon(), 1h);
  EXPECT_EQ(in_time, 42);
  bool was_cancelled = false;
  const std::optional<int> too_late = co_await with_deadline(answer_never(was_cancelled), 10ms);
  EXPECT_FALSE(too_late);
  EXPECT_TRUE(was_cancelled);
}

TEST(WithDeadline, GivesTheResultOrCancelsTheOperation) {
  asio::io_context io{1};
  run_coro(io, race_the_clock());
}

asio::awaitable<void> wait_under_deadline(bool& was_cancelled) {
  co_await with_deadline(answer_never(was_cancelled), 1h);
}

asio::awaitable<void> cancel_under_deadline() {
  const auto ex = co_await asio::this_coro::executor;
  task_group group(ex);
  bool was_cancelled = false;
  group.spawn("waiter", wait_under_deadline(was_cancelled));
  co_await yield();
  co_await yield();
  group.cancel();
  co_await group.join();
  EXPECT_TRUE(was_cancelled);
}

TEST(WithDeadline, CancellationReachesTheOperation) {
  asio::io_context io{1};
  run_coro(io, cancel_under_deadline());
}

// ---- while_moving

asio::awaitable<int> move_ten_times(std::uint64_t& moved) {
  const auto ex = co_await asio::this_coro::executor;
  asio::steady_timer timer(ex);
  for (int i = 0; i < 10; ++i) {
    timer.expires_after(20ms);
    const auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (ec) co_return i;
    ++moved;
  }
  co_return 10;
}

asio::awaitable<void> move_or_not() {
  std::uint64_t moved = 0;
  const auto count = [&moved] { return moved; };
  const std::optional<int> moving = co_await while_moving(move_ten_times(moved), 100ms, count);
  EXPECT_EQ(moving, 10) << "twice the limit in all, and never still for it";
  bool was_cancelled = false;
  const std::optional<int> still = co_await while_moving(answer_never(was_cancelled), 10ms, count);
  EXPECT_FALSE(still);
  EXPECT_TRUE(was_cancelled);
}

TEST(WhileMoving, TakesItsTimeButDoesNotStandStill) {
  asio::io_context io{1};
  run_coro(io, move_or_not());
}

asio::awaitable<void> take_turn(turnstile& turns, std::vector<std::string>& notes,
                                std::string name) {
  turnstile::place mine(turns);
  co_await mine.wait();
  notes.push_back(name + " in");
  co_await yield();
  notes.push_back(name + " out");
}

asio::awaitable<void> take_turns(std::vector<std::string>& notes) {
  const auto ex = co_await asio::this_coro::executor;
  turnstile turns(ex);
  task_group group(ex);
  for (const char* name : {"a", "b", "c"}) group.spawn(name, take_turn(turns, notes, name));
  co_await group.join();
  EXPECT_EQ(turns.size(), 0U);
}

TEST(Turnstile, LetsOneInAtATimeInTheOrderOfComing) {
  asio::io_context io;
  std::vector<std::string> notes;
  run_coro(io, take_turns(notes), 5s);
  EXPECT_EQ(notes, (std::vector<std::string>{"a in", "a out", "b in", "b out", "c in", "c out"}));
}

asio::awaitable<void> leave_the_line(std::vector<std::string>& notes) {
  const auto ex = co_await asio::this_coro::executor;
  turnstile turns(ex);
  task_group impatient(ex);
  task_group patient(ex);
  {
    turnstile::place first(turns);
    impatient.spawn("impatient", take_turn(turns, notes, "impatient"));
    patient.spawn("patient", take_turn(turns, notes, "patient"));
    co_await yield();
    EXPECT_EQ(turns.size(), 3U);
    impatient.cancel();
    co_await impatient.join();
    EXPECT_EQ(turns.size(), 2U);
  }
  co_await patient.join();
}

TEST(Turnstile, GoesOnWithoutThoseThatWereCancelled) {
  asio::io_context io;
  std::vector<std::string> notes;
  run_coro(io, leave_the_line(notes), 5s);
  EXPECT_EQ(notes, (std::vector<std::string>{"patient in", "patient out"}));
}

TEST(TimeAllowance, IsSpentAndComesBackSlowly) {
  const time_point start = time_point() + 1'000s;
  time_allowance mine(10s, 10);
  EXPECT_EQ(mine.left(start), 10s);
  mine.spend(start, start + 4s);
  EXPECT_EQ(mine.left(start + 4s), 6s);
  EXPECT_EQ(mine.left(start + 14s), 7s);
  EXPECT_EQ(mine.left(start + 1'000s), 10s) << "never more than at first";
  EXPECT_LE(mine.due(), start + 4s);
}

TEST(TimeAllowance, WhoSpendsMoreThanThereIsWaitsForIt) {
  const time_point start = time_point() + 1'000s;
  time_allowance mine(1s, 2);
  mine.spend(start, start + 4s);
  EXPECT_EQ(mine.left(start + 4s), 0s);
  EXPECT_EQ(mine.due(), start + 10s);
  EXPECT_EQ(mine.left(start + 10s), 0s);
  EXPECT_EQ(mine.left(start + 11s), 500ms);
}

// Method: work of 3 ms whenever it is allowed, for a second of simulated time.
TEST(TimeAllowance, BoundsTheShareOfTheTime) {
  time_allowance mine(5ms, 2);
  time_point now = time_point() + 1'000s;
  const auto end = now + 1s;
  nanoseconds busy(0);
  while (now < end) {
    mine.spend(now, now + 3ms);
    busy += 3ms;
    now = std::max(now + 3ms, mine.due());
  }
  EXPECT_GE(busy, 330ms);
  EXPECT_LE(busy, 350ms);
}

}  // namespace
}  // namespace ordeal::net
