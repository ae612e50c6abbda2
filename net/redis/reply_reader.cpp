#include "net/redis/reply_reader.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/async/assert.h"

namespace ordeal::net::redis {
namespace {

// hiredis's replies, allocated in the arena of the reply that is being read. Returning null makes the reader fail, as
// when there is no memory.

redisReply* make_reply(const redisReadTask* task, int type) {
  auto& memory = *static_cast<std::unique_ptr<reply_arena>*>(task->privdata);
  if (!memory) memory = std::make_unique<reply_arena>();
  auto* const made = new (memory->take(sizeof(redisReply))) redisReply{};
  made->type = type;
  if (task->parent != nullptr)
    static_cast<redisReply*>(task->parent->obj)->element[task->idx] = made;
  return made;
}

reply_arena& arena_of(const redisReadTask* task) {
  return **static_cast<std::unique_ptr<reply_arena>*>(task->privdata);
}

void* make_string(const redisReadTask* task, char* text, std::size_t size) {
  redisReply* const made = make_reply(task, task->type);
  made->str = static_cast<char*>(arena_of(task).take(size + 1));
  std::memcpy(made->str, text, size);
  made->str[size] = '\0';
  made->len = size;
  return made;
}

void* make_array(const redisReadTask* task, int element_count) {
  if (element_count > static_cast<int>(reply_reader::array_elements_max)) return nullptr;
  redisReply* const made = make_reply(task, REDIS_REPLY_ARRAY);
  const auto count = static_cast<std::size_t>(element_count);
  if (count > 0) {
    made->element = static_cast<redisReply**>(arena_of(task).take(count * sizeof(redisReply*)));
    std::fill_n(made->element, count, nullptr);
  }
  made->elements = count;
  return made;
}

void* make_integer(const redisReadTask* task, long long value) {
  redisReply* const made = make_reply(task, REDIS_REPLY_INTEGER);
  made->integer = value;
  return made;
}

void* make_nil(const redisReadTask* task) {
  return make_reply(task, REDIS_REPLY_NIL);
}

void free_nothing(void*) {}  // the arena goes as a whole

}  // namespace

struct reply_reader::hiredis_reader {
  hiredis_reader() : raw(redisReaderCreateWithFunctions(&functions)) {
    ORDEAL_ASSERT(raw != nullptr);
    raw->maxbuf = 0;  // never free the idle buffer: large replies come one after the other
    raw->privdata = &memory;
  }
  hiredis_reader(const hiredis_reader&) = delete;
  hiredis_reader& operator=(const hiredis_reader&) = delete;
  ~hiredis_reader() { redisReaderFree(raw); }

  std::unique_ptr<reply_arena> memory;  // of the reply that is being read; null between two
  redisReplyObjectFunctions functions{make_string, make_array, make_integer, make_nil,
                                      free_nothing};
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
  return reply(static_cast<redisReply*>(raw), std::move(reader_->memory));
}

bool reply_reader::is_broken() const {
  return reader_->raw->err != 0;
}

}  // namespace ordeal::net::redis
