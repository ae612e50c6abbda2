// Positions and entries as Redis writes them: ids "<epoch>-<index>", entries as six fields k o s r
// c t. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/redis/reply.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

// Beyond these no node ever comes; Lua counts exactly up to index_max.
inline constexpr std::uint64_t epoch_max = std::uint64_t{1} << 62U;
inline constexpr std::uint64_t index_max = std::uint64_t{1} << 53U;

// Decimal digits and nothing else.
std::optional<std::uint64_t> parse_number(std::string_view digits);

std::string format_position(position at);
std::optional<position> parse_position(std::string_view text);

// One element of an XRANGE or XREAD reply: [id, [field, value, ...]]; null when it is not one of
// ours.
entry_ptr parse_entry(net::redis::reply_view element);

// The kind's letter in field k.
std::string_view letter_of(entry_kind kind);

// What it takes in memory, roughly.
std::size_t entry_bytes(const entry& each);

// Same place, same bytes.
bool is_same_entry(const entry& one, const entry& other);

}  // namespace ordeal::chat
