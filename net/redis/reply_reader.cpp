#include "net/redis/reply_reader.h"

#include <hiredis/hiredis.h>

#include "net/async/assert.h"

namespace ordeal::net::redis {
namespace {

// What hiredis itself uses; it names them nowhere but in a reader that it made.
const redisReplyObjectFunctions& functions_of_hiredis() {
  static const redisReplyObjectFunctions functions = [] {
    redisReader* reader = redisReaderCreate();
    ORDEAL_ASSERT(reader != nullptr);
    const redisReplyObjectFunctions found = *reader->fn;
    redisReaderFree(reader);
    return found;
  }();
  return functions;
}

// Null makes the reader fail, as when there is no memory.
void* make_bounded_array(const redisReadTask* task, int element_count) {
  if (element_count > static_cast<int>(reply_reader::array_elements_max)) return nullptr;
  return functions_of_hiredis().createArray(task, element_count);
}

redisReplyObjectFunctions bounded_functions() {
  redisReplyObjectFunctions functions = functions_of_hiredis();
  functions.createArray = make_bounded_array;
  return functions;
}

}  // namespace

struct reply_reader::hiredis_reader {
  hiredis_reader() : raw(redisReaderCreateWithFunctions(&functions)) {
    ORDEAL_ASSERT(raw != nullptr);
    raw->maxbuf = 0;  // never free the idle buffer: large replies come one after the other
  }
  hiredis_reader(const hiredis_reader&) = delete;
  hiredis_reader& operator=(const hiredis_reader&) = delete;
  ~hiredis_reader() { redisReaderFree(raw); }

  redisReplyObjectFunctions functions = bounded_functions();
  redisReader* raw;
};

reply_reader::reply_reader() : reader_(std::make_unique<hiredis_reader>()) {}
reply_reader::~reply_reader() = default;

void reply_reader::feed(std::string_view bytes) {
  // A failure shows in is_broken().
  (void)redisReaderFeed(reader_->raw, bytes.data(), bytes.size());
}

std::optional<reply> reply_reader::take() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_->raw, &raw) != REDIS_OK || raw == nullptr) return std::nullopt;
  return reply(static_cast<redisReply*>(raw));
}

bool reply_reader::is_broken() const {
  return reader_->raw->err != 0;
}

}  // namespace ordeal::net::redis
