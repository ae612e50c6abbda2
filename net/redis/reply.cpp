#include "net/redis/reply.h"

#include <hiredis/hiredis.h>

#include <charconv>

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

reply::reply(redisReply* raw) : raw_(raw) {}

void reply::release::operator()(redisReply* raw) const noexcept {
  freeReplyObject(raw);
}

}  // namespace ordeal::net::redis
