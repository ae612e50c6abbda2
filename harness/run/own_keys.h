// What a run leaves in an external Redis: the keys of its own application name, which holds a nonce that nobody else
// has. Found by SCAN, removed by UNLINK, a few hundred at a time; nothing else is ever touched.
#pragma once

#include <string>

#include "fault-injection/fault.h"
#include "net/redis/connection.h"

namespace ordeal::harness {

// Removes every key whose name contains `app`; the evidence says how many, or why not.
boost::asio::awaitable<fault::step_result> remove_own_keys(net::redis::connection_options where,
                                                           std::string app);

}  // namespace ordeal::harness
