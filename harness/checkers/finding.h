// What checkers find, and how a check ends.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

struct finding {
  finding_kind kind{};
  run_time at{};                    // when it showed
  std::optional<client_id> client;  // who missed it, got it twice, ...
  std::optional<node_id> node;
  std::optional<room_id> room;
  std::optional<message_id> message;
  std::optional<std::size_t>
      fault;  // the outage window it falls into: from injecting to the recovery of all nodes
  std::string detail;  // one sentence with the evidence
};

enum class verdict { pass, fail, inconclusive, error, skipped };
const char* name_of(verdict value);

struct check_result {
  std::string id;  // "delivery", "order", ... or "expect[0]"
  verdict result = verdict::pass;
  std::string detail;  // one line for people
};

}  // namespace ordeal::harness
