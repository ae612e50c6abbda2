#include "net/redis/reply.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

namespace ordeal::net::redis {

bool reply_view::is_nil() const {
  return raw_ == nullptr || raw_->type == REDIS_REPLY_NIL;
}
bool reply_view::is_error() const {
  return raw_ != nullptr && raw_->type == REDIS_REPLY_ERROR;
}
bool reply_view::is_integer() const {
  return raw_ != nullptr && raw_->type == REDIS_REPLY_INTEGER;
}
bool reply_view::is_array() const {
  return raw_ != nullptr && raw_->type == REDIS_REPLY_ARRAY;
}

bool reply_view::is_text() const {
  return raw_ != nullptr && (raw_->type == REDIS_REPLY_STRING || raw_->type == REDIS_REPLY_STATUS);
}

std::string_view reply_view::text() const {
  if (!is_text() && !is_error()) return {};
  return std::string_view(raw_->str, raw_->len);
}

std::int64_t reply_view::integer() const {
  if (is_integer()) return raw_->integer;
  if (!is_text()) return 0;
  const std::string_view digits = text();
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return 0;
  return value;
}

std::size_t reply_view::size() const {
  return is_array() ? raw_->elements : 0;
}

reply_view reply_view::operator[](std::size_t i) const {
  return i < size() ? reply_view(raw_->element[i]) : reply_view();
}

void* reply_arena::take(std::size_t bytes) {
  constexpr std::size_t block_bytes_min = 1U << 10, block_bytes_max = 1U << 18;
  constexpr std::size_t alignment = alignof(std::max_align_t);
  bytes = (bytes + alignment - 1) / alignment * alignment;
  if (used_bytes_ + bytes > block_bytes_) {
    block_bytes_ = std::max(bytes, std::clamp(block_bytes_ * 2, block_bytes_min, block_bytes_max));
    // Not a container of zeroes: all of it is written before it is read.
    blocks_.push_back(std::unique_ptr<std::byte[]>(new std::byte[block_bytes_]));
    used_bytes_ = 0;
  }
  std::byte* const place = blocks_.back().get() + used_bytes_;
  used_bytes_ += bytes;
  return place;
}

reply::reply(redisReply* raw) : raw_(raw) {}

reply::reply(redisReply* raw, std::unique_ptr<reply_arena> memory)
    : memory_(std::move(memory)), raw_(raw, reply_release{true}) {}

void reply_release::operator()(redisReply* raw) const noexcept {
  if (!is_in_arena) freeReplyObject(raw);
}

}  // namespace ordeal::net::redis
