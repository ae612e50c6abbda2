// What checkers find, and how a check ends.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/history/event.h"

namespace ordeal::harness {

enum class finding_kind {
  lost,
  duplicate,
  reordered,
  diverged,
  phantom,
  corrupt,
  misdelivered,
  false_ack,
  late,
  stuck,
  silent_loss,
  node_exit,
  leak
};
inline constexpr std::size_t finding_kind_count = 13;
const char* name_of(finding_kind kind);

// What lay around a finding, as far as it was still known when it showed.
struct surroundings {
  struct neighbour {
    message_id id;
    run_time sent_at{};
    node_id node{};  // through which it was sent
    outcome result = outcome::info;
    bool is_settled = false;   // false: its outcome was still open
    bool has_arrived = false;  // at the client of the finding
  };
  struct arrival {
    run_time at{};
    message_id id;
  };
  std::vector<neighbour>
      neighbours;  // the sender's messages before and after, and the message itself, by seq
  std::vector<arrival> last_deliveries;                // the client's last ten, oldest first
  std::optional<run_time> window_begins, window_ends;  // of `fault`; no end: still open
  std::string hop;  // where the message was lost, as a sentence; empty: nothing is known
  struct log_line {
    run_time at{};  // when it was seen first, at most a second after it was written
    std::uint64_t count = 0;
    std::string text;
  };
  std::vector<log_line> log;  // of `node`, from around the finding; of the judgement's examples
};

struct finding {
  finding_kind kind{};
  run_time at{};                    // when it showed
  std::optional<client_id> client;  // who missed it, got it twice, ...
  std::optional<node_id> node;
  std::optional<room_id> room;
  std::optional<message_id> message;
  std::optional<std::size_t>
      fault;  // the outage window it falls into: from injecting to the recovery of all nodes
  std::uint64_t messages = 0;                  // that had been sent when it showed
  std::string detail;                          // one sentence with the evidence
  std::shared_ptr<const surroundings> around;  // of the first few of each kind
};

enum class verdict { pass, fail, inconclusive, error, skipped };
const char* name_of(verdict value);

struct check_result {
  std::string id;  // "delivery", "order", ... or "expect[0]"
  verdict result = verdict::pass;
  std::string detail;  // one line for people
};

}  // namespace ordeal::harness
