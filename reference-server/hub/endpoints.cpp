#include "reference-server/hub/endpoints.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace ordeal::chat {
namespace {

net::http_response text(unsigned status, std::string body) {
  net::http_response response;
  response.status = status;
  response.body = std::move(body) + "\n";
  return response;
}

net::http_response wrong_method(const char* allowed) {
  auto response = text(405, std::string("use ") + allowed);
  response.headers.push_back(net::http_header{"Allow", allowed});
  return response;
}

}  // namespace

net::http_response endpoints::answer(const net::http_request& request) {
  if (request.path == "/chat/negotiate") {
    return request.method == "POST" ? hub_.negotiate(request) : wrong_method("POST");
  }
  if (request.path == "/chat") return text(426, "open /chat as a WebSocket");
  constexpr std::array<const char*, 3> probes{"/healthz", "/readyz", "/metrics"};
  if (std::find(probes.begin(), probes.end(), request.path) == probes.end()) {
    return text(404, "there is /chat, /chat/negotiate, /healthz, /readyz and /metrics");
  }
  if (request.method != "GET" && request.method != "HEAD") return wrong_method("GET");
  if (request.path == "/healthz") return text(200, "ok");
  return request.path == "/readyz" ? ready() : scrape();
}

net::http_response endpoints::ready() const {
  if (hub_.is_draining()) return text(503, "shutting down");
  const log_health& health = log_.health();
  if (health.is_ready) return text(200, "ready");
  if (!health.reason.empty()) return text(503, health.reason);
  return text(503, "the heartbeat of this node has not come back through the log yet");
}

net::http_response endpoints::scrape() {
  net::http_response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics_.scrape();
  return response;
}

}  // namespace ordeal::chat
