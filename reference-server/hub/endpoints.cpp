#include "reference-server/hub/endpoints.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "reference-server/hub/version.h"
#include "reference-server/web/page.h"

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
    const bool is_known = request.method == "POST" || request.method == "OPTIONS";
    return is_known ? hub_.negotiate(request) : wrong_method("POST, OPTIONS");
  }
  if (request.path == "/chat") return text(426, "open /chat as a WebSocket");
  constexpr std::array<const char*, 4> probes{"/healthz", "/readyz", "/metrics", "/node"};
  const page_file* const page = find_page_file(request.path);
  if (page == nullptr && std::find(probes.begin(), probes.end(), request.path) == probes.end()) {
    return text(404, "there is /, /chat, /chat/negotiate, /node, /healthz, /readyz and /metrics");
  }
  if (request.method != "GET" && request.method != "HEAD") return wrong_method("GET");
  if (page != nullptr) return page_response(*page, request);
  if (request.path == "/node") return describe_node(request);
  if (request.path == "/healthz") return text(200, "ok");
  return request.path == "/readyz" ? ready() : scrape();
}

std::string endpoints::unready_reason() const {
  if (hub_.is_draining()) return "shutting down";
  const log_health& health = log_.health();
  if (health.is_ready) return {};
  if (!health.reason.empty()) return health.reason;
  return "the heartbeat of this node has not come back through the log yet";
}

net::http_response endpoints::ready() const {
  auto reason = unready_reason();
  return reason.empty() ? text(200, "ready") : text(503, std::move(reason));
}

net::http_response endpoints::describe_node(const net::http_request& request) const {
  const auto reason = unready_reason();
  boost::json::object answer;
  answer["node"] = names_.node;
  answer["app"] = names_.app;
  answer["version"] = version;
  answer["ready"] = reason.empty();
  answer["reason"] = reason;
  const auto page = query_parameter(request.query, "page");
  if (!page.empty()) answer["serves_page"] = pages_.contains(page);
  net::http_response response;
  response.content_type = "application/json";
  response.headers.push_back(net::http_header{"Cache-Control", "no-store"});
  response.body = boost::json::serialize(answer) + "\n";
  return response;
}

net::http_response endpoints::scrape() {
  net::http_response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics_.scrape();
  return response;
}

}  // namespace ordeal::chat
