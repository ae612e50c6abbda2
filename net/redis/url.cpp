// Error texts here quote nothing of the URL: any part of it may turn out to be a mistyped secret.
#include <charconv>

#include "net/redis/connection.h"

namespace ordeal::net::redis {
namespace {

url_result refuse(std::string_view why) {
  url_result result;
  result.error = why;
  result.error += "; write redis://[user@]host[:port][/database]";
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

}  // namespace

url_result parse_url(std::string_view url) {
  constexpr std::string_view scheme = "redis://";
  if (url.starts_with("rediss://")) return refuse("TLS to Redis (rediss://) is not supported");
  if (!url.starts_with(scheme)) return refuse("the Redis URL does not start with redis://");
  url.remove_prefix(scheme.size());
  if (url.find_first_of("?#% ") != std::string_view::npos) {
    return refuse("the Redis URL has a query, a fragment, an escape or a blank");
  }
  url_result result;
  connection_options options;
  if (const auto at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = url.substr(0, at);
    if (user.find_first_of(":/") != std::string_view::npos) {
      return refuse(
          "the Redis URL holds a password: put it into a file and give the file's path instead");
    }
    options.auth.user = user;
    url.remove_prefix(at + 1);
  }
  const auto slash = url.find('/');
  const auto place = split_host(url.substr(0, slash));
  if (!place || place->host.empty()) return refuse("the Redis URL has no host");
  options.host = place->host;
  if (place->port) {
    const auto port = parse_number(*place->port, 1, 65'535);
    if (!port) return refuse("the port in the Redis URL is not a number from 1 to 65535");
    options.port = static_cast<std::uint16_t>(*port);
  }
  if (slash != std::string_view::npos && slash + 1 < url.size()) {
    const auto database = parse_number(url.substr(slash + 1), 0, 1'000'000);
    if (!database) return refuse("the database in the Redis URL is not a number");
    options.database = *database;
  }
  result.options = std::move(options);
  return result;
}

}  // namespace ordeal::net::redis
