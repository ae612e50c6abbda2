#include "harness/history/event_words.h"

namespace ordeal::harness {

const char* word_of(outcome value) {
  switch (value) {
    case outcome::ok:
      return "ok";
    case outcome::fail:
      return "fail";
    case outcome::info:
      return "info";
  }
  return "?";
}

const char* word_of(payload_state value) {
  switch (value) {
    case payload_state::intact:
      return "intact";
    case payload_state::corrupt:
      return "corrupt";
    case payload_state::foreign_run:
      return "foreign_run";
    case payload_state::not_an_envelope:
      return "not_an_envelope";
  }
  return "?";
}

const char* word_of(node_state value) {
  switch (value) {
    case node_state::starting:
      return "starting";
    case node_state::ready:
      return "ready";
    case node_state::exited:
      return "exited";
    case node_state::stopped:
      return "stopped";
  }
  return "?";
}

const char* word_of(phase_kind value) {
  switch (value) {
    case phase_kind::setup:
      return "setup";
    case phase_kind::declared:
      return "declared";
    case phase_kind::recovery:
      return "recovery";
    case phase_kind::drain:
      return "drain";
    case phase_kind::probe:
      return "probe";
    case phase_kind::finished:
      return "finished";
  }
  return "?";
}

const char* word_of(tap_point value) {
  switch (value) {
    case tap_point::to_redis:
      return "to_redis";
    case tap_point::accepted_by_redis:
      return "accepted_by_redis";
    case tap_point::refused_by_redis:
      return "refused_by_redis";
    case tap_point::from_redis:
      return "from_redis";
  }
  return "?";
}

const char* word_of(reason_kind value) {
  switch (value) {
    case reason_kind::send_refused:
      return "send_refused";
    case reason_kind::join_refused:
      return "join_refused";
    case reason_kind::connection_ended:
      return "connection_ended";
    case reason_kind::connect_failed:
      return "connect_failed";
    case reason_kind::redis_error:
      return "redis_error";
    case reason_kind::log:
      return "log";
    case reason_kind::send_unanswered:
      return "send_unanswered";
  }
  return "?";
}

const char* word_of(cut_cause value) {
  switch (value) {
    case cut_cause::none:
      return "none";
    case cut_cause::silent:
      return "silent";
    case cut_cause::unanswered:
      return "unanswered";
    case cut_cause::refused:
      return "refused";
    case cut_cause::unread:
      return "unread";
    case cut_cause::protocol:
      return "protocol";
  }
  return "?";
}

const char* word_of(skip_reason value) {
  switch (value) {
    case skip_reason::late:
      return "late";
    case skip_reason::backlog:
      return "backlog";
    case skip_reason::away:
      return "away";
  }
  return "?";
}

}  // namespace ordeal::harness
