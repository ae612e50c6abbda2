// Which events of a history somebody wants to see: the words of a command line, read with the terms
// of the run, and the choice they make. Pure; throws `refusal` for a word that means nothing in
// this run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/history/event.h"
#include "harness/scenario/terms.h"

namespace ordeal::harness {

// As given; empty: no such flag.
struct filter_words {
  std::string from, to;  // seconds since time zero: "17.25", "-0.5s"
  std::string client;    // "client-3" or "3"
  std::string node;
  std::string message;  // "client-3#17@room-1"
  std::string kinds;    // "delivered,tapped"
};

class history_filter {
 public:
  history_filter(const filter_words& words, const terms& in);

  bool takes(const event& what) const;
  // Whether something from there to there could have been wanted.
  bool takes_between(run_time from, run_time until) const { return until >= from_ && from <= to_; }

 private:
  run_time from_ = run_time::min(), to_ = run_time::max();
  std::optional<client_id> client_;
  std::optional<node_id> node_;
  std::optional<message_id> message_;
  std::vector<bool> kinds_ = std::vector<bool>(std::variant_size_v<event>, true);
};

}  // namespace ordeal::harness
