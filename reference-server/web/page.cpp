#include "reference-server/web/page.h"

#include <algorithm>
#include <array>
#include <string>

namespace ordeal::chat {
namespace {

struct header_row {
  const char* name;
  const char* value;
};

// Paths are fixed, not made of hashes: during a rolling upgrade behind a load balancer the page may
// come from an old node and its script from a new one, and a name with a hash would be unknown there.
// Hence every use asks (no-cache), and the tag makes that a 304.
//
// Trusted types: a browser that knows them refuses to take any string as HTML or script on this page,
// whoever tries.
constexpr std::array<header_row, 6> page_headers{{
    {"Cache-Control", "no-cache"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; "
     "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
     "trusted-types 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
}};

// The tag stands in quotes and is a hash: found anywhere in the list, it is that very tag (also
// after W/, which counts here: RFC 9110, 13.1.2).
bool is_known_to(const net::http_request& request, const page_file& file) {
  const auto known = request.header("If-None-Match");
  return known == "*" || known.find(file.tag) != std::string_view::npos;
}

}  // namespace

const page_file* find_page_file(std::string_view path) {
  const auto files = page_files();
  const auto found = std::find_if(files.begin(), files.end(),
                                  [path](const page_file& each) { return each.path == path; });
  return found == files.end() ? nullptr : &*found;
}

net::http_response page_response(const page_file& file, const net::http_request& request) {
  net::http_response response;
  response.content_type = file.content_type;
  for (const auto& [name, value] : page_headers) {
    response.headers.push_back(net::http_header{name, value});
  }
  response.headers.push_back(net::http_header{"ETag", std::string(file.tag)});
  if (is_known_to(request, file)) {
    response.status = 304;
  } else {
    response.body = file.body;
  }
  return response;
}

}  // namespace ordeal::chat
