// Ordeal's end of the talk with the warden, on one executor. It reads only while a child is being
// started or runs, so an io_context without children can come to its end.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "fault-injection/process/process.h"
#include "fault-injection/process/warden_messages.h"
#include "net/async/condition.h"

namespace ordeal::fault {

// What is known of one child.
struct child_record {
  explicit child_record(asio::any_io_executor ex) : changed(ex) {}

  std::uint64_t id = 0;
  pid_t pid = -1;                       // -1 until it started
  std::optional<failed_event> failure;  // it never started
  std::optional<process_exit> exit;
  net::condition changed;
};

class warden_channel : public std::enable_shared_from_this<warden_channel> {
 public:
  // Takes the descriptor over.
  warden_channel(asio::any_io_executor ex, int socket, pid_t warden_pid)
      : socket_(ex, socket), warden_pid_(warden_pid), look_(ex) {}

  asio::any_io_executor executor() { return socket_.get_executor(); }

  // Asks for a child; `record` is then kept up to date until it ended. 0, or an errno: EPIPE
  // without a warden, EMSGSIZE when the request is too large.
  int launch(const std::shared_ptr<child_record>& record, launch_request what);
  // False when the warden is gone, and the child with it.
  bool signal(std::uint64_t id, int number);
  void remove_at_end(std::string directory);

 private:
  int send(const warden_request& what);
  void listen();
  // While it has something to answer: a warden that was stopped by a signal never would.
  void watch();
  void wake();
  void receive();
  void handle(const warden_event& what);
  void lost();

  asio::posix::stream_descriptor socket_;
  pid_t warden_pid_;
  asio::steady_timer look_;
  bool is_listening_ = false, is_watching_ = false;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::shared_ptr<child_record>> children_;  // asked for, not ended
};

}  // namespace ordeal::fault
