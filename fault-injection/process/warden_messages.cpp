#include "fault-injection/process/warden_messages.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace ordeal::fault {
namespace {

class writer {
 public:
  explicit writer(std::size_t kind) { number(kind); }

  void number(std::uint64_t value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);  // both ends are the same program
    bytes_.append(raw, sizeof raw);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  void texts(const std::vector<std::string>& values) {
    number(values.size());
    for (const std::string& value : values) text(value);
  }
  std::string finish() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// After the first thing that is missing everything else reads as empty, and is_complete() is false.
class reader {
 public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    const std::string_view raw = take(sizeof value);
    if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  int small_number() { return static_cast<int>(number()); }
  std::string text() { return std::string(take(number())); }
  std::vector<std::string> texts() {
    std::vector<std::string> values;
    for (std::uint64_t left = number(); left > 0 && !is_broken_; --left) values.push_back(text());
    return values;
  }
  bool is_complete() const { return !is_broken_ && rest_.empty(); }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) {
      is_broken_ = true;
      rest_ = {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
  bool is_broken_ = false;
};

struct request_encoder {
  writer& to;
  void operator()(const launch_request& what) const {
    to.number(what.id);
    to.texts(what.command);
    to.texts(what.environment);
    to.text(what.workdir);
    to.text(what.log_file);
    to.text(what.stdin_text);
    to.number(what.descriptors_max);
  }
  void operator()(const signal_request& what) const {
    to.number(what.id);
    to.number(static_cast<std::uint64_t>(what.number));
  }
  void operator()(const remove_request& what) const { to.text(what.directory); }
};

struct event_encoder {
  writer& to;
  void operator()(const started_event& what) const {
    to.number(what.id);
    to.number(static_cast<std::uint64_t>(what.pid));
  }
  void operator()(const failed_event& what) const {
    to.number(what.id);
    to.number(static_cast<std::uint64_t>(what.step));
    to.number(static_cast<std::uint64_t>(what.error_number));
  }
  void operator()(const exited_event& what) const {
    to.number(what.id);
    to.number(what.by_signal ? 1 : 0);
    to.number(static_cast<std::uint64_t>(what.code));
  }
};

}  // namespace

std::string encode(const warden_request& what) {
  writer to(what.index());
  std::visit(request_encoder{to}, what);
  return to.finish();
}

std::string encode(const warden_event& what) {
  writer to(what.index());
  std::visit(event_encoder{to}, what);
  return to.finish();
}

std::optional<warden_request> decode_request(std::string_view bytes) {
  reader from(bytes);
  const std::uint64_t kind = from.number();
  warden_request result;
  if (kind == 0) {
    launch_request what;
    what.id = from.number();
    what.command = from.texts();
    what.environment = from.texts();
    what.workdir = from.text();
    what.log_file = from.text();
    what.stdin_text = from.text();
    what.descriptors_max = from.number();
    result = std::move(what);
  } else if (kind == 1) {
    signal_request what;
    what.id = from.number();
    what.number = from.small_number();
    result = what;
  } else if (kind == 2) {
    result = remove_request{from.text()};
  } else {
    return std::nullopt;
  }
  if (!from.is_complete()) return std::nullopt;
  return result;
}

std::optional<warden_event> decode_event(std::string_view bytes) {
  reader from(bytes);
  const std::uint64_t kind = from.number();
  warden_event result;
  if (kind == 0) {
    started_event what;
    what.id = from.number();
    what.pid = from.small_number();
    result = what;
  } else if (kind == 1) {
    failed_event what;
    what.id = from.number();
    what.step = static_cast<launch_step>(from.number());
    what.error_number = from.small_number();
    result = what;
  } else if (kind == 2) {
    exited_event what;
    what.id = from.number();
    what.by_signal = from.number() != 0;
    what.code = from.small_number();
    result = what;
  } else {
    return std::nullopt;
  }
  if (!from.is_complete()) return std::nullopt;
  return result;
}

int send_message(int socket, std::string_view bytes) {
  while (true) {
    if (::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return 0;
    const int error_number = errno;
    if (error_number == EAGAIN) {
      pollfd room{socket, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (error_number != EINTR) {
      return error_number;
    }
  }
}

received_message receive_message(int socket) {
  received_message result;
  char nothing = 0;
  const ssize_t size =
      ::recv(socket, &nothing, sizeof nothing, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    result.state = receive_state::nothing_yet;
  } else if (size > 0) {
    result.bytes.resize(static_cast<std::size_t>(size));
    const ssize_t got = ::recv(socket, result.bytes.data(), result.bytes.size(), MSG_DONTWAIT);
    if (got == size) result.state = receive_state::message;
  }
  return result;
}

}  // namespace ordeal::fault
