// Somebody who listens to a link: sees every byte that it forwards, and changes nothing.
//
// Called on the proxy thread, between the bytes: it has to be quick and must not throw. Bytes show
// when they have been handed to the other side, so what a blackhole or a latency holds back shows
// when it passes, and what a reset drops never does.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace ordeal::fault {

enum class link_way { up, down };  // node to upstream, upstream to node

// One connection through a link, from its first byte to its end.
class connection_tap {
 public:
  virtual ~connection_tap() = default;
  // The next bytes of that way, in pieces as they happened to be forwarded.
  virtual void on_bytes(link_way way, std::string_view bytes) = 0;
};

// Makes the tap of a new connection; on the proxy thread as well.
using tap_maker = std::function<std::unique_ptr<connection_tap>()>;

}  // namespace ordeal::fault
