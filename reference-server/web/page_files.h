// The files of the chat page, bundled and embedded by the build (build.mjs).
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace ordeal::chat {

struct page_file {
  std::string_view path;
  std::string_view content_type;
  std::string_view tag;  // a strong ETag with its quotes: changes exactly when the body does
  std::string_view body;
};

std::span<const page_file> page_files();

}  // namespace ordeal::chat
