// The chat: who is in which room, and the calls Join and Send. A message reaches clients only when
// it was read back from the stream; a client that joins with a cursor gets what came since, then
// what comes, without gap or repeat.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/websocket.h"
#include "tests/selftest/planted_node/bug.h"
#include "tests/selftest/planted_node/session.h"
#include "tests/selftest/planted_node/stream.h"

namespace ordeal::planted {

class hub final : public call_handler, public stream_subscriber {
 public:
  // `log` and `planted` outlive it.
  hub(asio::any_io_executor ex, std::string node_name, stream& log, bug& planted);

  // One client, until its connection is gone.
  asio::awaitable<void> serve(std::unique_ptr<net::websocket> ws);

  asio::awaitable<void> handle(std::shared_ptr<session> who,
                               const net::hub::message& call) override;
  void on_entries(std::vector<entry> batch) override;
  // One that has members; empty when nobody is anywhere.
  std::string some_room() const;

 private:
  using record = std::shared_ptr<const std::string>;
  struct membership {
    std::shared_ptr<session> who;
    std::string name;  // as entry::sender
    log_index last =
        0;  // entries up to here are not for it: it has them, or its replay brings them
    bool is_replaying = false;
    std::vector<record> held;  // live entries during the replay
  };
  using members = std::vector<std::shared_ptr<membership>>;

  asio::awaitable<void> join(std::shared_ptr<session> who, std::string invocation_id,
                             std::string room, std::optional<log_index> cursor);
  asio::awaitable<void> send(std::shared_ptr<session> who, std::string invocation_id, entry what);
  void leave(const session& who, const std::string& room);
  void leave_all(const session& who);
  void deliver(const entry& what);
  void deliver_to(membership& member, const entry& what, record encoded);
  std::string name_of(const session& who) const;

  asio::any_io_executor ex_;
  std::string node_name_;
  std::string plain_name_;  // of messages without an id; another after each start
  stream& log_;
  bug& planted_;
  std::uint64_t next_client_ = 1, plain_sends_ = 0;
  std::map<std::string, members> rooms_;
};

}  // namespace ordeal::planted
