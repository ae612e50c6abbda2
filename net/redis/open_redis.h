// The two ways to a Redis that answers: at an address, and through sentinels. Private to this folder.
#pragma once

#include "net/redis/connection.h"

namespace ordeal::net::redis {

// Whatever stands at `at`; with sentinels in the options it must say that it is a master. A failure always has a
// detail. The arguments must stay alive.
asio::awaitable<open_result> open_redis(const server_address& at, const connection_options& options,
                                        std::chrono::milliseconds limit);

// The master that the sentinels name, within connect_timeout in all. A failure's detail says which
// sentinel said what.
asio::awaitable<open_result> open_master(const connection_options& options);

}  // namespace ordeal::net::redis
