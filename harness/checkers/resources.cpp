// No node leaks or spins: its memory and its descriptors do not climb without end, and it does not
// burn a core while it waits for Redis to come back.
//
// Judged is what a node uses under load outside of outages: what it holds back during one, and the wave of clients
// after one, are no leak. Every process of a node is judged by itself.
#include <algorithm>
#include <array>
#include <limits>

#include "fault-injection/fault.h"
#include "harness/checkers/checkers.h"
#include "harness/checkers/trend.h"

namespace ordeal::harness {
namespace {

using std::chrono::seconds;

struct bounds {
  const char* what;
  const char* unit;
  std::uint64_t per_unit;
  std::uint64_t samples_min;
  seconds span_min;
  std::uint64_t growth_min;
};

// Beside 30 % of what it was. Memory: a bounded buffer of 32 MiB that fills over the whole run shows two thirds of it
// between the first third and the last. And a runtime with a garbage collector lets its heap grow for the first
// minutes before it collects at all, hence the longer time. Descriptors: a spare pool of connections or files.
constexpr bounds of_memory{"memory", " MiB", 1U << 20, 180, seconds(180), 32U << 20};
constexpr bounds of_descriptors{"descriptors", "", 1, 60, seconds(60), 32};

// Processor time and the time of waiting for a core: a loop without a pause takes or wants a whole
// one, and a node that waits wants next to nothing. The samples are about a second apart; one that
// came much later says nothing about each second.
constexpr std::uint64_t spinning_permille = 900, calm_permille = 500;
// Of processor time alone: without it a node that merely waits for a busy machine would seem to spin.
constexpr std::uint64_t spinning_cpu_permille = 300;
constexpr int spinning_samples = 3;
constexpr std::uint64_t calm_samples_min = 5;
constexpr int cores_max = 1'024;
constexpr std::chrono::milliseconds sample_gap_min{200}, sample_gap_max{3'000};

class resources final : public checker {
 public:
  explicit resources(const bench& at) : at_(at), nodes_(at.of.nodes) {}
  const char* id() const override { return "resources"; }

  void on(const node_usage& what) override {
    has_samples_ = true;
    node_books& books = nodes_.at(index_of(what.node));
    if (books.latest && books.latest->incarnation != what.incarnation) {
      judge_growth(what.node, books);
      books.memory = {};
      books.descriptors = {};
      books.latest.reset();
    }
    watch_cpu(what, books);
    books.latest = what;
    if (!at_.times.phase() || at_.book.faults().current()) return;
    books.memory.add(what.at, what.resident_bytes);
    books.descriptors.add(what.at, what.descriptors);
  }

  check_result finish(run_time) override {
    if (!has_samples_)
      return {id(), verdict::skipped, "the memory and descriptors of the nodes were never seen"};
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      judge_growth(node_id(n), nodes_[n]);
      judge_cpu(node_id(n), nodes_[n]);
    }
    if (found_ > 0) {
      return {id(), verdict::fail,
              first_ + (found_ == 1 ? "" : "; and " + std::to_string(found_ - 1) + " more")};
    }
    const std::string unseen = join(unjudged());
    if (said_.empty()) return {id(), verdict::skipped, unseen};
    return {id(), verdict::pass, join(said_) + (unseen.empty() ? "" : "; " + unseen)};
  }

 private:
  struct spell {
    run_time at{};
    std::size_t fault = 0;
  };
  struct node_books {
    trend memory, descriptors;
    std::optional<node_usage> latest;
    std::optional<std::size_t> latest_outage;  // that cut it off at its latest sample
    int outage_in_a_row = 0, hot_in_a_row = 0;
    std::optional<spell> spun;
    std::uint64_t calm = 0, busy = 0;  // samples outside of outages
  };
  struct judged_kind {
    const bounds* by = nullptr;
    bool is_judged = false;
    std::uint64_t first = 0, last = 0;  // of the node where it grew most
    std::optional<node_id> node;
  };

  std::optional<std::size_t> outage_of(node_id node) const {
    const auto& courses = at_.book.faults().courses();
    for (std::size_t f = 0; f < courses.size(); ++f) {
      const bool is_in_effect = courses[f].state == fault::fault_state::active ||
                                courses[f].state == fault::fault_state::healing;
      if (is_in_effect && cuts_off(at_.of.faults[f], node)) return f;
    }
    return std::nullopt;
  }

  void watch_cpu(const node_usage& now, node_books& books) {
    const auto outage = outage_of(now.node);
    const auto outage_before = std::exchange(books.latest_outage, outage);
    if (!books.latest || now.at - books.latest->at < sample_gap_min ||
        now.at - books.latest->at > sample_gap_max || now.cpu < books.latest->cpu) {
      books.hot_in_a_row = books.outage_in_a_row = 0;
      return;
    }
    const std::chrono::nanoseconds passed = now.at - books.latest->at;
    const auto used = difference(now.cpu, books.latest->cpu, passed * cores_max);
    // Each of its threads may wait, all at once: that is no use of processors. A loop wants one core.
    const auto waited = difference(now.waited, books.latest->waited, passed);
    const auto wanted = used + waited;
    const auto share = [passed](std::chrono::nanoseconds of) {
      return static_cast<std::uint64_t>(1000 * of.count() / passed.count());
    };
    const bool has_used = share(used) >= spinning_cpu_permille;
    const std::uint64_t permille = has_used ? share(wanted) : share(used);
    if (outage && outage == outage_before) {
      if (++books.outage_in_a_row >= spinning_samples) is_cpu_judged_ = true;
      hottest_permille_ = std::max(hottest_permille_, share(used));
      books.hot_in_a_row = permille >= spinning_permille ? books.hot_in_a_row + 1 : 0;
      if (books.hot_in_a_row >= spinning_samples && !books.spun) books.spun = {now.at, *outage};
      return;
    }
    books.hot_in_a_row = books.outage_in_a_row = 0;
    if (outage || outage_before || !at_.times.phase() || at_.book.faults().current()) return;
    ++(permille < calm_permille ? books.calm : books.busy);
  }

  // Not below zero, where a kernel's count goes back (a thread ended), and not above what can be.
  static std::chrono::nanoseconds difference(std::chrono::microseconds now,
                                             std::chrono::microseconds before,
                                             std::chrono::nanoseconds most) {
    if (now <= before) return {};
    const auto bound = std::chrono::duration_cast<std::chrono::microseconds>(most);
    const auto wide =
        static_cast<std::uint64_t>(now.count()) - static_cast<std::uint64_t>(before.count());
    return wide > static_cast<std::uint64_t>(bound.count()) ? bound : now - before;
  }

  void judge_growth(node_id node, const node_books& books) {
    judge_growth(node, books, books.memory, kinds_[0]);
    judge_growth(node, books, books.descriptors, kinds_[1]);
  }

  void judge_growth(node_id node, const node_books& books, const trend& series, judged_kind& kind) {
    const bounds& by = *kind.by;
    if (series.count() < by.samples_min || series.span() < by.span_min) return;
    const trend::climb climb = series.over_all();
    if (!kind.is_judged || growth_of(climb.first, climb.last) > growth_of(kind.first, kind.last)) {
      kind = {&by, true, climb.first, climb.last, node};
    }
    if (!climb.is_steady || !climb.exceeds(std::max(by.growth_min, climb.first * 3 / 10))) return;
    convict(node, books.latest->at, std::nullopt,
            name_of(node) + " leaks " + by.what + ": " +
                text_of_climb(by, climb.first, climb.last) + " in " +
                text_of_duration(series.span()) + " of load, rising all the time");
  }

  void judge_cpu(node_id node, const node_books& books) {
    if (!books.spun) return;
    // A node that is busy all the time does not spin because of the outage.
    if (books.calm + books.busy < calm_samples_min || books.calm <= books.busy) return;
    const std::string& outage = at_.of.faults[books.spun->fault].name;
    convict(node, books.spun->at, books.spun->fault,
            name_of(node) + " spins: it used, or waited for, at least 90 % of a core for " +
                std::to_string(spinning_samples) + " seconds of " + outage +
                " while it could only wait, and less than 50 % outside of outages");
  }

  void convict(node_id node, run_time when, std::optional<std::size_t> fault,
               std::string sentence) {
    if (found_++ == 0) first_ = sentence;
    finding what;
    what.kind = finding_kind::leak;
    what.at = when;
    what.node = node;
    what.fault = fault;
    report(at_, std::move(what), [&] { return sentence; });
  }

  // What could not be judged; fills `said_` with what could.
  std::vector<std::string> unjudged() {
    std::vector<std::string> unseen;
    for (const judged_kind& kind : kinds_) {
      if (kind.is_judged) {
        said_.push_back(std::string(kind.by->what) + " " +
                        text_of_climb(*kind.by, kind.first, kind.last) + " (" +
                        name_of(*kind.node) + ")");
      } else {
        unseen.push_back("too short to tell about " + std::string(kind.by->what) + " (takes " +
                         std::to_string(kind.by->span_min.count()) + " s outside of outages)");
      }
    }
    if (is_cpu_judged_) {
      said_.push_back("processor use in outages at most " + std::to_string(hottest_permille_ / 10) +
                      " %");
    } else if (!at_.of.faults.empty()) {
      unseen.push_back("no outage was long enough to see what nodes use in one");
    }
    return unseen;
  }

  static std::string join(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
    return text;
  }
  static double growth_of(std::uint64_t first, std::uint64_t last) {
    return static_cast<double>(last) / static_cast<double>(std::max<std::uint64_t>(first, 1));
  }
  static std::string text_of_climb(const bounds& by, std::uint64_t first, std::uint64_t last) {
    const auto rounded = [&by](std::uint64_t value) {
      return std::to_string((value + by.per_unit / 2) / by.per_unit);
    };
    return rounded(first) + " to " + rounded(last) + by.unit;
  }

  const bench at_;
  std::vector<node_books> nodes_;
  std::array<judged_kind, 2> kinds_{
      {{&of_memory, false, 0, 0, {}}, {&of_descriptors, false, 0, 0, {}}}};
  bool has_samples_ = false;
  bool is_cpu_judged_ = false;  // some outage was long enough
  std::uint64_t hottest_permille_ = 0;
  std::uint64_t found_ = 0;
  std::string first_;
  std::vector<std::string> said_;
};

}  // namespace

std::unique_ptr<checker> make_resources(const bench& at) {
  return std::make_unique<resources>(at);
}

}  // namespace ordeal::harness
