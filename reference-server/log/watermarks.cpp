#include "reference-server/log/watermarks.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ordeal::chat {

void watermarks::on_message(const std::string& origin, std::uint64_t seq, std::uint64_t index,
                            std::uint64_t floor) {
  const auto [place, is_new] = all_.try_emplace(origin);
  mark& known = place->second;
  known.seq = std::max(known.seq, seq);
  known.heard = std::max(known.heard, index);
  if (is_new && all_.size() > origins_kept) forget_below(floor);
}

void watermarks::on_word(const std::string& origin, std::uint64_t index) {
  const auto known = all_.find(origin);
  if (known != all_.end()) known->second.heard = std::max(known->second.heard, index);
}

void watermarks::on_lost(const std::string& origin, std::uint64_t seq) {
  mark& known = all_[origin];
  known.seq = std::min(known.seq, seq - 1);
}

std::map<std::string, std::uint64_t> watermarks::seqs() const {
  std::map<std::string, std::uint64_t> result;
  for (const auto& [origin, known] : all_) result.emplace(origin, known.seq);
  return result;
}

void watermarks::forget_below(std::uint64_t floor) {
  std::vector<std::pair<std::uint64_t, std::string>> old;
  for (const auto& [origin, known] : all_) {
    if (known.heard < floor) old.emplace_back(known.heard, origin);
  }
  std::ranges::sort(old);
  old.resize(std::min(old.size(), all_.size() - origins_kept));
  for (const auto& [heard, origin] : old) all_.erase(origin);
}

}  // namespace ordeal::chat
