// The bytes of a Redis connection to replies: hiredis's RESP2 reader with a bound on arrays. Feed what came, take
// replies until there is none. For the replies of a Redis that we chose; one thread; no I/O.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "net/redis/reply.h"

namespace ordeal::net::redis {

class reply_reader {
 public:
  // An array is allocated when its length is read, before any of its elements came. What we ask for
  // has a few thousand elements; whoever announces more is no Redis, and would take the memory of
  // this process.
  static constexpr std::size_t array_elements_max = 65'536;

  reply_reader();
  ~reply_reader();

  void feed(std::string_view bytes);
  // The next whole reply; nullopt when more bytes are needed, or when the reader is broken.
  std::optional<reply> take();
  // The bytes were not RESP2: nothing that follows can be read.
  bool is_broken() const;

 private:
  struct hiredis_reader;
  std::unique_ptr<hiredis_reader> reader_;
};

}  // namespace ordeal::net::redis
