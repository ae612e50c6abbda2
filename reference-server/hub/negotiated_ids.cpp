#include "reference-server/hub/negotiated_ids.h"

#include <utility>

namespace ordeal::chat {

void negotiated_ids::add(std::string token, net::time_point expires, bool wants_resume) {
  id added;
  added.expires = expires;
  added.wants_resume = wants_resume;
  by_age_.push_back(token);
  ids_.insert_or_assign(std::move(token), added);
}

negotiated_ids::state negotiated_ids::find(std::string_view token) const {
  const auto found = ids_.find(std::string(token));
  if (found == ids_.end()) return state::unknown;
  return found->second.is_in_use ? state::in_use : state::free;
}

bool negotiated_ids::claim(std::string_view token) {
  const auto found = ids_.find(std::string(token));
  if (found == ids_.end() || found->second.is_in_use) return false;
  found->second.is_in_use = true;
  return true;
}

bool negotiated_ids::wants_resume(std::string_view token) const {
  const auto found = ids_.find(std::string(token));
  return found != ids_.end() && found->second.wants_resume;
}

void negotiated_ids::release(std::string_view token) {
  ids_.erase(std::string(token));
}

void negotiated_ids::expire(net::time_point now) {
  std::erase_if(ids_, [now](const auto& entry) {
    return !entry.second.is_in_use && entry.second.expires <= now;
  });
  std::erase_if(by_age_, [this](const std::string& token) { return find(token) != state::free; });
}

bool negotiated_ids::drop_oldest() {
  while (!by_age_.empty()) {
    const std::string token = std::move(by_age_.front());
    by_age_.pop_front();
    if (find(token) == state::free) return ids_.erase(token) > 0;
  }
  return false;
}

}  // namespace ordeal::chat
