// The protocol part of the reference server's target file, as the loader would hand it over.
#pragma once

#include "harness/target/target.h"

namespace ordeal::harness {

inline target make_reference_target() {
  target of;
  of.name = "reference";
  of.driver = "signalr";
  protocol_recipe& protocol = of.protocol;
  protocol.path = "/chat";
  protocol.join.name = "Join";
  protocol.join.arguments = {"${room}", "${cursor}"};
  protocol.join.is_cursor_result = true;
  protocol.publish.name = "Send";
  protocol.publish.arguments = {"${room}", "${message_id}", "${payload}"};
  protocol.receive.name = "Message";
  protocol.receive.room = 0;
  protocol.receive.cursor = 1;
  protocol.receive.payload = 3;
  protocol.reset.emplace();
  protocol.reset->name = "Reset";
  protocol.reset->room = 0;
  protocol.resume = resume_kind::cursor;
  return of;
}

}  // namespace ordeal::harness
