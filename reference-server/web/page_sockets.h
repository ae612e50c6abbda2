// Which pages hold a WebSocket of this node. A page that knows only the load balancer's address
// finds out here which node it got: it opens /chat?page=<random id> and asks GET /node?page=<the
// same> until a node says that it serves it. One thread.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace ordeal::chat {

class page_sockets {
 public:
  static constexpr std::size_t id_length_max = 64;  // longer ones are not kept

  bool contains(std::string_view id) const { return ids_.contains(id); }

  // Present from construction to destruction; the registry outlives it.
  class entry {
   public:
    entry(page_sockets& among, std::string_view id) : ids_(among.ids_) {
      if (!id.empty() && id.size() <= id_length_max) place_ = ids_.emplace(id);
    }
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    ~entry() {
      if (place_ != ids_.end()) ids_.erase(place_);
    }

   private:
    std::multiset<std::string, std::less<>>& ids_;
    std::multiset<std::string, std::less<>>::iterator place_ = ids_.end();
  };

 private:
  std::multiset<std::string, std::less<>> ids_;
};

}  // namespace ordeal::chat
