#include <string>

#include "net/redis/connection.h"

namespace ordeal::net::redis {
namespace {

// TOOLCHAIN(gcc-12): Boost's category has a protected destructor; nobody deletes through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class redis_category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "redis"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::resolve_failed:
        return "the host name of Redis is unknown";
      case errc::connect_timeout:
        return "no connection to Redis in time";
      case errc::command_timeout:
        return "no reply from Redis in time";
      case errc::protocol_error:
        return "the peer does not speak the Redis protocol";
      case errc::reply_too_large:
        return "a reply of Redis is larger than 256 MiB";
      case errc::closed:
        return "Redis closed the connection";
      case errc::auth_failed:
        return "Redis refused the credentials";
      case errc::password_file:
        return "the password file cannot be read";
      case errc::refused_by_server:
        return "Redis refused the connection";
      case errc::wrong_kind:
        return "this is not a standalone Redis";
      case errc::tls_files:
        return "a file for TLS cannot be used";
      case errc::tls_failed:
        return "there is no TLS with Redis";
      case errc::tls_expected:
        return "the server speaks TLS: use rediss:// instead of redis:// (for sentinels "
               "--redis-sentinel-tls true), or its port without TLS";
      case errc::no_master:
        return "no sentinel named a master that can be used";
    }
    return "unknown Redis error";
  }
};
#pragma GCC diagnostic pop

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find(' '));
}

}  // namespace

error_code make_error_code(errc value) {
  static const redis_category category;
  return error_code(static_cast<int>(value), category);
}

reply_class classify(reply_view reply) {
  if (!reply.is_error()) return reply_class::ok;
  const std::string_view text = reply.text();
  const std::string_view code = first_word(text);
  if (code == "NOSCRIPT") return reply_class::script_missing;
  if (code == "READONLY") return reply_class::read_only;
  for (const std::string_view refused : {"NOAUTH", "WRONGPASS", "NOPERM"}) {
    if (code == refused) return reply_class::auth;
  }
  for (const std::string_view passing : {"LOADING", "OOM", "MISCONF", "NOREPLICAS", "BUSY",
                                         "UNBLOCKED", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN"}) {
    if (code == passing) return reply_class::retryable;
  }
  if (text.starts_with("ERR max number of clients")) return reply_class::retryable;
  return reply_class::fatal;
}

}  // namespace ordeal::net::redis
