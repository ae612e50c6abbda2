// The chat page as HTTP: which paths belong to it, and the answers, with the headers that confine it in the browser.
#pragma once

#include <string_view>

#include "net/http.h"
#include "reference-server/web/page_files.h"

namespace ordeal::chat {

// The file at that path, or null: not one of the page.
const page_file* find_page_file(std::string_view path);

// The answer to a GET or HEAD of it: 304 for a browser that has this very version.
net::http_response page_response(const page_file& file, const net::http_request& request);

}  // namespace ordeal::chat
