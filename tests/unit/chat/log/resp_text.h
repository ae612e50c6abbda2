// Replies of Redis as RESP text, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/redis/parse.h"

namespace ordeal::test {

inline std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}
inline std::string array(const std::vector<std::string>& elements) {
  std::string result = "*" + std::to_string(elements.size()) + "\r\n";
  for (const std::string& each : elements) result += each;
  return result;
}
inline std::string bulks(const std::vector<std::string>& words) {
  std::vector<std::string> elements;
  for (const std::string& each : words) elements.push_back(bulk(each));
  return array(elements);
}
inline std::string number(std::int64_t value) {
  return ":" + std::to_string(value) + "\r\n";
}
inline std::string stream_entry(std::string id, std::string kind, std::string seq) {
  return array({bulk(id),
                bulks({"k", kind, "o", "origin", "s", seq, "r", "room", "c", "cid", "t", "text"})});
}
inline std::vector<net::redis::reply> replies(const std::vector<std::string>& texts) {
  std::vector<net::redis::reply> result;
  for (const std::string& each : texts) result.push_back(parse_reply(each));
  return result;
}

}  // namespace ordeal::test
