// The files of TLS into an OpenSSL context, with a sentence for each way in which they can be wrong. Private to this
// folder.
#pragma once

#include <string>

#include "net/redis/options.h"

struct ssl_ctx_st;

namespace ordeal::net::redis {

// Empty when all that is named was loaded.
std::string load_tls_files(ssl_ctx_st* context, const tls_options& options);

}  // namespace ordeal::net::redis
