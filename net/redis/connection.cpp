#include "net/redis/connection.h"

#include <array>
#include <charconv>

#include "net/redis/open_redis.h"

namespace ordeal::net::redis {
namespace {

void append_length(std::string& bytes, char type, std::size_t length) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
  bytes += type;
  bytes.append(digits.data(), end);
  bytes += "\r\n";
}

}  // namespace

request& request::add(std::initializer_list<std::string_view> arguments) {
  return add(std::span<const std::string_view>(arguments.begin(), arguments.size()));
}

request& request::add(std::span<const std::string_view> arguments) {
  append_length(bytes_, '*', arguments.size());
  for (const std::string_view argument : arguments) {
    append_length(bytes_, '$', argument.size());
    bytes_ += argument;
    bytes_ += "\r\n";
  }
  ++count_;
  return *this;
}

request& request::append(const request& more) {
  bytes_ += more.bytes_;
  count_ += more.count_;
  return *this;
}

void request::clear() {
  bytes_.clear();
  count_ = 0;
}

asio::awaitable<open_result> connect(connection_options options) {
  open_result result;
  if (options.sentinel.is_set()) {
    result = co_await open_master(options);
    co_return result;
  }
  server_address at;
  at.host = options.host;
  at.port = options.port;
  result = co_await open_redis(at, options, options.connect_timeout);
  co_return result;
}

}  // namespace ordeal::net::redis
