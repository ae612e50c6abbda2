// Pings and silence of one client: a pure decision, time comes in.
#pragma once

#include "net/async/clock.h"
#include "reference-server/hub/limits.h"

namespace ordeal::chat {

enum class keepalive_action { none, ping, handshake_timeout, silent };

struct keepalive_state {
  net::time_point opened;
  net::time_point received;
  net::time_point sent;
  bool has_handshaken = false;
  bool is_reading = true;  // a client whose socket we do not read is not silent
};

inline keepalive_action due_action(const keepalive_state& state, const hub_limits& limits,
                                   net::time_point now) {
  if (!state.has_handshaken) {
    const bool is_late = now - state.opened >= limits.handshake_timeout;
    return is_late ? keepalive_action::handshake_timeout : keepalive_action::none;
  }
  if (state.is_reading && now - state.received >= limits.client_timeout) {
    return keepalive_action::silent;
  }
  return now - state.sent >= limits.ping_interval ? keepalive_action::ping : keepalive_action::none;
}

}  // namespace ordeal::chat
