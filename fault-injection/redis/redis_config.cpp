#include "fault-injection/redis/redis_config.h"

#include <algorithm>

namespace ordeal::fault {
namespace {

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// One argument of a configuration line, whatever is in it.
std::string quote(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    if (is_plain(c)) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += "\\x";
    result += hex[byte >> 4U];
    result += hex[byte & 15U];
  }
  return result + '"';
}

std::string user_line(std::string_view name, bool is_enabled, std::string_view password,
                      std::string_view rights) {
  std::string line = "user " + std::string(name) + (is_enabled ? " on " : " off ");
  line += password.empty() ? "nopass" : quote(">" + std::string(password));
  return line + ' ' + std::string(rights) + '\n';
}

std::string_view persistence_lines(redis_persistence persistence) {
  switch (persistence) {
    case redis_persistence::none:
      return "save \"\"\nappendonly no\n";
    case redis_persistence::rdb:
      return "save 60 1\nappendonly no\n";
    case redis_persistence::aof:
      return "save \"\"\nappendonly yes\nappendfsync everysec\n";
    case redis_persistence::aof_always:
      return "save \"\"\nappendonly yes\nappendfsync always\n";
  }
  return "";
}

}  // namespace

std::string application_user(const redis_settings& settings) {
  return settings.user.empty() ? "default" : settings.user;
}

std::string check_redis_settings(const redis_settings& settings) {
  if (settings.user == admin_user)
    return "the Redis user '" + settings.user + "' is Ordeal's own; choose another name";
  const auto is_allowed = [](char c) { return is_plain(c) || c == '_' || c == '-' || c == '.'; };
  if (!std::all_of(settings.user.begin(), settings.user.end(), is_allowed)) {
    return "the Redis user '" + settings.user +
           "' may have only letters, digits, '_', '-' and '.' in its name";
  }
  return "";
}

std::string redis_config(const redis_settings& settings, std::uint16_t port,
                         std::string_view admin_password, bool is_login_enabled) {
  // A server before 7.0 stops at the debug line and prints it; so it stays before every line with a
  // password.
  std::string text =
      "enable-debug-command local\n"
      "enable-protected-configs local\n"
      "bind 127.0.0.1\n"
      "protected-mode yes\n"
      "daemonize no\n"
      "logfile \"\"\n";
  text += "port " + std::to_string(port) + '\n';
  text += "dir " + quote(settings.data_dir.string()) + '\n';
  text += persistence_lines(settings.persistence);
  text += user_line(admin_user, true, admin_password, "~* &* +@all");
  if (settings.user.empty()) {
    text += user_line("default", is_login_enabled, settings.password, "~* &* +@all");
  } else {
    text += user_line(settings.user, is_login_enabled, settings.password, "~* &* +@all -@admin");
    // Nobody can log in as it, but it keeps its rights: Redis 7.0 replays the append-only file as
    // the default user, and without rights every transaction in the file (so every script's
    // effects) fails with NOPERM and is lost.
    text += "user default off ~* &* +@all\n";
  }
  return text;
}

}  // namespace ordeal::fault
