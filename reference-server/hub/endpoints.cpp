#include "reference-server/hub/endpoints.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
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

std::string seconds_of(std::chrono::milliseconds age) {
  const auto tenths = age.count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

// "<what> for 1.2 s: <reason>", or without the age.
std::string sentence(std::string_view what, const std::optional<std::chrono::milliseconds>& age,
                     std::string_view reason) {
  std::string line(what);
  if (age) line += " for " + seconds_of(*age);
  line += ": ";
  line += reason;
  // Redis does not name the command when a script may not run it.
  const bool is_denied = reason.find("NOPERM") != std::string_view::npos ||
                         reason.find("can't run this command") != std::string_view::npos;
  if (is_denied) line += " (README.md has the ACL line that a node needs)";
  // One line, whatever Redis said.
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

// Attached, and yet not ready.
std::string why_open_is_not_ready(const log_health& health) {
  if (!health.reason.empty()) return sentence("appends fail", health.trouble_age, health.reason);
  const std::uint64_t lag = health.top_index - std::min(health.top_index, health.last_read.index);
  const std::string backlog = std::to_string(lag) + " entries of the log are not read yet";
  if (health.is_paced && lag > 0)
    return sentence("behind", health.behind_age, backlog + ", and clients take them slowly");
  if (health.is_arriving && lag > 0)
    return sentence("behind", health.behind_age, backlog + ", and arrive slowly");
  if (!health.reader_reason.empty()) return sentence("deaf", health.echo_age, health.reader_reason);
  if (!health.echo_age)
    return "starting: the first heartbeat has not come back through the log yet";
  // Older heartbeats still come back: it reads, but not fast enough.
  if (health.behind_age && *health.echo_age < *health.behind_age)
    return sentence("behind", health.behind_age, backlog);
  if (health.is_echo_missing)
    return sentence("deaf", health.echo_age, "heartbeats are in the log and do not come back");
  if (health.unanswered)
    return sentence("mute", health.unanswered, "Redis has not answered the command on its way");
  return sentence("silent", health.echo_age, "no heartbeat came back through the log");
}

std::string why_not_ready(const log_health& health) {
  switch (health.state) {
    case log_state::connecting:
      return sentence("connecting", health.trouble_age, health.reason);
    case log_state::recovering:
      return sentence("recovering", health.trouble_age, health.reason);
    case log_state::refusing:
      return sentence(health.do_appends_fail ? "appends fail" : "refusing", health.trouble_age,
                      health.reason);
    case log_state::stopped:
      return sentence("stopped", std::nullopt, health.reason);
    case log_state::open:
      return why_open_is_not_ready(health);
  }
  return {};
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
  if (hub_.is_draining()) return "draining: this node is shutting down";
  const log_health& health = log_.health();
  const std::string trouble = hub_.descriptor_trouble();
  if (health.is_ready && !trouble.empty()) return "out of descriptors: " + trouble;
  return health.is_ready ? std::string() : why_not_ready(health);
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
