// Connection tokens that negotiate handed out: each opens one session. Unclaimed ones expire. One
// thread.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/async/clock.h"

namespace ordeal::chat {

class negotiated_ids {
 public:
  enum class state { unknown, free, in_use };

  void add(std::string token, net::time_point expires, bool wants_resume);
  state find(std::string_view token) const;
  bool claim(std::string_view token);               // false when it is not free
  bool wants_resume(std::string_view token) const;  // as negotiated
  void release(std::string_view token);             // its session is over: unknown from now on
  void expire(net::time_point now);
  bool drop_oldest();  // of the free ones; false: there is none
  std::size_t size() const { return ids_.size(); }

 private:
  struct id {
    net::time_point expires;
    bool wants_resume = false;
    bool is_in_use = false;
  };
  std::unordered_map<std::string, id> ids_;
  std::deque<std::string> by_age_;  // free ones, and some that are free no more
};

}  // namespace ordeal::chat
