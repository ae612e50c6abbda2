// Who may use this hub from a browser: the same-origin rule with an allow-list. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace ordeal::chat {

// "http://host[:port]" or "https://...", in lower case, without a path; empty when `text` is not
// one. "*" is one, too.
std::string normal_origin(std::string_view text);

class origin_policy {
 public:
  // `allowed`: normal origins, "*" among them allows every one. `is_local`: only this machine is served, so another
  // host's name in a request is one that was made to point here (DNS rebinding).
  origin_policy(std::vector<std::string> allowed, bool is_local)
      : allowed_(std::move(allowed)), is_local_(is_local) {}

  // True without an Origin header (not a browser), for the origin that the request itself names as its host, and for
  // those of the list.
  bool allows(const net::http_request& request) const;

  // What a browser of an allowed foreign origin has to be told, credentials included; empty for everybody else.
  std::vector<net::http_header> cors_headers(const net::http_request& request) const;

 private:
  bool is_own(const net::http_request& request, std::string_view origin) const;
  bool is_listed(std::string_view origin) const;

  std::vector<std::string> allowed_;
  bool is_local_;
};

}  // namespace ordeal::chat
