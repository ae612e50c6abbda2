// The log's scripts, each by itself, on a real Redis: arguments in words, answers as one line.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/redis_server.h"

namespace ordeal::test {

class script_runner : public testing::Test {
 protected:
  using words = std::vector<std::string>;
  struct message {
    std::string seq, id, text = "text";
  };
  struct stored {
    std::string id, kind = "m", origin = "a", seq = "1", client_id = "x", text = "text";
  };

  explicit script_runner(redis_server_options options = {}) : server_(std::move(options)) {}

  net::redis::reply run(std::string_view script, const words& keys, const words& arguments);
  net::redis::reply redis(const words& command);
  // An answer in one line: elements joined by commas, nested ones in brackets, nil as "-".
  static std::string line(net::redis::reply_view answer);
  std::string ask(const words& command) { return line(redis(command).view()); }

  // ---- the scripts; each with the arguments that succeed, to be changed by the tests

  struct append_words {
    std::string log_id = "log1", epoch = "1", life, origin = "a", retained = "1000000",
                retained_bytes = "1000000000", after = "0", beat, after_id;
  };
  append_words to_append(std::string origin = "a");
  std::string append(const append_words& how, const std::vector<message>& messages);

  std::string convene(const words& found, std::string round = "a.1");
  std::string report(std::string origin, std::string text, std::string round = "a.1");

  struct claim {
    std::string round = "a.1", origin = "a", life, reports = "0";
  };
  claim a_claim();
  std::string truncate(const claim& by, std::string keep, std::string count_max = "256");
  std::string restore(const claim& by, std::string tail, const std::vector<stored>& entries);
  struct commit_words {
    std::string tail = "0-0", log_id = "log1", epoch = "1", barrier = "why", replaces = "1";
    words epochs, marks;
  };
  std::string commit(const claim& by, const commit_words& how);

  // ---- states of Redis

  // log1 in epoch 1, with its barrier at 1-1.
  void make_log();
  // ... and a round a.1 without an owner.
  void make_round();
  // The stream's ids.
  std::string ids();
  std::string life();  // the incarnation of the server
  void restart();

  redis_server server_;
};

}  // namespace ordeal::test
