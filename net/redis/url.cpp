// Error texts here quote nothing of the URL: any part of it may turn out to be a mistyped secret.
#include <algorithm>
#include <array>
#include <charconv>

#include "net/redis/options.h"
#include "net/redis/sentinel.h"

namespace ordeal::net::redis {
namespace {

constexpr std::uint16_t redis_port = 6'379;
constexpr std::uint16_t sentinel_port = 26'379;
constexpr std::size_t sentinels_max = 32;

struct url_scheme {
  std::string_view text;
  bool has_tls;
  bool has_sentinels;
};
constexpr std::array<url_scheme, 4> schemes{{{"redis://", false, false},
                                             {"rediss://", true, false},
                                             {"redis+sentinel://", false, true},
                                             {"rediss+sentinel://", true, true}}};

url_result refuse(std::string_view why, bool has_sentinels = false) {
  url_result result;
  result.error = why;
  result.error += has_sentinels ? "; write redis+sentinel://[user@]host[:port],host[:port].../"
                                  "master-name[/database], or rediss+sentinel:// for TLS"
                                : "; write redis://[user@]host[:port][/database], or rediss:// "
                                  "for TLS";
  return result;
}

std::optional<int> parse_number(std::string_view digits, int min, int max) {
  int value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (value < min || value > max) return std::nullopt;
  return value;
}

struct host_and_port {
  std::string_view host;
  std::optional<std::string_view> port;
};

std::optional<host_and_port> split_host(std::string_view text) {
  host_and_port result;
  if (text.starts_with('[')) {  // an IPv6 address
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    result.host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    if (!rest.empty()) result.port = rest.substr(1);
    return result;
  }
  const auto colon = text.find(':');
  result.host = text.substr(0, colon);
  if (colon != std::string_view::npos) result.port = text.substr(colon + 1);
  return result;
}

// Sets `into`, or returns what is wrong.
std::string_view parse_place(std::string_view text, std::uint16_t default_port,
                             server_address& into) {
  const auto place = split_host(text);
  if (!place || place->host.empty()) return "the Redis URL has no host";
  if (place->host.find(',') != std::string_view::npos)
    return "the Redis URL has more than one host, which only redis+sentinel:// may have";
  into.host = place->host;
  into.port = default_port;
  if (!place->port) return {};
  const auto port = parse_number(*place->port, 1, 65'535);
  if (!port) return "a port in the Redis URL is not a number from 1 to 65535";
  into.port = static_cast<std::uint16_t>(*port);
  return {};
}

// `text` is what follows the host, without the slash.
std::string_view parse_database(std::string_view text, connection_options& options) {
  if (text.empty()) return {};
  const auto database = parse_number(text, 0, 1'000'000);
  if (!database) return "the database in the Redis URL is not a number";
  options.database = *database;
  return {};
}

std::string_view parse_single(std::string_view text, connection_options& options) {
  const auto slash = text.find('/');
  server_address at;
  if (const auto why = parse_place(text.substr(0, slash), redis_port, at); !why.empty()) return why;
  options.host = at.host;
  options.port = at.port;
  return slash == std::string_view::npos ? std::string_view()
                                         : parse_database(text.substr(slash + 1), options);
}

// The characters that Sentinel allows.
bool is_master_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_allowed);
}

std::string_view parse_sentinels_part(std::string_view text, connection_options& options) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos)
    return "the Redis URL does not name the master, as in /mymaster after the sentinels";
  std::string_view places = text.substr(0, slash);
  const std::string_view rest = text.substr(slash + 1);
  for (;;) {
    const auto comma = places.find(',');
    server_address at;
    const auto why = parse_place(places.substr(0, comma), sentinel_port, at);
    if (!why.empty()) return why;
    options.sentinel.places.push_back(std::move(at));
    if (options.sentinel.places.size() > sentinels_max)
      return "the Redis URL has more than 32 sentinels";
    if (comma == std::string_view::npos) break;
    places.remove_prefix(comma + 1);
  }
  const auto end = rest.find('/');
  if (!is_master_name(rest.substr(0, end)))
    return "the master's name in the Redis URL is empty or has other characters than letters, "
           "digits, '.', '-' and '_'";
  options.sentinel.master_name = rest.substr(0, end);
  options.sentinel.memory = std::make_shared<sentinel_memory>(options.sentinel.places);
  return end == std::string_view::npos ? std::string_view()
                                       : parse_database(rest.substr(end + 1), options);
}

}  // namespace

std::string to_text(const server_address& at) {
  const bool needs_brackets = at.host.find(':') != std::string::npos;
  return (needs_brackets ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
}

url_result parse_url(std::string_view url) {
  const auto starts_url = [url](const url_scheme& each) { return url.starts_with(each.text); };
  const auto* const scheme = std::find_if(schemes.begin(), schemes.end(), starts_url);
  if (scheme == schemes.end()) {
    return refuse(
        "the Redis URL does not start with redis://, rediss://, redis+sentinel:// or "
        "rediss+sentinel://");
  }
  const bool has_sentinels = scheme->has_sentinels;
  url.remove_prefix(scheme->text.size());
  if (url.find_first_of("?#% ") != std::string_view::npos) {
    return refuse("the Redis URL has a query, a fragment, an escape or a blank", has_sentinels);
  }
  url_result result;
  connection_options options;
  options.tls.is_on = scheme->has_tls;
  if (const auto at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = url.substr(0, at);
    if (user.find_first_of(":/") != std::string_view::npos) {
      return refuse(
          "the Redis URL holds a password: put it into a file and give the file's path instead",
          has_sentinels);
    }
    options.auth.user = user;
    url.remove_prefix(at + 1);
  }
  const std::string_view why =
      has_sentinels ? parse_sentinels_part(url, options) : parse_single(url, options);
  if (!why.empty()) return refuse(why, has_sentinels);
  result.options = std::move(options);
  return result;
}

}  // namespace ordeal::net::redis
