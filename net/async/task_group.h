// Structured concurrency: a group owns its children. Nobody else calls co_spawn.
//
//      owner ── spawn("reader", read_loop()) ──▶ child ─┐
//        │   └─ spawn("writer", write_loop()) ─▶ child ─┤ the first exception stops the siblings
//        └── join() ◀───────────────────────────────────┘ and is thrown here
//
// One thread: every member is called on the executor's thread. The owner awaits join() before it destroys the group;
// the destructor asserts that.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <exception>
#include <list>
#include <string>
#include <string_view>

#include "net/async/condition.h"

namespace ordeal::net {

class task_group {
 public:
  explicit task_group(asio::any_io_executor ex) : ex_(ex), changed_(ex) {}
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;
  ~task_group();

  // Starts a child. After cancel() it is not started: its frame is destroyed. `name` appears in failure_name().
  void spawn(std::string_view name, asio::awaitable<void> child);

  // Hard stop: terminal cancellation of every child, whose next co_await throws. A graceful end is a stop_event.
  void cancel();
  bool is_cancelled() const { return is_cancelled_; }

  std::size_t size() const { return children_.size(); }

  // Waits until no child is left, then throws the first exception of a child, if there was one.
  asio::awaitable<void> join();

  // The name of the child whose exception join() throws; empty when none failed.
  const std::string& failure_name() const { return failure_name_; }

 private:
  struct child {
    std::string name;
    asio::cancellation_signal signal;
  };

  void finished(std::list<child>::iterator which, std::exception_ptr failure);

  asio::any_io_executor ex_;
  condition changed_;
  std::list<child> children_;
  std::exception_ptr failure_;
  std::string failure_name_;
  bool is_cancelled_ = false;
};

}  // namespace ordeal::net
