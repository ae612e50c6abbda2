// A chat server for tests of the fleet: several "nodes" (listeners) over one log in memory,
// speaking the SignalR hub protocol with the reference server's methods. It keeps what it accepted,
// remembers message ids, resumes from cursors, and misbehaves on request. Lives on the test's
// io_context.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/async/mailbox.h"
#include "net/async/task_group.h"
#include "net/http.h"
#include "net/hub/codec.h"

namespace ordeal::test {

namespace asio = boost::asio;

struct log_entry {
  std::string room;
  std::string message_id;
  std::string text;
};

class fake_hub {
 public:
  fake_hub(asio::any_io_executor ex, std::size_t node_count);

  std::vector<net::websocket_url> urls() const;
  // Serves until stop(); as a child of the test.
  asio::awaitable<void> run();
  void stop();

  void drop_connections();           // of every node
  void shut_node(std::size_t node);  // closes its listener and its connections
  void open_node(std::size_t node);  // again, at the same address
  void forget_cursors() { first_valid_index_ = log_.size(); }  // resumes from before get a Reset
  void say_goodbye(std::string reason);                        // a Close record to everybody
  void reset_everybody(std::size_t count);  // so many Resets for every room of each

  struct mischief {
    std::size_t send_errors = 0;  // so many sends are answered with send_error and not accepted
    std::string send_error;
    std::size_t swallowed_acks = 0;  // so many sends are accepted and never answered
    std::size_t join_errors = 0;     // so many joins are refused
    bool is_wordless = false;        // does not even answer the handshake
  } next;

  const std::vector<log_entry>& log() const { return log_; }
  std::vector<std::string> texts_in(const std::string& room) const;
  std::size_t session_count() const { return sessions_.size(); }
  std::size_t repeated_sends() const {
    return repeated_sends_;
  }  // with an id that was accepted before
  std::size_t resumes() const { return resumes_; }

 private:
  struct session {
    session(asio::any_io_executor ex, net::websocket& connection)
        : ws(connection), outbox(ex, 100'000) {}
    net::websocket& ws;
    net::mailbox<std::string> outbox;
    std::set<std::string> rooms;
    bool has_handshake = false;
  };

  asio::awaitable<void> serve(std::unique_ptr<net::websocket> ws);
  asio::awaitable<void> write_all(session& to);
  void on_record(session& from, std::string_view record);
  void on_join(session& from, const net::hub::message& call);
  void on_send(session& from, const net::hub::message& call);
  std::string encode_broadcast(std::size_t index) const;
  std::string cursor_at(std::size_t count) const { return "c" + std::to_string(count); }
  void push(session& to, std::string record) { to.outbox.try_push(std::move(record)); }

  asio::any_io_executor ex_;
  net::task_group listeners_;
  net::http_handlers handlers_;
  std::vector<std::unique_ptr<net::http_server>> nodes_, shut_nodes_;
  std::set<session*> sessions_;
  std::vector<log_entry> log_;
  std::map<std::string, std::size_t> index_by_id_;
  std::size_t first_valid_index_ = 0;
  std::size_t repeated_sends_ = 0;
  std::size_t resumes_ = 0;
};

}  // namespace ordeal::test
