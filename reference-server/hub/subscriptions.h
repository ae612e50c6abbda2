// The rooms of one client: Join with or without a cursor, replay, Leave, and resets. Owned by the
// session.
//
// What a client sees of a Join, on the wire and in this order:
//   no cursor:            completion(present position) · live messages
//   a cursor we can keep: completion(the client's own cursor) · missed messages · live messages
//   a cursor we cannot:   Reset(room, reason, after, upto) · completion(present position) · live messages
// Missed messages are read step by step, each when the client has taken the one before: it holds no more of the node's
// memory than its queue. Nothing that comes in meanwhile is held back; the last step ends in the present.
// The client takes the cursor of every Message over the completion's. So a connection that breaks
// right behind the completion loses nothing: the client still holds the cursor that it resumed
// from.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "net/async/turnstile.h"
#include "reference-server/hub/calls.h"
#include "reference-server/hub/hub_context.h"
#include "reference-server/hub/records.h"

namespace ordeal::chat {

// What a subscription needs of its session.
class client_link : public outlet {
 public:
  using outlet::outlet;

  // Queues a record of the hub's own (not a delivery) and lets it be flushed.
  virtual void send(std::string record) = 0;
  // Returns when there is room for another step of a replay, in the queue and in what all clients may have together.
  virtual bool has_room() const = 0;
  virtual asio::awaitable<void> wait_for_room() = 0;
  // Ends the connection; the client may come back with its cursors.
  virtual void end_for_resume(end_cause cause, std::string reason) = 0;
};

class subscriptions {
 public:
  subscriptions(asio::any_io_executor ex, hub_context& context, client_link& client)
      : context_(context), client_(client), turns_(ex) {}
  subscriptions(const subscriptions&) = delete;
  subscriptions& operator=(const subscriptions&) = delete;
  ~subscriptions() { leave_all(); }

  // Answers the invocation and replays. A later join or leave of the same room supersedes it.
  asio::awaitable<void> join(std::string invocation_id, join_call wanted);
  void leave(const std::string& room_name);
  void leave_all();

  // This node never got the entries up to `to`: every room is told, and goes on live behind them.
  void on_gap(position to);
  // The log went on from `common` without entries up to `to`, which clients here may have seen.
  void on_fork(position common, position to);

  std::size_t size() const { return places_.size(); }

 private:
  using place = std::shared_ptr<membership>;
  struct joining;

  place open_place(const std::string& room_name);  // null: too many rooms
  bool is_current(const place& mine) const;

  enum class next { nothing, wait_for_node, read };

  // Settles what needs no reading, and says what does.
  next look(joining& join);
  // One step towards the present; false when the join is over, in whatever way.
  asio::awaitable<bool> advance(joining& join);
  asio::awaitable<bool> wait_for_node(joining& join);
  asio::awaitable<bool> read_step(joining& join);
  bool queue_replayed(joining& join, const std::vector<entry_ptr>& entries);
  bool is_superseded(joining& join);

  void go_live(joining& join, position told, position from);
  void reset(joining& join, reset_cause cause, std::string_view reason, const lost_range& lost);
  void give_up(joining& join, const cursor_place& where);
  void complete(joining& join, position at);
  void fail(joining& join, std::string_view error);

  hub_context& context_;
  client_link& client_;
  net::turnstile turns_;  // one step of one room at a time
  std::map<std::string, place, std::less<>> places_;
};

}  // namespace ordeal::chat
