#include "reference-server/hub/sender.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "net/async/assert.h"
#include "net/async/random.h"

namespace ordeal::chat {
namespace {

constexpr std::size_t scope_length = 15;  // 75 bits
constexpr char separator = '\x1f';        // no client's id has a control character

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string sender_key_error(std::string_view key) {
  if (!std::ranges::all_of(key, is_unreserved))
    return "the sender key may have letters, digits and - . _ ~ only";
  if (key.size() >= sender_key_bytes_min && key.size() <= sender_key_bytes_max) return {};
  return "the sender key has " + std::to_string(key.size()) + " characters, " +
         std::to_string(sender_key_bytes_min) + " to " + std::to_string(sender_key_bytes_max) +
         " are allowed: make a random one for each client and keep it";
}

std::string sender_scope(std::string_view key) {
  constexpr std::string_view alphabet = "0123456789abcdefghijklmnopqrstuv";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  const int is_done =
      EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  ORDEAL_ASSERT(is_done == 1);
  std::string scope = "k";
  for (std::size_t i = 0; i < scope_length; ++i) scope += alphabet[digest[i] & 31U];
  return scope;
}

std::string session_scope() {
  return "s" + net::random_id(scope_length);
}

std::string scoped_id(std::string_view scope, std::string_view client_message_id) {
  std::string result(scope);
  result += separator;
  result += client_message_id;
  return result;
}

std::string_view own_id(std::string_view scoped) {
  const auto end = scoped.find(separator);
  return end == std::string_view::npos ? scoped : scoped.substr(end + 1);
}

}  // namespace ordeal::chat
