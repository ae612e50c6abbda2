// link_bandwidth: a thin line to Redis. Nothing is lost or reordered; what is more than the line carries
// waits with its sender.
#include <algorithm>
#include <memory>
#include <string>

#include "fault-injection/link/burst.h"
#include "fault-injection/link/link_faults.h"
#include "fault-injection/link/toxic_fault.h"

namespace ordeal::fault {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t rate_min = 1'000, rate_max = 4'000'000;
// Above this a shorter look is long enough, and does not disturb.
constexpr std::uint64_t short_window_from = 256'000;
// What a look offers, in multiples of what may pass in it.
constexpr std::uint64_t offered_factor = 4;
// The shortest answer of a Redis to what it does not know.
constexpr std::uint64_t answer_bytes_min = 34;
constexpr std::size_t lines_up = 64, line_bytes_min = 3, line_bytes_max = 32U << 10;
constexpr int looks_healed = 3;

class link_bandwidth final : public toxic_fault {
 public:
  link_bandwidth(const fault_spec& spec, environment& env)
      : toxic_fault(spec, env),
        rate_(static_cast<std::uint64_t>(spec.number("rate"))),
        is_up_(spec.text("direction") != "down"),
        is_down_(spec.text("direction") != "up"),
        window_(rate_ < short_window_from ? 500 : 200) {}

 private:
  void poison(toxics& value) const override {
    if (is_up_) value.bytes_per_second_up = rate_;
    if (is_down_) value.bytes_per_second_down = rate_;
  }
  void cure(toxics& value) const override {
    if (is_up_) value.bytes_per_second_up = 0;
    if (is_down_) value.bytes_per_second_down = 0;
  }

  // What may pass in the window and a little more: pieces under way, a line that is not whole.
  std::uint64_t allowed(net::nanoseconds took) const {
    const double seconds = std::chrono::duration<double>(took).count();
    return static_cast<std::uint64_t>(1.2 * static_cast<double>(rate_) * seconds) + 1'024;
  }

  burst look(link_way way) {
    const std::uint64_t offered =
        std::max<std::uint64_t>(offered_factor * allowed(window_), 2 * lines_up);
    burst what;
    what.as = env().application_login();
    what.window = window_;
    what.limit = prompt_reply_limit + 4 * window_;
    if (way == link_way::up) {
      what.line_bytes = std::clamp<std::size_t>(offered / lines_up, line_bytes_min, line_bytes_max);
      what.line_count = offered / what.line_bytes + 1;
    } else {
      what.line_count = offered / answer_bytes_min + 1;
    }
    return what;
  }

  struct seen {
    std::uint64_t bytes = 0, allowed = 0, answered = 0;
    std::string text;
  };

  asio::awaitable<seen> look_at(std::size_t node, link_way way) {
    const burst_report report = co_await send_burst(link_of(node).port(), look(way));
    const bool is_up = way == link_way::up;
    seen result;
    result.bytes = is_up ? report.bytes_up : report.bytes_down;
    result.allowed = allowed(report.took);
    result.answered = report.answered_lines;
    result.text = std::to_string(result.bytes) + " bytes " + (is_up ? "up" : "down") + " in " +
                  format_milliseconds(report.took) + " on a new connection";
    co_return result;
  }

  asio::awaitable<step_result> confirm_link(std::size_t node) override {
    step_result result;
    result.is_ok = true;
    for (const link_way way : {link_way::up, link_way::down}) {
      if (!(way == link_way::up ? is_up_ : is_down_)) continue;
      const seen now = co_await look_at(node, way);
      // Nothing at all is no sign of a thin line.
      result.is_ok = result.is_ok && now.answered > 0 && now.bytes <= now.allowed;
      result.evidence += (result.evidence.empty() ? "" : ", ") + now.text + ", at most " +
                         std::to_string(now.allowed) + " expected";
    }
    co_return result;
  }

  asio::awaitable<step_result> confirm_link_healed(std::size_t node) override {
    step_result result = co_await toxic_fault::confirm_link_healed(node);
    const toxics left = link_of(node).applied();
    const bool is_seen = !left.is_blackhole && !left.is_refusing && left.latency.count() == 0;
    if (!result.is_ok || !is_seen) co_return result;
    for (const link_way way : {link_way::up, link_way::down}) {
      if (!(way == link_way::up ? is_up_ : is_down_)) continue;
      seen best;
      for (int i = 0; i < looks_healed && best.bytes <= best.allowed; ++i) {
        best = co_await look_at(node, way);
        if (best.answered == 0) co_return result;  // Redis itself is away, as the reply said
      }
      result.is_ok = result.is_ok && best.bytes > best.allowed;
      result.evidence +=
          "; " + best.text + ", more than " + std::to_string(best.allowed) + " expected";
    }
    co_return result;
  }

  std::uint64_t rate_;
  bool is_up_, is_down_;
  milliseconds window_;
};

parameter rate_parameter() {
  parameter row;
  row.name = "rate";
  row.type = parameter_type::bandwidth;
  row.doc = "What passes, of all connections of the link together: 1kB/s to 4MB/s (32Mbit/s).";
  return row;
}

parameter direction_parameter() {
  parameter row;
  row.name = "direction";
  row.default_text = "both";
  row.allowed = {"both", "up", "down"};
  row.doc = "up is from the node to Redis, down is back; both: each by itself.";
  return row;
}

std::string check_rate(const fault_spec& spec) {
  const std::int64_t rate = spec.number("rate");
  if (rate < rate_min) return "a rate below 1kB/s carries nothing";
  if (rate > rate_max) return "a rate above 4MB/s is no limit that could be told from none";
  return {};
}

}  // namespace

fault_kind link_bandwidth_kind() {
  fault_kind kind;
  kind.name = "link_bandwidth";
  kind.klass = fault_class::link;
  kind.target = target_kind::link;
  kind.duration = duration_use::required;
  kind.parameters = {rate_parameter(), direction_parameter()};
  kind.doc =
      "Makes the line between a node and Redis thin: a backlog takes its time, and a large reply "
      "many seconds. Nothing is lost. Confirmed by a new connection that offers four times as much "
      "as may pass, of which no more comes through, and healed by one where it does.";
  kind.make = [](const fault_spec& spec, environment& env) {
    return std::make_unique<link_bandwidth>(spec, env);
  };
  kind.validate = check_rate;
  return kind;
}

}  // namespace ordeal::fault
