// Connection tokens that negotiate handed out: each opens one WebSocket. Unclaimed ones expire. One
// thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "net/async/clock.h"

namespace ordeal::chat {

class negotiated_ids {
 public:
  enum class state { unknown, free, in_use };

  void add(std::string token, net::time_point expires);
  state find(std::string_view token) const;
  bool claim(std::string_view token);    // false when it is not free
  void release(std::string_view token);  // its connection is over: unknown from now on
  void expire(net::time_point now);
  std::size_t size() const { return ids_.size(); }

 private:
  struct id {
    net::time_point expires;
    bool is_in_use = false;
  };
  std::unordered_map<std::string, id> ids_;
};

}  // namespace ordeal::chat
