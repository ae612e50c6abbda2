// Who else is there, by what they have written, and who has read which part of the log, by their
// heartbeats: entries that another node holds may leave the outbox (docs/log-protocol.md, H6) and may be delivered in
// stable mode, and a recovery waits for the nodes that are known. Silence is counted in own
// heartbeats that came back, so that a deaf node forgets nobody. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

// "<number> <epoch>-<index> <low>": the sender has read up to the position and holds everything from index `low` on.
struct beat_text {
  std::uint64_t number = 0;
  position read;
  std::uint64_t low = 0;
};
std::string format_beat(const beat_text& beat);
std::optional<beat_text> parse_beat(std::string_view text);

class holders {
 public:
  struct holder {
    std::uint64_t low = 0, upto = 0;  // indexes
    std::uint64_t silence = 0;        // own beats that came back since its latest
    std::uint64_t number = 0;         // of its latest
  };

  // Once more, or an older one: nothing changes.
  void on_other_beat(const std::string& origin, const beat_text& beat);
  // It has written something, perhaps long ago.
  void on_written_by(const std::string& origin);
  void on_own_echo(unsigned forget_after);

  // The branch was left: positions beyond `index` mean nothing any more.
  void cut(std::uint64_t index);

  // No other node was heard for `silent_max` own beats.
  bool is_alone(unsigned silent_max) const;
  // Another node holds the entry at `index`, or it is older than what any other keeps.
  bool is_held(std::uint64_t index) const { return index < kept_from() || is_read(index); }
  // The oldest index that some other node keeps or will keep; 0: there is no other.
  std::uint64_t kept_from() const;
  // Everybody who was heard of.
  std::vector<std::string> members() const;

  const std::map<std::string, holder>& all() const { return all_; }
  const std::map<std::string, std::uint64_t>& heard_of() const { return members_; }
  std::uint64_t echoes_alone() const { return echoes_alone_; }

 private:
  bool is_read(std::uint64_t index) const;

  std::map<std::string, holder> all_;
  std::map<std::string, std::uint64_t> members_;  // own echoes since they were heard of
  std::uint64_t echoes_alone_ = 0;                // own echoes since any other beat
};

}  // namespace ordeal::chat
