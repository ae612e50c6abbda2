// One client's place in one room: which entries it still wants.
//
//      Join(cursor) ──▶ replaying, in no room ──▶ start(), entered: new entries go to the queue
//
// Shared by the session and its running Join; the room table keeps a plain pointer. No I/O, one
// thread.
#pragma once

#include <string>
#include <utility>

#include "reference-server/hub/flusher.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

class room;

class membership {
 public:
  membership(outlet& out, std::string room_name) : out_(out), room_name_(std::move(room_name)) {}
  membership(const membership&) = delete;
  membership& operator=(const membership&) = delete;

  // From now on entries after `after` are wanted. `seen`: up to where the client has seen a branch of the log that is
  // lost.
  void start(position after, position seen = {}) {
    after_ = after;
    seen_ = seen;
    is_replaying = false;
  }

  // An entry of the room, in log order. True when it went into the client's queue.
  bool offer(const entry& read, const record_ptr& record, flusher& flush) {
    if (read.at <= after_)
      return false;  // the client's cursor is ahead of this node, or a replay has it already
    after_ = read.at;
    if (has_seen(read, seen_)) return false;
    const bool is_queued = out_.queue.push(record);
    flush.mark(out_);  // also when it has overflown: the flush cuts the client off
    return is_queued;
  }

  // The log went on from `common` without the entries up to `to`: those that come again are not for a client that has
  // seen them. True when it has seen any.
  bool leave_branch(position common, position to) {
    // Behind the end of what this node had read there may be more of the same branch; a newer epoch is another one.
    if (after_ <= common || after_.epoch > to.epoch) return false;
    seen_ = after_;
    after_ = common;
    return true;
  }

  // Was `read` given to a client that has seen a lost branch up to `seen`?
  static bool has_seen(const entry& read, position seen) {
    return read.earlier && *read.earlier <= seen;
  }

  position after() const { return after_; }
  const std::string& room_name() const { return room_name_; }

  bool is_replaying = false;  // the session's: it is on its way to the present

 private:
  friend class room;

  outlet& out_;
  std::string room_name_;
  position after_;
  position seen_;
  room* room_ = nullptr;  // where it is entered
  std::size_t slot_ = 0;  // its index there
};

}  // namespace ordeal::chat
