#include "tests/property/survey.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <vector>

#include "net/async/random.h"
#include "tests/property/comparison.h"
#include "tests/property/random_history.h"

namespace ordeal::harness {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "  " + line + "\n";
  return text;
}

using look = std::function<std::vector<std::string>(const recorded&)>;

// Disagreements by what they are about ("lost", "check probe"): how many histories, and the first of them.
class survey {
 public:
  void add(std::uint64_t seed, const recorded& of, const look& how) {
    for (const std::string& line : how(of)) {
      const auto [it, is_new] = subjects_.try_emplace(line.substr(0, line.find(':')));
      if (is_new) it->second = {seed, 0, of, how};
      if (it->second.latest_seed != seed) ++it->second.count;
      it->second.latest_seed = seed;
    }
  }

  std::string text() const {
    std::string all;
    for (const auto& [subject, first] : subjects_) {
      all += subject + ": " + std::to_string(first.count) + " histories, the first of seed " +
             std::to_string(first.seed) + "; minimised:\n" + describe(subject, first) + "\n";
    }
    return all;
  }

 private:
  struct example {
    std::uint64_t seed = 0, count = 0;
    recorded of;
    look how;
    std::uint64_t latest_seed = 0;
  };

  static std::string describe(const std::string& subject, const example& first) {
    const recorded small = minimised(first.of, [&](const recorded& r) {
      const auto lines = first.how(r);
      return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.substr(0, line.find(':')) == subject;
      });
    });
    return joined(first.how(small)) + to_text(small);
  }

  std::map<std::string, example> subjects_;
};

}  // namespace

std::string survey_disagreements(std::uint64_t histories) {
  const std::uint64_t first = setting("ORDEAL_SEED", 1);
  const std::uint64_t count = setting("ORDEAL_HISTORIES", histories);
  survey found;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    recorded history = make_random_history(seed);
    found.add(seed, history, [](const recorded& r) { return disagreements(r); });
    // And somewhere in the middle.
    net::random_stream random(seed, "stop");
    history.events.resize(random.below(history.events.size()));
    found.add(seed, history, disagreements_so_far);
  }
  return found.text();
}

}  // namespace ordeal::harness
