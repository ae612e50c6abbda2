// A RESP2 reply, owned. Copyable views into it live as long as the reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

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

// Where the parts of one reply lie: a reply of some hundred entries has thousands of them, and they go together.
class reply_arena {
 public:
  // Aligned for any object.
  void* take(std::size_t bytes);

 private:
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::size_t block_bytes_ = 0;  // of the newest block
  std::size_t used_bytes_ = 0;
};

struct reply_release {
  bool is_in_arena = false;
  void operator()(redisReply* raw) const noexcept;
};

class reply {
 public:
  reply() = default;
  explicit reply(redisReply* raw);                              // as hiredis allocates it
  reply(redisReply* raw, std::unique_ptr<reply_arena> memory);  // all of it lies in `memory`
  reply_view view() const { return reply_view(raw_.get()); }
  const reply_view* operator->() const { return &(view_ = view()); }

 private:
  std::unique_ptr<reply_arena> memory_;
  std::unique_ptr<redisReply, reply_release> raw_;
  mutable reply_view view_;
};

}  // namespace ordeal::net::redis
