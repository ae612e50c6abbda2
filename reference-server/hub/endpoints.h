// The plain HTTP side of a node: /healthz, /readyz, /metrics, /node, the chat page and the hub's
// negotiate. No I/O of its own.
#pragma once

#include <string>
#include <utility>

#include "net/http.h"
#include "reference-server/hub/chat_hub.h"
#include "reference-server/hub/metrics.h"
#include "reference-server/web/page_sockets.h"

namespace ordeal::chat {

// What a node calls itself.
struct node_names {
  std::string node;
  std::string app;
};

class endpoints {
 public:
  endpoints(chat_hub& hub, const chat_log& log, const page_sockets& pages, node_names names)
      : hub_(hub), log_(log), pages_(pages), names_(std::move(names)), metrics_(hub, log) {}

  net::http_response answer(const net::http_request& request);

 private:
  // Why this node takes no clients now: "<state> for <age>: <reason>", one line; empty when it does.
  std::string unready_reason() const;
  net::http_response ready() const;
  net::http_response describe_node(const net::http_request& request) const;
  net::http_response scrape();

  chat_hub& hub_;
  const chat_log& log_;
  const page_sockets& pages_;
  node_names names_;
  metrics metrics_;
};

}  // namespace ordeal::chat
