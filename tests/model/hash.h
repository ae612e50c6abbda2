// 128 bits of hash for states that are too many to keep. Not for anything that an adversary may choose.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat::model {

struct digest {
  std::uint64_t high = 0, low = 0;
  friend auto operator<=>(const digest&, const digest&) = default;
};

struct digest_hash {
  std::size_t operator()(const digest& what) const { return what.low; }
};

class hasher {
 public:
  hasher& add(std::uint64_t word) {
    high_ = mix(high_ ^ word, 0x9e37'79b9'7f4a'7c15U);
    low_ = mix(low_ + word, 0xd6e8'feb8'6659'fd93U) ^ (high_ >> 32U);
    return *this;
  }
  hasher& add(std::string_view text) {
    add(text.size());
    while (text.size() >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data(), sizeof word);
      add(word);
      text.remove_prefix(sizeof word);
    }
    std::uint64_t rest = 0;
    if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
    return add(rest);
  }
  hasher& add(position at) { return add(at.epoch).add(at.index); }
  hasher& add(const digest& what) { return add(what.high).add(what.low); }
  hasher& add(const entry& each) {
    add(each.at).add(static_cast<std::uint64_t>(each.kind)).add(each.origin).add(each.origin_seq);
    return add(each.room).add(each.client_message_id).add(each.text);
  }

  digest result() const { return digest{high_, low_}; }

 private:
  static std::uint64_t mix(std::uint64_t word, std::uint64_t factor) {
    word ^= word >> 32U;
    word *= factor;
    word ^= word >> 29U;
    return word * 0xbf58'476d'1ce4'e5b9U;
  }

  std::uint64_t high_ = 0x243f'6a88'85a3'08d3U, low_ = 0x1319'8a2e'0370'7344U;
};

}  // namespace ordeal::chat::model
