// A driver speaks one protocol for one client connection, without I/O: bytes in, events out; requests in, bytes out.
// The fleet owns one driver object a connection and throws it away with the connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/target/target.h"

namespace ordeal::harness {

// Views are valid until the next on_message().
struct driver_ready {};  // handshake done: joins may go out
struct driver_acked {    // answer to a join or publish
  std::uint64_t request = 0;
  bool is_error = false;
  std::string_view error;
  std::string_view cursor;  // when the recipe says that the result is one
};
struct driver_received {
  std::string_view payload;
  std::string_view room;  // empty when the protocol names none
  std::string_view cursor;
};
struct driver_reset {
  std::string_view room;
};
struct driver_closing {
  std::string_view reason;
};  // the server says goodbye
struct driver_broken {
  std::string reason;
};  // the peer violates the protocol
using driver_event = std::variant<driver_ready, driver_acked, driver_received, driver_reset,
                                  driver_closing, driver_broken>;

class driver {
 public:
  virtual ~driver() = default;
  // Path and query of the WebSocket URL.
  virtual std::string path() const = 0;
  // First bytes after the upgrade; may be empty (then the server speaks first).
  virtual std::string on_open() = 0;
  // One received WebSocket message; `out` gets the events, in order.
  virtual void on_message(std::string_view frame, std::vector<driver_event>& out) = 0;
  // Bytes to send in answer to what came in (pongs); called after each on_message, may be empty.
  virtual std::string take_replies() = 0;
  // `request` comes back in driver_acked.
  virtual std::string join(std::uint64_t request, std::string_view room,
                           const std::optional<std::string>& cursor) = 0;
  virtual std::string publish(std::uint64_t request, std::string_view room,
                              std::string_view message_id, std::string_view payload) = 0;
  // What to send when nothing was sent for ping_interval(); empty: the protocol needs none.
  virtual std::string ping() = 0;
  virtual std::chrono::nanoseconds ping_interval() const = 0;
  // After so long without a word from the server the protocol's published client leaves it.
  virtual std::chrono::nanoseconds silence_timeout() const = 0;
  // May several requests travel in one WebSocket message, one after the other?
  virtual bool can_share_frame() const = 0;
  // Where a message from the server carries `text`, whatever the target file says: "Message, argument 3 of 4". Empty:
  // nowhere.
  virtual std::string whereabouts(std::string_view frame, std::string_view text) const = 0;
};

// `of` outlives the driver. Throws std::invalid_argument for an unknown driver name (the loader checks it before).
std::unique_ptr<driver> make_driver(const target& of);
const std::vector<std::string>& driver_names();

}  // namespace ordeal::harness
