// The plain HTTP side of a node: /healthz, /readyz, /metrics and the hub's negotiate. No I/O of its
// own.
#pragma once

#include "net/http.h"
#include "reference-server/hub/chat_hub.h"
#include "reference-server/hub/metrics.h"

namespace ordeal::chat {

class endpoints {
 public:
  endpoints(chat_hub& hub, const chat_log& log) : hub_(hub), log_(log), metrics_(hub, log) {}

  net::http_response answer(const net::http_request& request);

 private:
  net::http_response ready() const;
  net::http_response scrape();

  chat_hub& hub_;
  const chat_log& log_;
  metrics metrics_;
};

}  // namespace ordeal::chat
