#include "fault-injection/process/warden_channel.h"

#include <cerrno>
#include <csignal>

namespace ordeal::fault {

int warden_channel::launch(const std::shared_ptr<child_record>& record, launch_request what) {
  if (!socket_.is_open()) return EPIPE;
  record->id = what.id = ++last_id_;
  const int error_number =
      send_message(socket_.native_handle(), encode(warden_request(std::move(what))));
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
  const signal_request what{id, number};
  if (send_message(socket_.native_handle(), encode(warden_request(what))) == 0) return true;
  lost();
  return false;
}

void warden_channel::listen() {
  if (is_listening_ || children_.empty() || !socket_.is_open()) return;
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
  const auto orphans = std::move(children_);
  children_.clear();
  for (const auto& [id, record] : orphans) {
    record->exit = process_exit{true, SIGKILL};
    record->changed.notify_all();
  }
}

}  // namespace ordeal::fault
