#include "reference-server/hub/origins.h"

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <cctype>

namespace ordeal::chat {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string_view authority_of(std::string_view origin) {
  const auto scheme_end = origin.find("://");
  return scheme_end == std::string_view::npos ? std::string_view() : origin.substr(scheme_end + 3);
}

// "localhost:8080", "127.0.0.1", "[::1]:80": no name server was asked for it.
bool is_this_machine(std::string_view host) {
  if (host.starts_with('[')) return true;
  const std::string name = lower(host.substr(0, host.rfind(':')));
  boost::system::error_code ec;
  boost::asio::ip::make_address_v4(name, ec);
  return !ec || name == "localhost" || name.ends_with(".localhost");
}

}  // namespace

std::string normal_origin(std::string_view text) {
  if (text == "*") return "*";
  std::string origin = lower(text);
  if (!origin.empty() && origin.back() == '/') origin.pop_back();
  if (!origin.starts_with("http://") && !origin.starts_with("https://")) return {};
  const std::string_view authority = authority_of(origin);
  const bool is_plain = !authority.empty() && authority.find_first_of("/?#@ *") == authority.npos;
  return is_plain ? origin : std::string();
}

bool origin_policy::is_own(const net::http_request& request, std::string_view origin) const {
  const std::string_view host = request.header("Host");
  return !host.empty() && lower(authority_of(origin)) == lower(host) &&
         (!is_local_ || is_this_machine(host));
}

bool origin_policy::is_listed(std::string_view origin) const {
  const std::string wanted = lower(origin);
  return std::any_of(allowed_.begin(), allowed_.end(), [&wanted](const std::string& allowed) {
    return allowed == "*" || allowed == wanted;
  });
}

bool origin_policy::allows(const net::http_request& request) const {
  const std::string_view origin = request.header("Origin");
  return origin.empty() || is_own(request, origin) || is_listed(origin);
}

std::vector<net::http_header> origin_policy::cors_headers(const net::http_request& request) const {
  std::vector<net::http_header> headers;
  const std::string_view origin = request.header("Origin");
  if (origin.empty() || is_own(request, origin) || !is_listed(origin)) return headers;
  // With credentials a browser wants its own origin back, not "*".
  headers.push_back({"Access-Control-Allow-Origin", std::string(origin)});
  headers.push_back({"Access-Control-Allow-Credentials", "true"});
  headers.push_back({"Vary", "Origin"});
  return headers;
}

}  // namespace ordeal::chat
