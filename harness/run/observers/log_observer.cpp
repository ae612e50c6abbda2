#include "harness/run/observers/log_observer.h"

#include <algorithm>

#include "harness/history/reason_text.h"

namespace ordeal::harness {

namespace {

// "#-#-#:#:#.#Z info log: ..." begins with "info": the first words are no more than a time.
std::string without_time(const std::string& text) {
  std::size_t begin = 0;
  for (int words = 0; words < 2; ++words) {
    const std::size_t end = text.find(' ', begin);
    if (end == std::string::npos || text.find('#', begin) > end) break;
    if (text.find_first_not_of("#-:.,+/[]()TZ", begin) != end) break;
    begin = end + 1;
  }
  return text.substr(begin);
}

}  // namespace

std::vector<reason_heard> reasons_in(const std::vector<std::string>& lines, node_id node,
                                     run_time at, const std::vector<std::string>& secrets) {
  constexpr std::size_t texts_max = 12;
  std::vector<reason_heard> heard;
  for (const std::string& line : lines) {
    std::string text = without_time(reason_text(line, secrets));
    const auto same = std::find_if(heard.begin(), heard.end(),
                                   [&text](const auto& each) { return each.text == text; });
    if (same != heard.end()) {
      ++same->count;
    } else {
      heard.push_back({at, node, reason_kind::log, 1, std::move(text)});
    }
  }
  if (heard.size() <= texts_max) return heard;
  const auto is_trouble = [](const reason_heard& each) { return speaks_of_trouble(each.text); };
  std::stable_partition(heard.begin(), heard.end(), is_trouble);
  heard.resize(texts_max);
  return heard;
}

log_observer::log_observer(const node_set& nodes) : nodes_(nodes) {
  for (std::size_t index = 0; index < nodes.node_count(); ++index)
    logs_.emplace_back(nodes.log_of(index));
}

std::vector<reason_heard> log_observer::look(run_time at) {
  std::vector<reason_heard> heard;
  const std::vector<std::string> secrets = nodes_.secrets();
  for (std::size_t index = 0; index < logs_.size(); ++index) {
    auto news = reasons_in(logs_[index].take_new(), node_id(index), at, secrets);
    heard.insert(heard.end(), news.begin(), news.end());
  }
  return heard;
}

}  // namespace ordeal::harness
