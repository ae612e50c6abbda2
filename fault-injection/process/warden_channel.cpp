#include "fault-injection/process/warden_channel.h"

#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>

#include "net/async/log.h"

namespace ordeal::fault {
namespace {

constexpr std::chrono::milliseconds look_interval(250);

}  // namespace

int warden_channel::launch(const std::shared_ptr<child_record>& record, launch_request what) {
  if (!socket_.is_open()) return EPIPE;
  record->id = what.id = ++last_id_;
  const int error_number = send(warden_request(std::move(what)));
  if (error_number != 0) {
    if (error_number != EMSGSIZE) lost();
    return error_number;
  }
  children_.emplace(record->id, record);
  listen();
  return 0;
}

bool warden_channel::signal(std::uint64_t id, int number) {
  if (!socket_.is_open()) return false;
  if (send(signal_request{id, number}) == 0) return true;
  lost();
  return false;
}

void warden_channel::remove_at_end(std::string directory) {
  if (socket_.is_open() && send(remove_request{std::move(directory)}) != 0) lost();
}

int warden_channel::send(const warden_request& what) {
  wake();
  return send_message(socket_.native_handle(), encode(what));
}

void warden_channel::wake() {
  siginfo_t stopped{};
  const auto warden = static_cast<id_t>(warden_pid_);
  if (::waitid(P_PID, warden, &stopped, WSTOPPED | WNOHANG) != 0 || stopped.si_pid == 0) return;
  ::kill(warden_pid_, SIGCONT);
  net::log(net::log_level::warn, "warden", "it was stopped by a signal, and woken up",
           {{"signal", signal_name(stopped.si_status)}});
}

void warden_channel::watch() {
  if (is_watching_) return;
  is_watching_ = true;
  auto on_time = [weak = weak_from_this()](boost::system::error_code) {
    const auto self = weak.lock();
    if (!self) return;
    self->is_watching_ = false;
    if (self->children_.empty()) return;
    self->wake();
    self->watch();
  };
  look_.expires_after(look_interval);
  look_.async_wait(std::move(on_time));
}

void warden_channel::listen() {
  if (children_.empty() || !socket_.is_open()) look_.cancel();
  if (is_listening_ || children_.empty() || !socket_.is_open()) return;
  watch();
  is_listening_ = true;
  auto on_readable = [weak = weak_from_this()](boost::system::error_code ec) {
    const auto self = weak.lock();
    if (!self) return;
    self->is_listening_ = false;
    if (ec) return;
    self->receive();
    self->listen();
  };
  socket_.async_wait(asio::posix::descriptor_base::wait_read, std::move(on_readable));
}

void warden_channel::receive() {
  while (socket_.is_open()) {
    const received_message next = receive_message(socket_.native_handle());
    if (next.state == receive_state::nothing_yet) return;
    const auto event = decode_event(next.bytes);
    if (next.state == receive_state::closed || !event) return lost();
    handle(*event);
  }
}

void warden_channel::handle(const warden_event& what) {
  const std::uint64_t id = std::visit([](const auto& any) { return any.id; }, what);
  const auto found = children_.find(id);
  if (found == children_.end()) return;
  const std::shared_ptr<child_record> record = found->second;
  if (const auto* started = std::get_if<started_event>(&what)) {
    record->pid = started->pid;
  } else if (const auto* failed = std::get_if<failed_event>(&what)) {
    record->failure = *failed;
    children_.erase(found);
  } else if (const auto* exited = std::get_if<exited_event>(&what)) {
    record->exit = process_exit{exited->by_signal, exited->code};
    children_.erase(found);
  }
  record->changed.notify_all();
}

// Without the warden its children got their death signal.
void warden_channel::lost() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  look_.cancel();
  const auto orphans = std::move(children_);
  children_.clear();
  for (const auto& [id, record] : orphans) {
    record->exit = process_exit{true, SIGKILL};
    record->changed.notify_all();
  }
}

}  // namespace ordeal::fault
