// A history split among shards and merged again, in any grouping and order, is judged like the whole one.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "harness/history/event_order.h"
#include "harness/history/merged_history.h"
#include "net/async/random.h"
#include "tests/property/random_history.h"

namespace ordeal::harness {
namespace {

class stored_events final : public event_source {
 public:
  explicit stored_events(std::vector<event> events) : events_(std::move(events)) {}
  std::optional<event> next() override {
    if (next_ == events_.size()) return std::nullopt;
    return events_[next_++];
  }

 private:
  std::vector<event> events_;
  std::size_t next_ = 0;
};

std::optional<client_id> client_of(const event& what) {
  return std::visit(
      []<class Event>(const Event& of) -> std::optional<client_id> {
        if constexpr (requires { of.client; }) {
          return of.client;
        } else if constexpr (requires { of.id.sender; }) {
          return of.id.sender;
        } else {
          return std::nullopt;
        }
      },
      what);
}

// Each shard has the events of its clients; faults, phases and the end are in all of them, the rest in the first.
std::vector<std::vector<event>> split(const recorded& whole, std::size_t shards,
                                      net::random_stream& random) {
  std::vector<std::size_t> home;
  for (std::size_t c = 0; c < whole.of.clients.size(); ++c) home.push_back(random.below(shards));
  std::vector<std::vector<event>> parts(shards);
  for (const event& each : whole.events) {
    if (const auto client = client_of(each)) {
      parts[home[index_of(*client)]].push_back(each);
    } else if (std::holds_alternative<fault_changed>(each) ||
               std::holds_alternative<phase_changed>(each) ||
               std::holds_alternative<run_ended>(each)) {
      for (auto& part : parts) part.push_back(each);
    } else {
      parts.front().push_back(each);
    }
  }
  return parts;
}

std::vector<event> merge(const std::vector<std::vector<event>>& parts) {
  std::vector<std::unique_ptr<stored_events>> sources;
  std::vector<event_source*> inputs;
  for (const auto& part : parts) {
    sources.push_back(std::make_unique<stored_events>(part));
    inputs.push_back(sources.back().get());
  }
  merged_history merged(inputs);
  std::vector<event> all;
  while (auto each = merged.next()) all.push_back(std::move(*each));
  return all;
}

void shuffle(std::vector<std::vector<event>>& parts, net::random_stream& random) {
  for (std::size_t i = parts.size(); i > 1; --i) std::swap(parts[i - 1], parts[random.below(i)]);
}

// Merges some, then merges what came out, until one is left.
std::vector<event> merge_in_groups(std::vector<std::vector<event>> parts,
                                   net::random_stream& random) {
  while (parts.size() > 1) {
    shuffle(parts, random);
    const std::size_t count = 2 + random.below(parts.size() - 1);
    const auto begin = parts.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<event> merged = merge({begin, parts.end()});
    parts.erase(begin, parts.end());
    parts.push_back(std::move(merged));
  }
  return parts.front();
}

std::string text_of(const judgement& of, const std::vector<finding>& found) {
  std::string text = name_of(of.result) + std::string(": ") + of.why + "\n";
  for (const check_result& check : of.checks)
    text += check.id + " " + name_of(check.result) + " " + check.detail + "\n";
  for (std::size_t k = 0; k < finding_kind_count; ++k)
    text += std::string(name_of(finding_kind(k))) + " " + std::to_string(of.findings[k]) + "\n";
  const totals& sum = of.counts;
  for (const std::uint64_t each :
       {sum.sent, sum.ok, sum.fail, sum.info, sum.obligations, sum.delivered, sum.deliveries})
    text += std::to_string(each) + " ";
  text += "\nlatency " + std::to_string(of.latency.count) + " " +
          std::to_string(of.latency.p99_ms) + " lag " + std::to_string(of.lag_p99_ms) + "\n";
  for (const fault_judgement& fault : of.faults) {
    text += fault::name_of(fault.state) + std::string(" ") + std::to_string(fault.findings);
    for (const auto& took : fault.recovery)
      text += " " + (took ? std::to_string(took->count()) : "-");
    text += "\n";
  }
  for (const finding& each : found)
    text += std::string(name_of(each.kind)) + " " + std::to_string(each.at.count()) + " " +
            each.detail + "\n";
  return text;
}

std::string judge_text(const recorded& of) {
  const judged result = judge_all(of);
  return text_of(result.end, result.found);
}

TEST(Merging, AnyGroupingOfShardsGivesTheVerdictOfTheWhole) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const recorded whole = make_random_history(seed);
    net::random_stream random(seed, "shards");
    const auto parts = split(whole, 2 + random.below(4), random);
    const recorded merged{whole.of, merge_in_groups(parts, random)};
    ASSERT_EQ(merged.events.size(), whole.events.size()) << "seed " << seed;
    for (std::size_t i = 0; i < merged.events.size(); ++i) {
      ASSERT_TRUE(is_same(merged.events[i], whole.events[i]))
          << "seed " << seed << ", event " << i << "\n"
          << to_line(merged.events[i]) << "\n"
          << to_line(whole.events[i]);
    }
    ASSERT_EQ(judge_text(merged), judge_text(whole)) << "seed " << seed;
  }
}

// At one nanosecond nothing says which shard's event came first: then it is enough that all ways of merging agree.
TEST(Merging, WhereTimesAreEqualAllGroupingsAgree) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    recorded whole = make_random_history(seed);
    for (event& each : whole.events) {
      std::visit([](auto& of) { of.at -= of.at % std::chrono::milliseconds(20); }, each);
    }
    net::random_stream random(seed, "shards");
    auto parts = split(whole, 2 + random.below(4), random);
    const recorded at_once{whole.of, merge(parts)};
    shuffle(parts, random);
    const recorded in_groups{whole.of, merge_in_groups(parts, random)};
    ASSERT_EQ(judge_text(at_once), judge_text(in_groups)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace ordeal::harness
