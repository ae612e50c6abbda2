#include "fault-injection/redis/redis_config.h"

#include <algorithm>
#include <charconv>

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

struct reserved_directive {
  std::string_view name, reason;
};

constexpr std::string_view is_ours = "Ordeal sets it itself";
constexpr std::string_view by_auth = "backplane.redis.auth says who may log in";
constexpr std::string_view by_topology = "backplane.redis.topology says how many servers there are";
constexpr std::string_view by_persistence = "backplane.redis.persistence says it";
constexpr reserved_directive reserved[] = {
    {"port", is_ours},
    {"tls-port", "Ordeal's links carry no TLS"},
    {"bind", is_ours},
    {"protected-mode", is_ours},
    {"dir", is_ours},
    {"daemonize", is_ours},
    {"supervised", is_ours},
    {"logfile", is_ours},
    {"enable-debug-command", is_ours},
    {"enable-protected-configs", is_ours},
    {"rename-command", "Ordeal needs the commands themselves"},
    {"include", "write the directives here"},
    {"appendonly", by_persistence},
    {"user", by_auth},
    {"aclfile", by_auth},
    {"requirepass", by_auth},
    {"masterauth", by_topology},
    {"masteruser", by_topology},
    {"primaryauth", by_topology},
    {"primaryuser", by_topology},
    {"replicaof", by_topology},
    {"slaveof", by_topology},
    {"cluster-enabled", by_topology},
};

// From the start of a line on; npos when no line starts so.
std::size_t find_line(std::string_view text, std::string_view start, std::size_t from) {
  for (std::size_t at = text.find(start, from); at != std::string_view::npos;
       at = text.find(start, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return at;
  }
  return std::string_view::npos;
}

std::string_view line_at(std::string_view text, std::size_t begin) {
  return text.substr(begin, text.find_first_of("\r\n", begin) - begin);
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

std::string why_refused(const redis_directive& what) {
  const auto is_name = [](char c) { return is_plain(c) || c == '-' || c == '_' || c == '.'; };
  if (what.name.empty() || !std::all_of(what.name.begin(), what.name.end(), is_name))
    return "it is no name of a directive";
  std::string name = what.name;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (const reserved_directive& each : reserved) {
    if (each.name == name) return std::string(each.reason);
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (std::any_of(what.value.begin(), what.value.end(), is_control))
    return "its value has a line break or another control character";
  return "";
}

std::optional<config_complaint> find_complaint(std::string_view log) {
  // *** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***
  // Reading the configuration file, at line 7
  // >>> 'maxmemoryy 64mb'
  // Bad directive or wrong number of arguments
  constexpr std::string_view place = "Reading the configuration file, at line ";
  const std::size_t begin = find_line(log, "*** FATAL CONFIG FILE ERROR", 0);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t reading = find_line(log, place, begin);
  const std::size_t quoted = find_line(log, ">>> ", begin);
  if (reading == std::string_view::npos || quoted == std::string_view::npos) return std::nullopt;
  config_complaint found;
  const std::string_view number = line_at(log, reading).substr(place.size());
  std::from_chars(number.data(), number.data() + number.size(), found.line);
  const std::size_t words = log.find('\n', quoted);
  if (words != std::string_view::npos) found.words = line_at(log, words + 1);
  return found;
}

std::optional<std::size_t> directive_of(std::size_t line, const redis_settings& settings) {
  const std::string text = redis_config(settings, 1, "", true);
  const std::size_t count = settings.directives.size();
  // They end where the port begins.
  const std::string_view before = std::string_view(text).substr(0, find_line(text, "port 1\n", 0));
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  if (line + count <= lines || line > lines) return std::nullopt;
  return line + count - lines - 1;
}

std::string info_field(std::string_view info, std::string_view name) {
  const std::string key = std::string(name) + ':';
  const std::size_t found = find_line(info, key, 0);
  return found == std::string_view::npos ? "" : std::string(line_at(info, found + key.size()));
}

std::string version_of(std::string_view info) {
  for (const std::string name : {"valkey", "redict", "dragonfly", "garnet", "kvrocks"}) {
    const std::string version = info_field(info, name + "_version");
    if (!version.empty()) return name + ' ' + version;
  }
  return info_field(info, "redis_version");
}

std::string redis_config(const redis_settings& settings, std::uint16_t port,
                         std::string_view admin_password, bool is_login_enabled) {
  // A server stops at the first line that it does not understand and prints it; so what it may not
  // understand stays before every line with a password.
  std::string text =
      "enable-debug-command local\n"
      "enable-protected-configs local\n"
      "bind 127.0.0.1\n"
      "protected-mode yes\n"
      "daemonize no\n"
      "logfile \"\"\n";
  text += "dir " + quote(settings.data_dir.string()) + '\n';
  text += persistence_lines(settings.persistence);
  for (const redis_directive& each : settings.directives) {
    text += each.name + ' ' + (each.value.empty() ? "\"\"" : each.value) + '\n';
  }
  text += "port " + std::to_string(port) + '\n';
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
