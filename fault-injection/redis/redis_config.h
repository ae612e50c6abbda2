// The configuration that a private redis-server gets on its stdin. Pure: settings in, text out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fault-injection/redis/managed_redis.h"

namespace ordeal::fault {

inline constexpr std::string_view admin_user = "ordeal-admin";

// The ACL user that the application logs in as.
std::string application_user(const redis_settings& settings);

// What is wrong with the settings before a server sees them; empty: nothing. A server would print
// the line that it does not understand, with the password in it.
std::string check_redis_settings(const redis_settings& settings);

// Why Ordeal does not take this directive for a managed server: it sets it itself, or needs what the
// directive takes away. Empty: the server may judge it. Directives have no case.
std::string why_refused(const redis_directive& what);

// `settings.password` is the application's password of now; `is_login_enabled` false bars its
// logins.
std::string redis_config(const redis_settings& settings, std::uint16_t port,
                         std::string_view admin_password, bool is_login_enabled);

// What a server of Redis' kind says when it does not understand a line of its configuration.
struct config_complaint {
  std::size_t line = 0;  // from 1
  std::string words;     // "Bad directive or wrong number of arguments"
};
// From what it printed; nullopt when it does not complain.
std::optional<config_complaint> find_complaint(std::string_view log);
// The directive that stands in this line of redis_config(), by its index.
std::optional<std::size_t> directive_of(std::size_t line, const redis_settings& settings);

// "7.0.15" of INFO server; "valkey 8.1.1" of a server that is another one and says so.
std::string version_of(std::string_view info);
// "name:value" of INFO; empty when there is no such field.
std::string info_field(std::string_view info, std::string_view name);

}  // namespace ordeal::fault
