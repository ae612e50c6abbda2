// What one client says and hears before there is load: it joins a room, publishes one message and receives it.
//
//   handshake ─▶ join ─▶ publish ─▶ answered and received ─▶ over
//
// Decides whether what comes fits the target file. It objects only to what is certain: a message that comes back under
// another name is a mistake in the file, one that does not come back at all is for the judge. No I/O, no clock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/drivers/driver.h"

namespace ordeal::harness {

// Why there can be no run: what was sent, what came instead, which key to look at.
struct objection {
  std::string text;
  bool is_file_wrong = false;  // the target file does not fit; else the surroundings do not
  bool is_final = false;       // asking again would change nothing
};

struct rehearsal_message {
  std::string client, room, id, payload;
  std::string mark;  // what the payload begins with, and nothing else does
};

class rehearsal_script {
 public:
  // `of` outlives the script. `node` is its name.
  rehearsal_script(const target& of, std::string node, rehearsal_message what);

  std::string path() const;
  // No connection, or no upgrade: `http_status` is the answer, 0 when there was none.
  void on_no_connection(unsigned http_status, std::string_view problem);
  // What to send, one WebSocket message each.
  using frames = std::vector<std::string>;
  frames on_open();
  frames on_frame(std::string_view frame);
  void on_end(std::string_view reason);
  void on_silence(std::string_view how_long);

  bool is_over() const { return step_ == step::over; }
  // The publish was answered, or needs no answer: all that may still come is the message.
  bool is_answered() const { return is_answered_; }
  bool is_complete() const { return is_answered_ && is_received_; }
  // Once it is over; none: it fits, or nothing is known against it.
  const std::optional<objection>& result() const { return objection_; }

 private:
  enum class step { handshake, join, publish, over };

  void on_event(const driver_event& what, std::string_view frame, frames& answers);
  void on_acked(const driver_acked& what, frames& answers);
  void on_received(const driver_received& what, std::string_view frame);
  void publish(frames& answers);
  void look_for_payload(std::string_view frame);
  // It ends here, on the server's word.
  void object_to_answer(const call_template& call, std::string_view key, std::string_view error);
  void object(std::string text, bool is_file_wrong, bool is_final);
  std::string in_file(std::string_view keys) const;

  const target& target_;
  std::string node_;
  rehearsal_message message_;
  std::unique_ptr<driver> driver_;
  step step_ = step::handshake;
  bool is_published_ = false, is_answered_ = false, is_received_ = false;
  std::vector<driver_event> events_;
  std::optional<objection> objection_;
};

}  // namespace ordeal::harness
