// What ordeal and the warden say to each other, one datagram a message on a SOCK_SEQPACKET pair:
//
//   ordeal ── launch, signal, remove ──▶ warden          ordeal chooses the id of a child; a pid is only
//   ever used by the ordeal ◀── started | failed, exited ──       warden, which knows whether it
//   still belongs to the child
//
// Encoding and decoding are pure; sending and receiving are at the end. Callable from any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ordeal::fault {

struct launch_request {
  std::uint64_t id = 0;
  std::vector<std::string> command;
  std::vector<std::string> environment;  // "NAME=value", complete
  std::string workdir;                   // empty: the warden's
  std::string log_file;                  // empty: /dev/null
  std::string stdin_text;                // empty: /dev/null
  std::uint64_t descriptors_max = 0;     // 0: the warden's
};

// To the child's process group.
struct signal_request {
  std::uint64_t id = 0;
  int number = 0;
};

// A directory that goes away with the warden, after the children.
struct remove_request {
  std::string directory;
};

// What failed while a child was being started.
enum class launch_step : std::uint8_t { fork, stdin_text, log_file, workdir, limits, program };

struct started_event {
  std::uint64_t id = 0;
  pid_t pid = 0;
};

struct failed_event {
  std::uint64_t id = 0;
  launch_step step = launch_step::fork;
  int error_number = 0;
};

struct exited_event {
  std::uint64_t id = 0;
  bool by_signal = false;
  int code = 0;
};

using warden_request = std::variant<launch_request, signal_request, remove_request>;
using warden_event = std::variant<started_event, failed_event, exited_event>;

std::string encode(const warden_request& what);
std::string encode(const warden_event& what);
// nullopt when the bytes are not exactly one message.
std::optional<warden_request> decode_request(std::string_view bytes);
std::optional<warden_event> decode_event(std::string_view bytes);

// Sends one message, waiting for room; 0, or the errno (EPIPE: the peer is gone, EMSGSIZE: the
// message is too large).
int send_message(int socket, std::string_view bytes);

enum class receive_state { message, nothing_yet, closed };
struct received_message {
  receive_state state = receive_state::closed;
  std::string bytes;
};
// Never blocks.
received_message receive_message(int socket);

}  // namespace ordeal::fault
