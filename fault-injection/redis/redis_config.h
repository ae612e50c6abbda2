// The configuration that a private redis-server gets on its stdin. Pure: settings in, text out.
#pragma once

#include <cstdint>
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

// `settings.password` is the application's password of now; `is_login_enabled` false bars its
// logins.
std::string redis_config(const redis_settings& settings, std::uint16_t port,
                         std::string_view admin_password, bool is_login_enabled);

}  // namespace ordeal::fault
