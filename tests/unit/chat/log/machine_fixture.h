// A log_machine and the words for a script: what it must say next, what it hears, what comes out.
// `redis_` is what the test says that Redis holds: it answers attaches and reports, and does nothing
// by itself.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "reference-server/log/log_machine.h"
#include "tests/unit/chat/log/entries.h"

namespace ordeal::test {

using texts = std::vector<std::string>;

class machine_fixture : public testing::Test {
 protected:
  explicit machine_fixture(chat::machine_options options = small_options()) : machine_(options) {}

  // Origin "me"; small numbers: looks 2 (boot), 4 (grace), 6 (stall), beats 2 (silent), 5 (member).
  static chat::machine_options small_options();

  // ---- what it says, in words, without the numbers that differ from try to try:
  //   attach[ behind P]
  //   append log/epoch/life after N[:id]:[ beat behind P low N][ seq...]
  //   convene from log/epoch/state/life/round
  //   report to R behind P: report
  //   truncate to P | restore behind P: P... | commit L/term behind P marks{...}[ replacing]
  std::string next();  // "" when it has nothing to say
  static std::string words_of(const chat::command& what);

  // ---- what it hears

  struct fake_redis {
    std::string life = "life1";
    bool is_replica = false;
    chat::memory_facts memory;
    bool has_meta = true, has_all_keys = true;
    std::string log_id = "log1", state = "open", incarnation = "life1", round;
    std::uint64_t epoch = 1, own_seq = 0;
    chat::epoch_chain chain;
    std::vector<chat::entry_ptr> stream;
  };
  // Everything lost, and a server of another life.
  static fake_redis empty_redis(std::string life);
  chat::attach_answer attached() const;
  chat::report_answer reported(std::map<std::string, std::string> reports, std::string owner = "",
                               std::uint64_t progress = 0) const;
  static chat::append_answer appended(std::uint64_t top, std::vector<std::uint64_t> indexes,
                                      std::uint64_t epoch = 1);
  static chat::append_answer stale_append();
  static chat::entry_reply gap(std::uint64_t last_seq);
  static chat::repair_answer repaired(bool is_complete = true);
  static chat::repair_answer stale_repair();
  static chat::wire_error error(net::redis::reply_class kind, std::string text);
  void hear(const chat::answer& heard) { machine_.on_answer(heard); }
  bool read(std::vector<chat::entry_ptr> entries, std::vector<chat::read_beat> beats = {});

  // ---- the stream in Redis: barrier at 1-1, messages b1, b2 ... of origin "b" up to `top`
  void fill_stream(std::uint64_t top);
  // Attached, and the whole stream read back; nothing to say but the beats.
  void open();
  void beat_of(std::string origin, std::uint64_t number, chat::position read, std::uint64_t low);
  // An own beat goes out and comes back.
  void own_beat(std::uint64_t number);
  chat::read_beat beat(std::uint64_t number, std::string origin, std::string text) const;

  // ---- what comes out

  texts effects();  // "b5@1-6", with "(was P)"; "gap 5-9"; "fork P: P..P, N messages"
  texts settled();  // "1@5", "1 accepted", "1 refused", "1 later"
  texts events();   // kinds only

  // ---- scripts

  struct step {
    std::string says;
    std::function<chat::answer()> hears;
    // Where the script goes on when the connection breaks here: the steps at which Redis is as it was
    // without, or as it is with, the command carried out.
    std::vector<std::size_t> resumes{0};
    // Said in place of it when the script begins anew with what was read meanwhile; empty: the same.
    std::string says_again{};
  };
  using script = std::vector<step>;
  void play(const script& steps, std::size_t from = 0);
  // The script, and once more for each step with the connection lost there; open in the end.
  void play_and_break_everywhere(const script& steps);
  void play_broken(const script& steps, std::size_t broken, std::size_t resume);

  fake_redis redis_;
  chat::log_machine machine_;
  std::optional<chat::position> asked_;  // by the latest attach or report
};

}  // namespace ordeal::test
