// A URL that is accepted can be written again from its parts and means the same; one that is refused is not repeated
// in the error, since it may hold a password.
#include <string>

#include "net/redis/connection.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::net::redis;

std::string format_place(const server_address& at) {
  const bool needs_brackets = at.host.find(':') != std::string::npos || at.host[0] == '[';
  return (needs_brackets ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
}

std::string format_url(const connection_options& from) {
  std::string url = from.tls.is_on ? "rediss" : "redis";
  url += from.sentinel.is_set() ? "+sentinel://" : "://";
  if (!from.auth.user.empty()) url += from.auth.user + "@";
  if (from.sentinel.is_set()) {
    std::string separator;
    for (const server_address& each : from.sentinel.places) {
      url += separator + format_place(each);
      separator = ",";
    }
    url += "/" + from.sentinel.master_name;
  } else {
    url += format_place({from.host, from.port});
  }
  return url + "/" + std::to_string(from.database);
}

// Wherever in the URL a password stands, no error repeats it.
void expect_discreet(std::string_view text) {
  constexpr std::string_view password = "hunter2";
  for (std::size_t place = 0; place <= text.size(); ++place) {
    std::string url(text);
    url.insert(place, password);
    ORDEAL_ASSERT(parse_url(url).error.find(password) == std::string::npos);
  }
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  const url_result found = parse_url(text);
  ORDEAL_ASSERT(found.options.has_value() == found.error.empty());
  if (!found.options) {
    expect_discreet(text);
    return 0;
  }
  ORDEAL_ASSERT(found.options->auth.password.empty());
  ORDEAL_ASSERT(found.options->port > 0 && found.options->database >= 0);
  const url_result again = parse_url(format_url(*found.options));
  ORDEAL_ASSERT(again.options.has_value());
  ORDEAL_ASSERT(again.options->host == found.options->host);
  ORDEAL_ASSERT(again.options->port == found.options->port);
  ORDEAL_ASSERT(again.options->database == found.options->database);
  ORDEAL_ASSERT(again.options->auth.user == found.options->auth.user);
  ORDEAL_ASSERT(again.options->tls.is_on == found.options->tls.is_on);
  ORDEAL_ASSERT(again.options->sentinel.places == found.options->sentinel.places);
  ORDEAL_ASSERT(again.options->sentinel.master_name == found.options->sentinel.master_name);
  return 0;
}
