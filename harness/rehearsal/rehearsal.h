// Before the load: one client of each node tries the target file, within seconds. Mistakes in it are told at once and
// convict nobody. In a room of its own, with a message that no check counts.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <vector>

#include "harness/rehearsal/rehearsal_script.h"
#include "harness/scenario/plan.h"
#include "net/websocket.h"

namespace ordeal::harness {

// `urls` by node; `what` outlives the call. Nodes one after the other; what is not certain is tried again for a while.
// None: nothing speaks against a run.
net::asio::awaitable<std::optional<objection>> rehearse(const plan& what,
                                                        std::vector<net::websocket_url> urls);

}  // namespace ordeal::harness
