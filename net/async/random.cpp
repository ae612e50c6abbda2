#include "net/async/random.h"

#include <sys/random.h>

#include "net/async/assert.h"

namespace ordeal::net {
namespace {

void fill_random(void* bytes, std::size_t size) {
  auto* at = static_cast<unsigned char*>(bytes);
  while (size > 0) {
    const ssize_t got = ::getrandom(at, size, 0);
    if (got < 0) continue;  // EINTR
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

}  // namespace

std::string random_id(std::size_t length) {
  constexpr std::string_view alphabet = "0123456789abcdefghijklmnopqrstuv";
  std::string id(length, '\0');
  fill_random(id.data(), id.size());
  for (char& c : id) c = alphabet[static_cast<unsigned char>(c) & 31U];
  return id;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  fill_random(&seed, sizeof seed);
  return seed;
}

random_stream::random_stream(std::uint64_t root_seed, std::string_view name, std::uint64_t index)
    : state_(mix(root_seed + 0x9e3779b97f4a7c15ULL)) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  state_ = mix(state_ ^ hash);
  state_ = mix(state_ ^ mix(index + 1));
}

std::uint64_t random_stream::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  return mix(state_);
}

std::uint64_t random_stream::below(std::uint64_t bound) {
  ORDEAL_ASSERT(bound > 0);
  // Rejection keeps the draw uniform; the loop ends after less than two rounds on average.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = next();
  while (value >= limit) value = next();
  return value % bound;
}

double random_stream::unit() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

}  // namespace ordeal::net
