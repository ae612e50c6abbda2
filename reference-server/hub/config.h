// How ordeal-chat is configured: flags, their environment twins ORDEAL_CHAT_<FLAG>, and a file
// (--config), in this order of precedence. Secrets come from a file or the environment only, never
// from a flag.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "net/async/log.h"
#include "reference-server/hub/limits.h"
#include "reference-server/log/chat_log.h"

namespace ordeal::chat {

struct server_config {
  boost::asio::ip::tcp::endpoint listen;
  hub_limits limits;
  log_options log;
  net::log_level level = net::log_level::info;
  std::chrono::milliseconds drain_timeout{5'000};
};

struct config_result {
  std::optional<server_config> config;
  int exit_code = 0;   // when there is no config: 0 after --help and --version, 2 for a bad value
  std::string output;  // for stdout when 0, a sentence for stderr when 2
};

config_result parse_config(int argc, const char* const* argv);

}  // namespace ordeal::chat
