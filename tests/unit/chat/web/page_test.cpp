// The page as HTTP: types, tags, confinement.
#include "reference-server/web/page.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ordeal::chat::test {
namespace {

std::string header_of(const net::http_response& response, std::string_view name) {
  for (const auto& each : response.headers) {
    if (each.name == name) return each.value;
  }
  return {};
}

net::http_response ask(std::string_view path, std::string known = {}) {
  net::http_request request;
  request.headers.push_back(net::http_header{"if-none-match", std::move(known)});
  return page_response(*find_page_file(path), request);
}

TEST(Page, HasFourFilesAndNoOthers) {
  std::set<std::string_view> paths;
  std::set<std::string_view> tags;
  for (const auto& file : page_files()) {
    paths.insert(file.path);
    tags.insert(file.tag);
    EXPECT_FALSE(file.body.empty()) << file.path;
  }
  EXPECT_EQ(paths, (std::set<std::string_view>{"/", "/assets/icon.svg", "/assets/page.css",
                                               "/assets/page.js"}));
  EXPECT_EQ(tags.size(), paths.size());
  EXPECT_EQ(find_page_file("/assets/"), nullptr);
  EXPECT_EQ(find_page_file("/index.html"), nullptr);
}

TEST(Page, IsConfined) {
  for (const auto& file : page_files()) {
    const auto response = ask(file.path);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.content_type, file.content_type);
    const auto policy = header_of(response, "Content-Security-Policy");
    for (const char* rule : {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'",
                             "require-trusted-types-for 'script'"}) {
      EXPECT_NE(policy.find(rule), std::string::npos) << rule;
    }
    EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
    EXPECT_EQ(header_of(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header_of(response, "Referrer-Policy"), "no-referrer");
  }
}

TEST(Page, NamesNoOtherHost) {
  for (const auto& file : page_files()) {
    if (file.path == "/assets/page.js") continue;  // the client's messages have addresses in them
    std::size_t count = 0;
    for (auto at = file.body.find("://"); at != std::string_view::npos;
         at = file.body.find("://", at + 1)) {
      ++count;
    }
    const std::size_t namespaces = file.path == "/assets/icon.svg" ? 1 : 0;
    EXPECT_EQ(count, namespaces) << file.path;
  }
}

TEST(Page, IsSentAgainOnlyWhenItHasChanged) {
  const std::string tag = header_of(ask("/"), "ETag");
  ASSERT_EQ(tag.size(), 34U) << "strong: a hash in quotes";
  for (const auto& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const auto response = ask("/", known);
    EXPECT_EQ(response.status, 304U) << known;
    EXPECT_TRUE(response.body.empty());
    EXPECT_EQ(header_of(response, "ETag"), tag);
  }
  for (const char* known : {"", "\"other\""}) EXPECT_EQ(ask("/", known).status, 200U) << known;
  EXPECT_EQ(ask("/assets/page.js", tag).status, 200U) << "of another file";
}

}  // namespace
}  // namespace ordeal::chat::test
