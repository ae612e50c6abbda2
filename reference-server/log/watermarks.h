// What a node knows of the origins' sequences: the last seq of each, as read from the log. It goes into recoveries, so
// that a message whose entry is trimmed everywhere is still known (docs/log-protocol.md, H8). An origin whose last word
// is older than every entry that the log keeps is forgotten, except the newest of them (append.lua does the same in
// Redis). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace ordeal::chat {

class watermarks {
 public:
  // As in retention.lua.
  static constexpr std::size_t origins_kept = 32;

  struct mark {
    std::uint64_t seq = 0;
    std::uint64_t heard = 0;  // index of its newest word
  };

  // `floor`: index of the oldest entry that the log keeps.
  void on_message(const std::string& origin, std::uint64_t seq, std::uint64_t index,
                  std::uint64_t floor);
  // It has said something else at `index`.
  void on_word(const std::string& origin, std::uint64_t index);
  // What it wrote from `seq` on was lost with a branch.
  void on_lost(const std::string& origin, std::uint64_t seq);
  void clear() { all_.clear(); }

  const std::map<std::string, mark>& all() const { return all_; }
  std::map<std::string, std::uint64_t> seqs() const;

 private:
  void forget_below(std::uint64_t floor);

  std::map<std::string, mark> all_;
};

}  // namespace ordeal::chat
