// Connections are kept and given back. (a) The nodes' connections to Redis do not become ever more: a node that
// reconnects closes what it had. (b) They come back after an outage: with fewer than there are nodes, one has none. (A
// pool may come back smaller, and a node may wait for its first client: neither proves anything.) (c) Clients do not
// lose their connections all the time without a reason: what no outage explains is counted.
#include <algorithm>
#include <array>

#include "harness/checkers/checkers.h"
#include "harness/checkers/trend.h"
#include "harness/seconds.h"

namespace ordeal::harness {
namespace {

constexpr std::uint64_t samples_min = 60;
constexpr std::chrono::seconds span_min{60};
constexpr std::uint64_t excess_samples =
    3;  // in a row: closing an old connection may take a moment
constexpr std::uint64_t after_samples_min = 2;
constexpr std::uint64_t lost_min = 10;
// After an outage: clients and old connections still go their ways.
constexpr std::chrono::seconds aftermath{2};

class connections final : public checker {
 public:
  explicit connections(const bench& at) : at_(at), is_running_(at.of.nodes, true) {}
  const char* id() const override { return "connections"; }

  void on(const client_connected&) override { has_clients_ = true; }

  void on(const client_disconnected& what) override {
    look(what.at);
    if (what.was_planned || !is_watching_ || !is_calm(what.at)) return;
    ++lost_;
    if (what.cut != cut_cause::none) ++cut_[static_cast<std::size_t>(what.cut)];
  }

  void on(const fault_changed& what) override { look(what.at); }
  void on(const observer_usage& what) override { look(what.at); }

  void on(const node_changed& what) override {
    is_running_.at(index_of(what.node)) =
        what.state != node_state::exited && what.state != node_state::stopped;
  }

  void on(const phase_changed& what) override {
    look(what.at);
    if (what.kind == phase_kind::declared) is_watching_ = true;
    if (what.kind == phase_kind::finished) is_watching_ = false;
  }

  void on(const redis_usage& what) override {
    look(what.at);
    ++seen_;
    if (is_outage_) return;
    if (!had_outage_) {
      before_ = std::max(before_, what.connections);
      was_seen_before_ = true;
    } else if (is_calm(what.at) && was_seen_before_) {
      note_after(what);
    }
    if (at_.times.phase()) series_.add(what.at, what.connections);
  }

  check_result finish(run_time at) override {
    look(at);
    judge_series(at);
    judge_return(at);
    const std::string redis = text_of_redis();
    const std::string clients = text_of_clients();
    if (!leak_.empty()) return {id(), verdict::fail, leak_ + "; " + clients};
    if (!not_back_.empty()) {
      const bool is_doubtful = at_.book.faults().has_failed();
      return {id(), is_doubtful ? verdict::inconclusive : verdict::fail,
              not_back_ + (is_doubtful ? "; " + doubt(at_) : "")};
    }
    if (is_losing_clients()) {
      return {id(), verdict::fail,
              clients + ", more than once a minute each" +
                  (text_of_cuts().empty() ? ": they lose their connections for no reason" : "")};
    }
    const bool is_judged = has_clients_ || is_redis_judged();
    return {id(), is_judged ? verdict::pass : verdict::skipped, clients + "; " + redis};
  }

 private:
  // Whether an outage is on, and how long none was. Outages begin and end with events that this checker does not
  // take, so it notices a second late at most.
  void look(run_time at) {
    if (is_watching_ && !is_outage_) calm_time_ += at - looked_at_;
    looked_at_ = at;
    const bool was_outage = is_outage_;
    is_outage_ = at_.book.faults().current().has_value();
    if (is_outage_) {
      had_outage_ = true;
      in_a_row_ = 0;
      after_samples_ = 0;
      most_after_ = 0;
    } else if (was_outage) {
      outage_ended_ = at;
    }
  }

  bool is_calm(run_time at) const {
    return !is_outage_ && (!outage_ended_ || at - *outage_ended_ > aftermath);
  }

  // Every reconnect left its old connection behind, say.
  void note_after(const redis_usage& what) {
    after_ = what.connections;
    ++after_samples_;
    most_after_ = std::max(most_after_, what.connections);
    const std::uint64_t allowed = before_ + std::max<std::uint64_t>(4, 3 * at_.of.nodes);
    in_a_row_ = what.connections > allowed ? in_a_row_ + 1 : 0;
    if (in_a_row_ < excess_samples || !leak_.empty()) return;
    convict(what.at, "the nodes keep connections to Redis that they no longer use: " +
                         std::to_string(before_) + " before the first outage, " +
                         std::to_string(what.connections) + " at " + text_of(what.at) +
                         " when all outages were over");
  }

  bool is_long_enough() const {
    return series_.count() >= samples_min && series_.span() >= span_min;
  }
  bool is_redis_judged() const { return is_long_enough() || after_.has_value(); }

  void judge_series(run_time at) {
    if (!is_long_enough() || !leak_.empty()) return;
    const trend::climb climb = series_.over_all();
    if (!climb.is_steady || !climb.exceeds(std::max<std::uint64_t>(3, 2 * at_.of.nodes))) return;
    convict(at, "the nodes open ever more connections to Redis: " + std::to_string(climb.first) +
                    " to " + std::to_string(climb.last) + " in " +
                    text_of_duration(series_.span()) + ", rising all the time");
  }

  // A node that runs and has clients had a connection before, and has none since the last outage.
  void judge_return(run_time at) {
    if (after_samples_ < after_samples_min || before_ < at_.of.nodes) return;
    std::uint32_t nodes = 0;
    for (std::size_t n = 0; n < at_.of.nodes; ++n) {
      if (is_running_[n] && at_.book.faults().is_node_used(n)) ++nodes;
    }
    if (most_after_ >= nodes) return;
    not_back_ = "connections to Redis did not come back: " + std::to_string(before_) +
                " before the first outage, at most " + std::to_string(most_after_) +
                " after the last one, with clients on " + counted(nodes, "node", "nodes");
    finding what;
    what.kind = finding_kind::stuck;
    what.at = at;
    report(at_, std::move(what), [this] { return not_back_; });
  }

  void convict(run_time when, std::string sentence) {
    leak_ = std::move(sentence);
    finding what;
    what.kind = finding_kind::leak;
    what.at = when;
    report(at_, std::move(what), [this] { return leak_; });
  }

  bool is_losing_clients() const {
    if (!at_.end.problem.empty()) return false;  // the surroundings broke, which is a reason
    const auto clients = static_cast<double>(at_.of.client_count());
    // In less than a minute, once each proves no rate.
    const double minutes = std::max(1.0, harness::seconds(calm_time_) / 60);
    return lost_ >= lost_min && static_cast<double>(lost_) > clients * minutes;
  }

  std::string text_of_clients() const {
    if (!has_clients_) return "no client was ever connected";
    return "outside of outages, " +
           counted(lost_, "client connection was lost", "client connections were lost") + " in " +
           text_of_duration(calm_time_) + text_of_cuts();
  }

  std::string text_of_cuts() const {
    std::string text;
    for (std::size_t cause = 0; cause < cut_.size(); ++cause) {
      if (cut_[cause] == 0) continue;
      text += (text.empty() ? " (cut by us: " : ", ") + std::to_string(cut_[cause]) + " as " +
              reason_of(cut_cause(cause));
    }
    return text.empty() ? text : text + ")";
  }

  std::string text_of_redis() const {
    if (seen_ == 0)
      return "the connections to Redis could not be seen (only a managed Redis shows them)";
    if (is_long_enough()) {
      const trend::climb climb = series_.over_all();
      return std::to_string(climb.first) + " to " + std::to_string(climb.last) +
             " connections to Redis";
    }
    if (after_) {
      return std::to_string(before_) + " connections to Redis before the first outage, " +
             std::to_string(*after_) + " at the end";
    }
    return "too short to tell about connections to Redis, which takes " +
           std::to_string(span_min.count()) + " s of load outside of outages";
  }

  const bench at_;
  bool is_watching_ = false;  // from the first declared phase to the end of the probe
  bool has_clients_ = false;
  bool is_outage_ = false, had_outage_ = false;
  std::optional<run_time> outage_ended_;
  run_time looked_at_{};
  std::chrono::nanoseconds calm_time_{};
  std::uint64_t lost_ = 0;
  std::array<std::uint64_t, cut_cause_count> cut_{};  // of those, by cut_cause

  trend series_;
  std::uint64_t seen_ = 0, in_a_row_ = 0;
  bool was_seen_before_ = false;
  std::uint32_t before_ = 0;  // most before the first outage
  std::optional<std::uint32_t> after_;
  // Since the last outage, once it is calm.
  std::uint64_t after_samples_ = 0;
  std::uint32_t most_after_ = 0;
  std::vector<bool> is_running_;  // by node; until told otherwise
  std::string leak_, not_back_;
};

}  // namespace

std::unique_ptr<checker> make_connections(const bench& at) {
  return std::make_unique<connections>(at);
}

}  // namespace ordeal::harness
