// The driver for ASP.NET Core SignalR hubs with the JSON protocol: calls are hub methods, their
// completions the acknowledgements, broadcasts are invocations by the server. Opens the WebSocket
// directly, without negotiate. One object a connection; one thread; no I/O. Decoding a broadcast
// allocates nothing.
#pragma once

#include <memory>

#include "harness/drivers/driver.h"

namespace ordeal::harness {

// `recipe` outlives the driver.
std::unique_ptr<driver> make_signalr_driver(const protocol_recipe& recipe);

}  // namespace ordeal::harness
