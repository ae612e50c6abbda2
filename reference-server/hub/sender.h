// Whose message ids are whose (ADR 1): a client message id means something only together with its sender. A sender is
// who shows a key (the query parameter `sender`), over whatever connection and node; without one it is the session.
// The log knows "<scope>US<id>", clients their own ids. Pure.
#pragma once

#include <string>
#include <string_view>

namespace ordeal::chat {

inline constexpr std::size_t sender_key_bytes_min = 16, sender_key_bytes_max = 128;

// Empty when `key` can be a sender's; else what is wrong with it.
std::string sender_key_error(std::string_view key);

// Of whoever shows this key: the same on every node, and the key cannot be told from it.
std::string sender_scope(std::string_view key);
// Of one session, and of nobody else.
std::string session_scope();

std::string scoped_id(std::string_view scope, std::string_view client_message_id);
// What the client calls it. An id without a scope is of an earlier version of the log, and is whole.
std::string_view own_id(std::string_view scoped);

}  // namespace ordeal::chat
