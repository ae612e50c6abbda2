// A RESP2 reply, owned. Copyable views into it live as long as the reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

struct redisReply;

namespace ordeal::net::redis {

// A view of a reply or of one of its elements.
class reply_view {
 public:
  explicit reply_view(const redisReply* raw = nullptr) : raw_(raw) {}

  bool is_nil() const;
  bool is_error() const;
  bool is_text() const;  // bulk string or status
  bool is_integer() const;
  bool is_array() const;

  // Bulk string, status or error text; empty for anything else.
  std::string_view text() const;
  // An integer reply, or a text that is one; 0 for anything else.
  std::int64_t integer() const;

  std::size_t size() const;                    // elements of an array; 0 for anything else
  reply_view operator[](std::size_t i) const;  // a nil view when out of range

 private:
  const redisReply* raw_;
};

class reply {
 public:
  reply() = default;
  explicit reply(redisReply* raw);
  reply_view view() const { return reply_view(raw_.get()); }
  const reply_view* operator->() const { return &(view_ = view()); }

 private:
  struct release {
    void operator()(redisReply* raw) const noexcept;
  };
  std::unique_ptr<redisReply, release> raw_;
  mutable reply_view view_;
};

}  // namespace ordeal::net::redis
