// An outbox and short words for what happens to it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reference-server/log/outbox.h"
#include "tests/unit/chat/log/entries.h"

namespace ordeal::test {

using seqs = std::vector<std::uint64_t>;
using texts = std::vector<std::string>;

class outbox_fixture : public testing::Test {
 protected:
  explicit outbox_fixture(chat::ack_level ack = chat::ack_level::appended)
      : outbox_(10, 1U << 20, ack) {}

  void add(int count) {
    for (int i = 0; i < count; ++i) outbox_.add(body(), start_, settled_);
  }
  chat::message_body body(std::string text = "text") {
    chat::message_body result;
    result.room = "room";
    result.client_message_id = "id" + std::to_string(++ids_);
    result.text = std::move(text);
    return result;
  }
  seqs take(std::size_t count_max = 100) {
    seqs result;
    const chat::outbox::batch taken = outbox_.take_batch(count_max, SIZE_MAX, top_);
    after_seq_ = taken.after_seq;
    after_id_ = taken.after_id;
    for (const chat::outgoing_message& each : taken.messages) result.push_back(each.seq);
    return result;
  }
  static chat::entry_reply appended(std::uint64_t index) {
    chat::entry_reply reply;
    reply.at = chat::position{1, index};
    return reply;
  }
  static chat::entry_reply known(chat::entry_result result, std::optional<chat::position> at) {
    chat::entry_reply reply;
    reply.result = result;
    reply.at = at;
    return reply;
  }
  static chat::entry_reply gap(std::uint64_t last_seq) {
    chat::entry_reply reply;
    reply.result = chat::entry_result::gap;
    reply.last_seq = last_seq;
    return reply;
  }
  chat::repeats reply(const std::vector<chat::entry_reply>& replies) {
    return outbox_.on_replies(replies, reading_, settled_);
  }
  // Others hold everything up to `upto`.
  void hold(std::uint64_t upto) { outbox_.on_held(1, upto, settled_); }
  // Own messages of these seqs were read at 1-100 and above, and are lost.
  void put_back(const seqs& lost) {
    std::vector<chat::entry_ptr> entries;
    for (const std::uint64_t seq : lost) entries.push_back(make_message({1, 100 + seq}, "me", seq));
    outbox_.put_back(entries);
  }
  // What is in the outbox, as "seq", with "@index" when the log has dealt with it.
  texts held() const {
    texts result;
    for (const chat::outbox_message& each : outbox_.messages())
      result.push_back(std::to_string(each.seq) +
                       (each.at ? "@" + std::to_string(each.at->index) : ""));
    return result;
  }
  // Answers since the last call, as "seq@index", "seq accepted", "seq later", "seq refused".
  texts answers() {
    texts result;
    for (const chat::settlement& each : settled_) {
      const std::string seq = std::to_string(each.seq);
      switch (each.outcome.status) {
        case chat::append_status::appended:
          result.push_back(seq + "@" + std::to_string(each.outcome.at.index));
          break;
        case chat::append_status::accepted:
          result.push_back(seq + " accepted");
          break;
        case chat::append_status::retry_later:
          result.push_back(seq + " later");
          break;
        case chat::append_status::refused:
          result.push_back(seq + " refused");
          break;
      }
    }
    settled_.clear();
    return result;
  }

  const chat::outbox::time_point start_{std::chrono::seconds(1'000)};
  chat::outbox outbox_;
  std::vector<chat::settlement> settled_;
  std::uint64_t after_seq_ = 0;  // of the latest batch
  std::string after_id_;
  int ids_ = 0;
  std::uint64_t top_ = 0;  // of the log, when a batch is taken
  chat::reading reading_{{1, 2}, 9, 9, 0};
};

}  // namespace ordeal::test
